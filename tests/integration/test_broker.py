# SPDX-License-Identifier: Apache-2.0
"""The broker dies and returns while events flow: none is lost, and seq continues."""

import unittest

from harness import P, IntegrationTest, base_config, check_sequence


class BrokerDeath(IntegrationTest):
    def test_seq_continues(self):
        for round_, downtime_s in enumerate((0.3, 1.0, 0.6)):
            with self.subTest(round=round_):
                since = self.watcher.mark()
                runs = [self.ok("playlist/start", {"playlist": "burst"})["run"] for _ in range(2)]
                self.watcher.event("burst.tick", since=since)
                self.break_broker(downtime_s)
                for run in runs:
                    stopped = self.watcher.event(
                        "event.playlist.stopped",
                        lambda e, run=run: e["data"]["playlist_id"] == run, since)
                    self.assertEqual(stopped["data"]["reason"], "completed")
                    self.assertEqual(stopped["data"]["emitted_count"], 200)
                ticks = {(e["boot_id"], e["seq"])
                         for e in self.watcher.events("burst.tick", since)}
                self.assertEqual(len(ticks), 400)
                self.assertEqual(check_sequence(self.watcher.events()), [])
                self.assertEqual(self.watcher.events("gateway.gap"), [])

    def test_order_on_the_wire_is_seq_order(self):
        """A resent event may come again, but what is new only goes up."""
        since = self.watcher.mark()
        run = self.ok("playlist/start", {"playlist": "burst"})["run"]
        self.watcher.event("burst.tick", since=since)
        self.break_broker(0.3)
        self.watcher.event("event.playlist.stopped",
                           lambda e: e["data"]["playlist_id"] == run, since)
        highest = 0
        for event in self.watcher.events(since=since):
            self.assertLessEqual(event["seq"], highest + 1 if highest else event["seq"])
            highest = max(highest, event["seq"])

    def test_retained_topics_are_published_again(self):
        since = self.break_broker(0.2)
        config = base_config(1)
        wanted = {"info", "status"} | {f"input/{n}" for n in config["inputs"]}
        wanted |= {f"playlist/{n}" for n in config["playlists"]}
        for below in wanted:
            self.watcher.on_topic(f"{P}/{below}", since)
        # The broker remembers them again, and commands arrive again.
        client = self.connect()
        client.subscribe(f"{P}/status")
        self.assertTrue(client.on_topic(f"{P}/status").retain)
        self.ok("ping")

    def test_events_while_the_broker_is_away_keep_their_time(self):
        since = self.watcher.mark()
        run = self.ok("playlist/start", {"playlist": "burst"})["run"]
        self.watcher.event("burst.tick", since=since)
        self.break_broker(0.5)
        self.watcher.event("event.playlist.stopped",
                           lambda e: e["data"]["playlist_id"] == run, since)
        emitted = [e for e in self.watcher.events("event.playlist.emitted", since)
                   if e["data"]["playlist_id"] == run]
        offsets = sorted({e["data"]["offset"] for e in emitted})
        self.assertEqual(offsets, [n / 100 for n in range(200)])


if __name__ == "__main__":
    unittest.main()
