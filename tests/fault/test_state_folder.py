# SPDX-License-Identifier: Apache-2.0
"""Foreign, damaged and old files in state_dir: the gateway always starts, follows no link, waits for
no FIFO, and names what it could not use."""

import contextlib
import json
import os
import sqlite3
import unittest

from connection import ConnectionTest
from harness import P, Client, until

DEFINITION_BYTES = 64 << 10
DEFINITIONS = 516


class StateFolder(ConnectionTest):
    def setUp(self):
        super().setUp()
        self.state = self.folder("state")
        self.broker = self.new_broker("broker", "allow_anonymous true", "max_queued_messages 0")
        self.watcher = Client(self.broker)
        self.addCleanup(self.watcher.close)
        self.watcher.subscribe(P + "/bus/#").subscribe(P + "/status").subscribe(P + "/health")

    def state_config(self):
        config = self.config(f"mqtt://127.0.0.1:{self.broker.port}")
        config["gateway"]["state_dir"] = str(self.state)
        config["mqtt"]["remote"] = {"cmd": True, "emit": True}
        config["limits"] = {"payload_bytes": DEFINITION_BYTES + 200}
        return config

    def run_gateway(self, config=None):
        """Until it is online."""
        since = self.watcher.mark()
        if self.gateway is None:
            self.start(config or self.state_config())
        else:
            self.gateway.start()
        try:
            self.watcher.message("online", lambda m: m.topic == P + "/status"
                                 and m.payload == b"online", since)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.gateway.log()}") from None

    def health(self):
        return self.watcher.on_topic(f"{P}/health", self.watcher.mark()).json

    def ok(self, command, request):
        reply = self.watcher.request_raw(command, request)
        self.assertTrue(reply["ok"], reply)
        return reply["result"]

    def corrupt(self, folder=None):
        return sorted(p.name.partition(".corrupt-")[0]
                      for p in (folder or self.state).iterdir() if ".corrupt-" in p.name)


class Definitions(StateFolder):
    def big(self, name):
        """64 KiB, of which nearly all are quotes: in a string they take twice as much."""
        frame = len(json.dumps({"name": name, "definition": {"steps": [
            {"emit": "big.tick", "data": ""}]}}, separators=(",", ":")))
        text = '"' * ((DEFINITION_BYTES - frame) // 2)
        return {"name": name, "definition": {"steps": [{"emit": "big.tick", "data": text}]}}

    def test_more_than_may_be_kept(self):
        """Refused by a limit that is named; what is kept comes back, whatever is in it."""
        self.run_gateway()
        refused = 0
        for n in range(DEFINITIONS):
            reply = self.watcher.request_raw("playlist/define", self.big(f"p{n:03}"))
            if not reply["ok"]:
                refused += 1
                self.assertEqual(reply["error"]["code"], "limit")
                self.assertIn("limits.kept_definition_bytes", reply["error"]["message"])
        self.assertGreater(refused, 200)
        kept = self.health()["kept_definitions"]
        self.assertEqual(kept["count"], DEFINITIONS - refused)
        self.assertLessEqual(kept["bytes"], 16 << 20)
        self.assertEqual(kept["refused"], refused)
        self.gateway.kill()
        on_disk = sum(p.stat().st_size for p in self.state.rglob("*.def"))
        self.assertEqual(on_disk, kept["bytes"])
        self.run_gateway()
        self.assertEqual(self.health()["kept_definitions"] | {"refused": 0},
                         kept | {"refused": 0})
        self.ok("playlist/start", {"playlist": "p000"})
        self.gateway.stop()

    def test_what_a_version_before_could_not_read(self):
        definition = json.dumps({"steps": [{"emit": "big.tick", "data": '"' * ((32 << 10) - 100)}]})
        old = {"version": 1, "playlists": {f"p{n:03}": definition for n in range(DEFINITIONS)},
               "gestures": {}}
        path = self.state / "definitions.json"
        path.write_text(json.dumps(old))
        self.assertGreater(path.stat().st_size, 64 << 20)
        self.run_gateway()
        kept = self.health()["kept_definitions"]
        self.assertGreater(kept["count"], 200)
        self.assertEqual(kept["count"] + kept["set_aside"], DEFINITIONS)
        self.log_has("it was renamed to definitions.json.migrated")
        self.log_has("exceeds limits.kept_definition_bytes: it is not migrated")
        self.assertFalse(path.exists())
        self.ok("playlist/start", {"playlist": "p000"})
        self.gateway.stop()

    def test_links_and_fifos(self):
        secret = self.directory / "secret"
        secret.write_text("untouched")
        folder = self.state / "definitions"
        folder.mkdir()
        (self.state / "definitions.json.tmp").symlink_to(secret)
        os.mkfifo(self.state / "definitions.json")
        (folder / "1.def").symlink_to(secret)
        os.mkfifo(folder / "2.def")
        (folder / "3.def").mkdir()
        self.run_gateway()
        for n in range(1, 9):
            tmp = folder / f"{n}.def.tmp"
            tmp.unlink(missing_ok=True)
            tmp.symlink_to(secret)
        for n in range(5):
            self.ok("playlist/define", {"name": f"p{n}", "definition": {
                "steps": [{"emit": "a.b"}]}})
        self.assertEqual(secret.read_text(), "untouched")
        self.assertEqual(self.corrupt(folder), ["1.def", "2.def", "3.def"])
        self.assertIn("definitions.json", self.corrupt())
        for kind in ("a symbolic link", "a FIFO", "a folder"):
            self.log_has(f"is {kind}, not a definition")
        self.gateway.stop()
        self.run_gateway()
        self.assertEqual(self.health()["kept_definitions"]["count"], 5)
        self.gateway.stop()

    def test_a_folder_that_others_can_write(self):
        self.state.chmod(0o777)
        self.run_gateway()
        self.log_has(f"can be written by everybody (mode 0777): others can change what is kept in "
                     f"it; remedy: chmod go-w {self.state}")
        self.gateway.stop()


class Foreign(StateFolder):
    """An outbox.db with foreign changes: no code in it runs, and SIGTERM ends the gateway."""

    ENDLESS = "WITH RECURSIVE r(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM r) "

    def change(self, sql):
        with contextlib.closing(sqlite3.connect(self.state / "outbox.db", isolation_level=None)) as db:
            db.executescript(sql)

    def set_aside(self):
        """Without the logs that belong to them."""
        return list(self.state.glob("outbox.db.corrupt-*Z"))

    def test_an_endless_view_in_a_tables_place(self):
        self.run_gateway()
        self.gateway.stop()
        for table, columns in (
                ("messages", "id, 'x' boot_id, id seq, 0 flags, 't' topic, x'70' payload, "
                             "NULL correlation, 0 checksum"),
                ("journal", "id key, 'x' value, 0 checksum")):
            with self.subTest(table=table):
                before = len(self.set_aside())
                self.change(f"DROP TABLE {table}; "
                            f"CREATE VIEW {table} AS {self.ENDLESS} SELECT {columns} FROM r")
                self.run_gateway()
                self.assertEqual(self.health()["outbox"]["disk"], "ok")
                self.assertEqual(len(self.set_aside()), before + 1)
                self.gateway.stop()

    def test_very_many_spoilt_definitions(self):
        folder = self.state / "definitions"
        folder.mkdir()
        for n in range(1, 3001):
            (folder / f"{n}.def").write_text("x")
        self.run_gateway()
        self.assertEqual(self.health()["kept_definitions"]["set_aside"], 3000)
        self.log_has("more files can't be used: they are left as they are")
        self.ok("playlist/define", {"name": "p", "definition": {"steps": [{"emit": "a.b"}]}})
        self.gateway.stop()


class Counting(StateFolder):
    def pulse(self, count):
        """One more event, and its report; earlier events may be sent again meanwhile."""
        since, boot_id = self.watcher.mark(), self.ok("ping", {})["boot_id"]
        for value in (1, 0):
            self.ok("input/set", {"input": "rain", "value": value})
        event = self.watcher.event("rain.pulse", lambda e: e["boot_id"] == boot_id, since)
        self.assertEqual(event["data"]["count"], count)

    def test_a_counter_goes_on_after_a_restart_and_a_kill(self):
        config = self.state_config()
        config["inputs"] = {"rain": {"driver": "sim", "kind": "counter", "event": "rain.pulse",
                                     "restore": True}}
        self.run_gateway(config)
        for count in (1, 2, 3):
            self.pulse(count)
        self.gateway.stop()
        self.run_gateway()
        self.pulse(4)
        self.gateway.kill()
        self.run_gateway()
        self.pulse(5)
        self.gateway.stop()


class Runs(StateFolder):
    def test_a_run_whose_event_types_do_not_fit_any_more(self):
        """The gateway starts, and that run is stopped and named."""
        config = self.state_config()
        config["playlists"] = {"p": {"on_restart": "resume", "steps": [
            {"emit": "first.tick", "repeat": 1000, "interval": "1s"},
            {"emit": "second.tick", "repeat": 1000, "interval": "1s"}]}}
        self.run_gateway(config)
        run = self.ok("playlist/start", {"playlist": "p"})["run"]
        self.watcher.event("second.tick")
        self.gateway.kill()
        # As many types of its own as there may be: found by trying.
        config["limits"]["event_types"] = 64
        for n in range(64, 0, -1):
            config["playlists"] = {"full": {"steps": [{"emit": f"filler.n{i}"} for i in range(n)]}}
            self.gateway.write(config)
            since = self.watcher.mark()
            self.gateway.start()
            until("started, or not", lambda: "gateway 'it'" in self.gateway.log()
                  or self.gateway.process.poll() is not None)
            if self.gateway.process.poll() is None:
                break
        self.watcher.event("event.playlist.stopped", lambda e: e["data"]["playlist_id"] == run
                           and e["data"]["reason"] == "cancelled", since)
        self.log_has("a run of playlist 'p' is aborted: its event types exceed limits.event_types")
        self.gateway.stop()

    def test_a_database_that_is_locked_at_the_start(self):
        """By a backup: the gateway starts, and acts on the runs as soon as it opens."""
        config = self.state_config()
        config["playlists"] = {"p": {"on_restart": "resume", "steps": [
            {"emit": "first.tick", "repeat": 1000, "interval": "1s"}]}}
        self.run_gateway(config)
        run = self.ok("playlist/start", {"playlist": "p"})["run"]
        self.watcher.event("first.tick")
        self.gateway.kill()
        backup = sqlite3.connect(self.state / "outbox.db", isolation_level=None)
        self.addCleanup(backup.close)
        backup.execute("PRAGMA locking_mode=EXCLUSIVE")
        backup.execute("BEGIN EXCLUSIVE")
        self.run_gateway()
        self.assertEqual(self.health()["outbox"]["disk"], "memory")
        self.ok("playlist/start", {"playlist": "p"})
        since = self.watcher.mark()
        backup.close()
        restored = self.watcher.event("event.playlist.created", lambda e: e["data"]["cause"]
                                      == "restore", since)
        self.assertEqual(restored["data"]["playlist_id"], run)
        self.assertEqual(self.health()["playlists"]["active_runs"], 2)
        self.gateway.stop()


if __name__ == "__main__":
    unittest.main()
