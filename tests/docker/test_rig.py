# SPDX-License-Identifier: Apache-2.0
"""compose.yaml from inside: what it demonstrates, and what happens when its broker or its gateway
stops."""

import sqlite3
import tempfile
import threading
import time
import unittest

from rig import WEBSOCKETS_PORT, DurableClient, RigBroker, report
from engine import Container
from harness import P, IntegrationTest

KONAMI = ("up", "up", "down", "down", "left", "right", "left", "right", "b", "a")
DOWNTIME_S = 3
# Who may not publish where, of what the gateway would take or publish itself.
INCOMING = ("emit/forged/event", "cmd/playlist/start")
OUTGOING = ("status", "info", "bus/forged/event", "reply/playlist/start")
FORBIDDEN = {"dashboard": INCOMING + OUTGOING, "operator": OUTGOING, "gateway": INCOMING}


class Rig(IntegrationTest):
    @classmethod
    def setUpClass(cls):
        cls.broker = RigBroker("mosquitto")
        cls.mosquitto = Container("mosquitto")
        cls.cuebus = Container("cuebus")
        cls.watcher = cls.broker.client("operator", kind=DurableClient).subscribe(P + "/#")
        cls.control = cls.broker.client("operator")
        cls.watcher.message("online", lambda m: m.payload == b"online")

    @classmethod
    def tearDownClass(cls):
        cls.check_all()
        cls.watcher.close()
        cls.control.close()

    def setUp(self):
        """unittest runs on after a failure: the next test finds the rig up again."""
        if not self.mosquitto.state["Running"]:
            self.start_broker()
        if not self.cuebus.state["Running"]:
            self.cuebus.start()
        self.since = self.watcher.mark()

    def press(self, button):
        for value in (1, 0):
            self.ok("input/set", {"input": button, "value": value})

    def start_broker(self):
        self.mosquitto.start()
        self.broker.wait()
        self.watcher.reconnect()
        self.control.reconnect()

    def online(self, since):
        self.watcher.message("online", lambda m: m.topic == P + "/status"
                             and m.payload == b"online", since)

    def outbox(self):
        """(boot_id, seq) of the events on the volume of the gateway, which does not run."""
        with tempfile.TemporaryDirectory() as directory:
            folder = self.cuebus.copy("/var/lib/cuebus", directory)
            database = sqlite3.connect(folder / "outbox.db")
            try:
                return database.execute("SELECT boot_id, seq FROM messages WHERE topic LIKE ?",
                                        (P + "/bus/%",)).fetchall()
            finally:
                database.close()

    def start_burst(self):
        self.ok("playlist/define", {"name": "burst", "definition": {
            "steps": [{"emit": "burst.tick", "repeat": 1000, "interval": "10ms"}]}})
        run = self.ok("playlist/start", {"playlist": "burst"})["run"]
        self.watcher.event("burst.tick", since=self.since)
        return run

    def test_events_come_by_themselves(self):
        self.watcher.event("clock.tick", since=self.since)

    def test_double_tap(self):
        # Two presses within 3 s; on a machine that is too slow for it, the next two.
        for _ in range(20):
            self.press("doorbell")
            if self.watcher.events("button.double_tap", self.since):
                break
        event = self.watcher.event("button.double_tap", since=self.since)
        self.assertEqual([e["data"]["input"] for e in event["data"]["events"]], ["doorbell"] * 2)

    def test_konami(self):
        for code in KONAMI:
            self.press(code)
        event = self.watcher.event("konami.activated", since=self.since)
        self.assertEqual([e["data"]["code"] for e in event["data"]["sequence"]], list(KONAMI))
        self.watcher.event("lamp.set", lambda e: e["data"] == {"on": True}, self.since)

    def test_trigger_and_interrupt(self):
        self.emit("start.sequence")
        created = self.watcher.event("event.playlist.created",
                                     lambda e: e["data"]["playlist_name"] == "color.cycle",
                                     self.since)["data"]
        self.watcher.event("color.update", since=self.since)
        self.emit("stop.sequence")
        stopped = self.watcher.event("event.playlist.stopped", lambda e: e["data"]["playlist_id"]
                                     == created["playlist_id"], self.since)["data"]
        self.assertEqual(stopped["reason"], "interrupted")

    def test_start_and_stop_by_command(self):
        run = self.ok("playlist/start", {"playlist": "color.cycle"})["run"]
        self.assertEqual(self.ok("playlist/stop", {"run": run})["stopped"], [run])
        stopped = self.watcher.event("event.playlist.stopped",
                                     lambda e: e["data"]["playlist_id"] == run, self.since)
        self.assertEqual(stopped["data"]["reason"], "cancelled")

    def test_retained_command_is_refused(self):
        topic = f"{P}/cmd/playlist/start"
        self.control.publish(topic, {"playlist": "flash", "request_id": "kept"}, retain=True)
        try:
            reply = self.watcher.on_topic(f"{P}/reply/playlist/start", self.since).json
        finally:
            self.control.publish(topic, b"", retain=True)
        self.assertEqual((reply["request_id"], reply["error"]["code"]), ("kept", "refused"))
        self.ok("ping")
        self.assertEqual([e for e in self.watcher.events("event.playlist.created", self.since)
                          if e["data"]["playlist_name"] == "flash"], [])

    def test_rights(self):
        for account, topics in FORBIDDEN.items():
            with self.subTest(account):
                since = self.watcher.mark()
                client = self.broker.client(account)
                self.addCleanup(client.close)
                for topic in topics:
                    client.publish(f"{P}/{topic}", b'{"playlist":"flash","forged":true}')
                self.ok("ping")
                self.emit("test.fence")
                self.watcher.event("test.fence", since=since)
                self.assertEqual([m for m in self.watcher.messages[since:] if b"forged" in m.payload
                                  or m.topic.endswith("/reply/playlist/start")], [])

    def test_nobody_else_gets_in(self):
        for user in (None, ("operator", "guess"), ("admin", "admin")):
            with self.subTest(user=user):
                self.assertNotEqual(self.broker.refused(user), 0)

    def test_websockets(self):
        client = RigBroker("mosquitto", WEBSOCKETS_PORT).client("dashboard", transport="websockets")
        self.addCleanup(client.close)
        self.assertEqual(client.subscribe(f"{P}/status").on_topic(f"{P}/status").payload, b"online")

    def test_broker_restart_loses_nothing(self):
        run = self.start_burst()
        self.mosquitto.stop()
        threading.Event().wait(DOWNTIME_S)  # how long the fault lasts; nothing is waited for
        since = self.watcher.mark()
        self.start_broker()
        self.online(since)
        self.watcher.event("event.playlist.stopped",
                           lambda e: e["data"]["playlist_id"] == run, self.since)
        ticks = {e["seq"] for e in self.watcher.events("burst.tick", self.since)}
        self.assertEqual(len(ticks), 1000)

    def test_health_follows_the_broker(self):
        self.cuebus.wait_health("healthy")
        begin = time.monotonic()
        self.mosquitto.stop()
        self.cuebus.wait_health("unhealthy")
        report(f"unhealthy {time.monotonic() - begin:.1f} s after the broker was stopped")
        begin = time.monotonic()
        self.start_broker()
        self.cuebus.wait_health("healthy")
        report(f"healthy {time.monotonic() - begin:.1f} s after it was started")
        self.ok("ping")

    def test_kill_loses_nothing_that_the_outbox_held(self):
        self.start_burst()
        self.mosquitto.stop()
        threading.Event().wait(DOWNTIME_S)  # how long the fault lasts; nothing is waited for
        self.cuebus.kill()
        held = self.outbox()
        self.assertTrue(held)
        since = self.watcher.mark()
        self.start_broker()
        self.cuebus.start()
        self.online(since)
        boots = {boot for boot, _ in held}
        # Of the new boot: it comes after all of the old one's.
        self.watcher.event("clock.tick", lambda e: e["boot_id"] not in boots, since)
        seen = {(e["boot_id"], e["seq"]) for e in self.watcher.events(since=self.since)}
        self.assertEqual(set(held) - seen, set())
        report(f"{len(held)} events were on the volume at the kill, all of them arrived")

    def test_the_process_handles_sigterm_itself(self):
        seconds = self.cuebus.stop()
        self.watcher.message("offline", lambda m: m.payload == b"offline", self.since)
        # 143 and 137 would mean that the signal ended it.
        self.assertEqual(self.cuebus.state["ExitCode"], 0)
        report(f"offline and ended {seconds:.2f} s after SIGTERM")
        since = self.watcher.mark()
        self.cuebus.start()
        self.online(since)


if __name__ == "__main__":
    unittest.main()
