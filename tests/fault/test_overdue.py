# SPDX-License-Identifier: Apache-2.0
"""A gateway that gets no CPU for longer than its runs and their 5 s: each run whose
`stopped` is absent is reported as overdue, once, and then ends."""

import signal
import threading
import time
import unittest

from storm import StormTest
from harness import REGISTRY, base_config

END_S = 3
OVERDUE_AFTER_S = 5


class Overdue(StormTest):
    @classmethod
    def config(cls):
        config = base_config(cls.broker.port, cls.state_dir)
        config["gestures"] = {}
        steps = [{"emit": "short.tick", "repeat": 31, "interval": "100ms"}]
        config["playlists"] = {
            "bursting": {"steps": steps},
            "newest": {"steps": steps, "late": "skip"},
            "longer": {"steps": [{"emit": "longer.tick", "repeat": 2, "interval": "60s"}]},
        }
        return config

    def start_all(self, since):
        for name in ("bursting", "newest", "longer"):
            self.ok("playlist/start", {"playlist": name})
        self.watcher.wait("three runs", lambda: len(
            self.watcher.events("event.playlist.created", since)) == 3)

    def stall(self, seconds):
        """How long the fault lasts; nothing is waited for."""
        self.gateway.signal(signal.SIGSTOP)
        threading.Event().wait(seconds)
        self.gateway.signal(signal.SIGCONT)

    def of(self, event_type, name, since):
        return [e for e in self.watcher.events(event_type, since)
                if e["data"].get("playlist_name") == name]

    def test_a_stopped_that_does_not_come(self):
        since = self.watcher.mark()
        before = self.health_after("health", lambda h: True, since)["playlists"]["overdue"]
        self.start_all(since)
        self.stall(END_S + OVERDUE_AFTER_S + 0.5)
        for name in ("bursting", "newest"):
            stopped = self.watcher.event("event.playlist.stopped",
                                         lambda e, n=name: e["data"]["playlist_name"] == n, since)
            overdue, = self.of("event.playlist.overdue", name, since)
            self.assertEqual(REGISTRY.errors("event.playlist.overdue", overdue["data"]), [])
            self.assertLess(overdue["seq"], stopped["seq"])
            self.assertGreaterEqual(overdue["data"]["overdue_by"], OVERDUE_AFTER_S)
            self.assertEqual(overdue["data"]["expected_duration"], END_S)
            self.assertEqual(stopped["data"]["reason"], "completed")
            self.assertEqual(stopped["data"]["emitted_count"]
                             + stopped["data"].get("skipped_count", 0), 31)
        self.assertEqual(self.of("event.playlist.overdue", "longer", since), [])
        health = self.health_after("health", lambda h: h["playlists"]["overdue"] >= before + 2, since)
        self.assertEqual(health["playlists"]["overdue"], before + 2)

    def test_a_shorter_stall_is_none(self):
        """Unless this machine itself held the gateway up for as long."""
        since, begin = self.watcher.mark(), time.monotonic()
        self.start_all(since)
        self.stall(END_S + 0.5)
        for name in ("bursting", "newest"):
            self.watcher.event("event.playlist.stopped",
                               lambda e, n=name: e["data"]["playlist_name"] == n, since)
        if time.monotonic() - begin < END_S + OVERDUE_AFTER_S:
            self.assertEqual(self.watcher.events("event.playlist.overdue", since), [])


if __name__ == "__main__":
    unittest.main()
