# SPDX-License-Identifier: Apache-2.0
"""`outbox.disk: when_away`: nothing is written for events while the broker acknowledges. Every seq
arrives or is named by a gap, across a broker that stops, a slow one, SIGTERM and SIGKILL."""

import contextlib
import shutil
import sqlite3
import unittest

from connection import ConnectionTest
from counting import SANITIZED, Subscriber
from harness import BROKER_LINES, P, Client, until

NOWHERE = 1  # a port that nothing listens on
INTERVAL = "20ms" if SANITIZED else "5ms"
QUIET_EVENTS = 200


class Away(ConnectionTest):
    def setUp(self):
        super().setUp()
        self.broker = self.new_broker("broker", *BROKER_LINES)
        self.proxy = self.new_proxy(self.broker.port, receive_buffer=None)
        self.subscriber = Subscriber(self.broker.port)
        self.addCleanup(self.subscriber.close)
        self.tally = self.subscriber.tally
        self.tally.keep_health = True

    def start_gateway(self, ticks=0, disk="when_away"):
        config = self.config(f"mqtt://127.0.0.1:{self.proxy.port}", keepalive="60s")
        config["gateway"]["state_dir"] = str(self.directory / "state")
        config["outbox"] = {"disk": disk}
        if ticks:
            config["playlists"] = {"load": {"trigger": "load.start", "on_restart": "resume", "steps": [
                {"emit": "load.tick", "repeat": ticks, "interval": INTERVAL}]}}
        self.start(config)
        self.subscriber.wait_session(1, self.gateway.process)
        self.client = Client(self.broker)
        self.addCleanup(self.client.close)
        if ticks:
            self.emit("load/start")

    def start_again(self):
        sessions = self.tally.sessions
        self.gateway.start()
        self.subscriber.wait_session(sessions + 1, self.gateway.process)

    def emit(self, topic):
        self.client.publish(f"{P}/emit/{topic}", b"1")

    def outbox(self, condition):
        """The next report on the outbox for which the condition holds."""
        seen = len(self.tally.health)

        def find():
            return next((h["outbox"] for h in self.tally.health[seen:] if condition(h["outbox"])),
                        None)
        self.subscriber.wait("a health report", find, self.gateway.process)
        return find()

    def wal_bytes(self):
        path = self.directory / "state" / "outbox.db-wal"
        return path.stat().st_mtime_ns, path.stat().st_size

    def written_for_quiet_events(self, disk):
        """Transactions for events that come one by one and are acknowledged."""
        self.start_gateway(disk=disk)
        target = self.tally.events + 1
        self.emit("quiet/first")
        self.subscriber.wait("the first event", lambda t=target: self.tally.events >= t)
        before = self.outbox(lambda o: o["events"] == 0 and o["disk"] == "idle"
                             if disk == "when_away" else o["events"] == 0)["commits"]
        for _ in range(QUIET_EVENTS):
            target = self.tally.events + 1
            self.emit("quiet/event")
            self.subscriber.wait("the event", lambda t=target: self.tally.events >= t)
        commits = self.outbox(lambda o: o["events"] == 0)["commits"] - before
        self.gateway.stop()
        self.tally.check(self)
        self.assertEqual(self.tally.announced, [])
        return commits

    def test_nothing_is_written_for_events_while_the_broker_acknowledges(self):
        commits = self.written_for_quiet_events("when_away")
        # Marks: reserves of 64, 128, 256.
        self.assertLessEqual(commits, 6)

    def test_by_default_each_is_written(self):
        self.assertGreaterEqual(self.written_for_quiet_events("always"), QUIET_EVENTS)

    def test_a_broker_that_goes_and_comes_back(self):
        self.start_gateway(ticks=2000)
        for _ in range(3):
            self.subscriber.wait_events(100, self.gateway.process)
            sessions = self.tally.sessions
            self.proxy.target_port = NOWHERE
            self.proxy.drop_all()
            before = self.wal_bytes()
            until("something on disk", lambda b=before: self.wal_bytes() != b)
            self.proxy.target_port = self.broker.port
            self.subscriber.wait_session(sessions + 1, self.gateway.process)
        run = self.subscriber.wait_stopped(self.gateway.process)
        self.tally.check(self)
        self.assertEqual(self.tally.announced, [])
        self.assertEqual(self.tally.check_run(self, run), 2000)
        self.outbox(lambda o: o["events"] == 0)
        self.gateway.stop()

    def rows_on_disk(self):
        """Of a copy: the gateway has the file for itself."""
        copy = self.directory / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.directory / "state", copy)
        try:
            with contextlib.closing(sqlite3.connect(copy / "outbox.db")) as db:
                return db.execute("SELECT count(*) FROM messages").fetchone()[0]
        except sqlite3.DatabaseError:
            return 0  # copied in the middle of a checkpoint

    def kill_and_start(self):
        self.gateway.kill()
        self.proxy.drop_all()
        self.proxy.resume()
        self.start_again()

    def all_came_or_are_named(self, ticks):
        run = self.subscriber.wait_stopped(self.gateway.process)
        self.outbox(lambda o: o["events"] == 0)
        self.gateway.stop()
        self.tally.check(self)
        seen = {repeat for r, _, repeat in self.tally.occurrences if r == run}
        missing = set(range(ticks)) - seen
        # Two events for each occurrence; a kill names more than that, never less.
        for boot_id, first, last in self.tally.announced:
            self.assertLessEqual(first, self.tally.boots[boot_id].highest + 1)
        named = sum(max(0, last - self.tally.boots[boot_id].highest)
                    for boot_id, _, last in self.tally.announced)
        self.assertGreaterEqual(named, 2 * len(missing))
        return len(missing)

    def test_a_broker_that_acknowledges_late(self):
        """Events that wait for 5 s are on disk: a kill loses nothing."""
        self.start_gateway(ticks=4000)
        self.outbox(lambda o: o["disk"] == "idle")
        self.proxy.hang()
        until("what waits on disk", lambda: self.rows_on_disk() > 100, process=self.gateway.process)
        self.kill_and_start()
        self.assertEqual(self.all_came_or_are_named(4000), 0)
        self.assertEqual(self.tally.announced, [])

    def test_what_a_kill_loses_is_named(self):
        self.start_gateway(ticks=2000)
        for _ in range(5):
            self.outbox(lambda o: o["disk"] == "idle")
            self.proxy.hang()
            self.kill_and_start()
        missing = self.all_came_or_are_named(2000)
        self.assertGreater(len(self.tally.announced), 0)
        print(f"\n5 kills: {missing} of 2000 occurrences lost, all within what was named: "
              f"{[last - first + 1 for _, first, last in self.tally.announced]}")


if __name__ == "__main__":
    unittest.main()
