# SPDX-License-Identifier: Apache-2.0
"""The service: SIGTERM, SIGHUP, restarts, definitions that are kept."""

import os
import shutil
import signal
import unittest

from harness import GATEWAY_ID, P, TIMEOUT_S, Gateway, IntegrationTest, until


class Service(IntegrationTest):
    def restart(self):
        self.gateway.stop()
        self.start_gateway()

    def test_sigterm_stops_runs_and_says_offline(self):
        since = self.watcher.mark()
        runs = [self.ok("playlist/start", {"playlist": "long"})["run"] for _ in range(3)]
        self.gateway.stop()
        self.watcher.message("offline", lambda m: m.topic == P + "/status"
                             and m.payload == b"offline", since)
        stopped = {e["data"]["playlist_id"]: e["data"]
                   for e in self.watcher.events("event.playlist.stopped", since)}
        for run in runs:
            self.assertEqual((stopped[run]["reason"], stopped[run]["detail"]),
                             ("cancelled", "shutdown"))
        # `offline` is the last status.
        last = [m for m in self.watcher.messages if not m.topic.startswith(
            (P + "/cmd", P + "/emit"))][-1]
        self.assertEqual((last.topic, last.payload), (P + "/status", b"offline"))
        self.start_gateway()

    def test_sigint_ends_it_too(self):
        self.gateway.signal(signal.SIGINT)
        self.gateway.wait()
        self.start_gateway()

    def test_each_start_has_its_boot_id_and_counts_from_one(self):
        before = self.ok("ping")["boot_id"]
        since = self.watcher.mark()
        self.restart()
        self.emit("after.restart")
        self.watcher.event("after.restart", since=since)
        events = [e for e in self.watcher.events(since=since) if e["boot_id"] != before]
        self.assertEqual(min(e["seq"] for e in events), 1)

    def test_definitions_made_by_command_survive(self):
        made = self.ok("playlist/define", {"name": "kept", "definition": {
            "trigger": "kept.start", "steps": [{"emit": "kept.tick"}]}})
        gesture = self.ok("gesture/define", {"name": "kept.tap", "definition": {
            "type": "double_tap", "source": "kept.press", "window": "30s",
            "emit": "kept.double"}})
        self.restart()
        listed = {p["name"]: p["definition_id"] for p in self.ok("playlist/list")["playlists"]}
        self.assertEqual(listed["kept"], made["definition_id"])
        listed = {g["name"]: g["id"] for g in self.ok("gesture/list")["gestures"]}
        self.assertEqual(listed["kept.tap"], gesture["definition_id"])
        since = self.watcher.mark()
        self.emit("kept.start")
        self.watcher.event("kept.tick", since=since)
        self.emit("kept.press")
        self.emit("kept.press")
        self.watcher.event("kept.double", since=since)
        # Also after a kill -9: what was answered is kept.
        self.ok("playlist/define", {"name": "kept", "definition": {
            "steps": [{"emit": "kept.second"}]}})
        self.gateway.kill()
        self.start_gateway()
        since = self.watcher.mark()
        self.ok("playlist/start", {"playlist": "kept"})
        self.watcher.event("kept.second", since=since)
        # Removed, they stay removed.
        self.ok("playlist/remove", {"playlist": "kept"})
        self.ok("gesture/remove", {"gesture": "kept.tap"})
        self.restart()
        self.fails("not_found", "playlist/start", {"playlist": "kept"})
        self.assertNotIn("kept.tap", [g["name"] for g in self.ok("gesture/list")["gestures"]])

    def test_state_dir_that_is_missing_is_made(self):
        self.gateway.stop()
        away = self.state_dir.rename(self.state_dir.with_name("away"))
        self.start_gateway()
        self.assertIn(f"'{self.state_dir}' did not exist: made it", self.gateway.log())
        self.ok("playlist/define", {"name": "made", "definition": {"steps": [{"emit": "made.tick"}]}})
        self.assertTrue((self.state_dir / "definitions" / "1.def").exists())
        self.ok("playlist/remove", {"playlist": "made"})
        self.gateway.stop()
        shutil.rmtree(self.state_dir)
        away.rename(self.state_dir)
        self.start_gateway()

    def test_a_state_dir_belongs_to_one_gateway(self):
        """Also when the first has been connected for long: nothing may drop its lock."""
        directory = self.directory / "second"
        directory.mkdir(exist_ok=True)
        config = self.config()
        config["gateway"]["id"] = "second"
        second = Gateway(directory, config).start()
        try:
            self.assertEqual(second.process.wait(TIMEOUT_S), 69)
        finally:
            second.kill()
        self.assertIn(f"gateway.state_dir '{self.state_dir}' is in use by gateway '{GATEWAY_ID}', "
                      "process ", second.log())
        self.assertNotIn("locked", second.log())
        since = self.watcher.mark()
        disk = self.watcher.on_topic(f"{P}/health", since).json["outbox"]["disk"]
        self.assertEqual(disk, "ok")

    def test_state_dir_that_can_not_be_made_is_told(self):
        """Its parent is missing: perhaps a file system that is not mounted yet."""
        config = self.config()
        config["gateway"]["state_dir"] = missing = str(self.directory / "away" / "state")
        self.gateway.stop()
        self.gateway.write(config)
        self.start_gateway()
        self.assertIn(f"warning: gateway.state_dir '{missing}': No such file", self.gateway.log())
        error = self.fails("refused", "playlist/define", {
            "name": "lost", "definition": {"steps": [{"emit": "lost.tick"}]}})
        self.assertIn("could not be written", error["message"])
        self.assertIn("could not be written to gateway.state_dir: No such file", self.gateway.log())
        self.gateway.stop()
        self.gateway.write(self.config())
        self.start_gateway()

    def test_a_kept_definition_that_is_broken_is_named_and_the_rest_starts(self):
        for name in ("one", "two"):
            self.ok("playlist/define", {"name": name, "definition": {
                "steps": [{"emit": f"{name}.tick"}]}})
        self.gateway.stop()
        kept = self.state_dir / "definitions"
        for path in kept.iterdir():
            if b"two.tick" in path.read_bytes():
                path.write_bytes(path.read_bytes().replace(b"two.tick", b"two.tock"))
        (self.state_dir / "definitions.json").write_text('{"version":1,"playl')
        self.start_gateway()
        self.assertIn(".def: is damaged; the definition is not in force, its file was renamed to ",
                      self.gateway.log())
        self.assertIn("definitions.json: is damaged", self.gateway.log())
        self.ok("playlist/start", {"playlist": "one"})
        self.fails("not_found", "playlist/start", {"playlist": "two"})
        health = self.watcher.on_topic(f"{P}/health", self.watcher.mark()).json
        self.assertEqual(health["kept_definitions"]["set_aside"], 2)
        self.ok("playlist/remove", {"playlist": "one"})

    def test_definition_id_is_stable_and_run_ids_are_not(self):
        def ids():
            since = self.watcher.mark()
            self.ok("playlist/start", {"playlist": "flash"})
            data = self.watcher.event("event.playlist.created", since=since)["data"]
            return data["definition_id"], data["playlist_id"]
        first = ids()
        self.restart()
        second = ids()
        self.assertEqual(first[0], second[0])
        self.assertNotEqual(first[1], second[1])

    def test_sighup_takes_a_good_configuration(self):
        self.addCleanup(self.back_to_the_first)
        config = self.config()
        config["playlists"]["fresh"] = {"steps": [{"emit": "fresh.tick"}]}
        config["inputs"]["extra"] = {"driver": "sim", "kind": "button", "event": "extra.press"}
        del config["playlists"]["flash"]
        del config["gestures"]["flash.on.door"]
        run = self.ok("playlist/start", {"playlist": "long"})["run"]
        hash_before = self.ok("config/get")["hash"]
        self.gateway.write(config)
        since = self.watcher.mark()
        self.gateway.signal(signal.SIGHUP)
        info = self.watcher.message("info", lambda m: m.topic == P + "/info"
                                    and "fresh" in m.json["playlists"], since).json
        self.assertNotEqual(info["config_hash"], hash_before)
        self.assertNotIn("flash", info["playlists"])
        self.watcher.on_topic(P + "/input/extra", since)
        self.watcher.message("view gone", lambda m: m.topic == P + "/playlist/flash"
                             and not m.payload, since)
        self.ok("playlist/start", {"playlist": "fresh"})
        self.watcher.event("fresh.tick", since=since)
        self.ok("input/set", {"input": "extra", "value": 1})
        self.watcher.event("extra.press", since=since)
        self.fails("not_found", "playlist/start", {"playlist": "flash"})
        # Unchanged parts continue.
        self.assertIn(run, [r["run"] for r in self.ok("playlist/runs")["runs"]])
        self.ok("playlist/stop", {"run": run})

    def back_to_the_first(self):
        self.gateway.write(self.config())
        self.ok("config/reload")

    def test_reload_refuses_a_bad_configuration(self):
        self.addCleanup(self.back_to_the_first)
        before = self.ok("config/get")
        config = self.config()
        config["playlists"]["long"]["steps"][0]["offzet"] = "1s"
        config["playlists"]["fresh"] = {"steps": [{"emit": "fresh.tick"}]}
        self.gateway.write(config)
        error = self.fails("refused", "config/reload")
        self.assertIn("offset", error["message"])
        self.assertRegex(error["message"], r"cuebus\.json:\d+:\d+: ")
        until("the finding in the log", lambda: "offzet" in self.gateway.log(), TIMEOUT_S)
        self.gateway.signal(signal.SIGHUP)
        until("the complaint in the log", lambda: "offzet" in self.gateway.log(), TIMEOUT_S)
        self.assertEqual(self.ok("config/get"), before)
        self.fails("not_found", "playlist/start", {"playlist": "fresh"})
        self.gateway.write("{ no json")
        error = self.fails("refused", "config/reload")
        self.assertIn(f"{self.gateway.path}:1:3: ", error["message"])
        self.assertTrue(error["message"].endswith("[syntax]"), error)
        self.ok("ping")

    def test_reload_names_all_that_needs_a_restart(self):
        self.addCleanup(self.back_to_the_first)
        config = self.config()
        config["gateway"]["state_dir"] = str(self.directory / "elsewhere")
        config["mqtt"]["topic_prefix"] = "other"
        config["outbox"] = {"sync": "always"}
        self.gateway.write(config)
        error = self.fails("refused", "config/reload")
        self.assertRegex(error["message"], r"cuebus\.json:\d+:\d+: .*; 2 more: see the log")
        self.assertNotIn(":1:1:", error["message"])
        self.gateway.signal(signal.SIGHUP)
        for name in ("gateway.state_dir", "mqtt.topic_prefix", "outbox.sync, outbox.disk or outbox.full"):
            until(f"{name} in the log", lambda name=name: f"{name} changed: that needs a restart"
                  in self.gateway.log(), TIMEOUT_S)
        self.assertFalse((self.directory / "elsewhere").exists())

    def test_reload_does_not_wait_for_a_pipe(self):
        text = self.gateway.path.read_text()
        self.gateway.path.unlink()
        os.mkfifo(self.gateway.path)
        try:
            error = self.fails("refused", "config/reload")
            self.assertIn("not a regular file", error["message"])
            self.ok("ping")
        finally:
            self.gateway.path.unlink()
            self.gateway.path.write_text(text)
        self.ok("config/reload")

    def test_reload_by_command(self):
        self.addCleanup(self.back_to_the_first)
        config = self.config()
        config["playlists"]["by.command"] = {"steps": [{"emit": "by.command.tick"}]}
        config["gestures"]["lost"] = {"type": "gated_playlist", "gate": "lost.gate",
                                      "playlist": "no.such"}
        self.gateway.write(config)
        findings = self.ok("config/reload")["findings"]
        self.assertEqual({f["severity"] for f in findings}, {"warning"})
        self.ok("playlist/start", {"playlist": "by.command"})


if __name__ == "__main__":
    unittest.main()
