# SPDX-License-Identifier: Apache-2.0
"""An outbox that is too small for the time without a broker, and a broker that does not accept large
messages: exactly the dropped events are reported."""

import unittest

from harness import BROKER_LINES, IS_V5, IntegrationTest, missing_seqs, until


class GapTest(IntegrationTest):
    @classmethod
    def check_gaps(cls, events):
        told = {(e["boot_id"], e["seq"]): e["data"] for e in events
                if e["event_type"] == "gateway.gap"}
        errors = []
        for boot, missing in missing_seqs(events).items():
            gaps = [gap for (b, _), gap in told.items() if b == boot]
            if sum(gap["count"] for gap in gaps) != len(missing):
                errors.append(f"{len(missing)} events are missing, told are {gaps}")
            for seq in missing:
                if not any(gap["from_seq"] <= seq <= gap["to_seq"] for gap in gaps):
                    errors.append(f"seq {seq} is missing and in none of {gaps}")
        return errors


class Gap(GapTest):
    @classmethod
    def config(cls):
        config = super().config()
        config["limits"]["outbox_events"] = 64
        return config

    def test_gap_is_told(self):
        since = self.watcher.mark()
        run = self.ok("playlist/start", {"playlist": "burst"})["run"]
        self.watcher.event("burst.tick", since=since)
        self.break_broker(1.5)  # of the run's 2 s
        gap = self.watcher.event("gateway.gap", since=since)["data"]
        self.assertEqual(gap["reason"], "outbox_full")
        self.assertGreater(gap["count"], 0)
        self.watcher.event("event.playlist.stopped",
                           lambda e: e["data"]["playlist_id"] == run, since)
        self.emit("after.gap")
        self.watcher.event("after.gap", since=since)
        self.assertEqual(self.check_gaps(self.watcher.events()), [])
        until("the log's line", lambda: "the outbox is full (limits.outbox_events"
              in self.gateway.log())


@unittest.skipUnless(IS_V5, "MQTT 3.1.1 brokers do not report what is too large for them")
class TooLarge(GapTest):
    broker_lines = (*BROKER_LINES, "max_packet_size 4000")

    @classmethod
    def config(cls):
        config = super().config()
        config["playlists"]["large"] = {"steps": [{"emit": "large.one", "data": {"x": "x" * 4000}}]}
        return config

    def test_what_is_too_large_is_given_up_and_told(self):
        since = self.watcher.mark()
        run = self.ok("playlist/start", {"playlist": "large"})["run"]
        stopped = self.watcher.event("event.playlist.stopped",
                                     lambda e: e["data"]["playlist_id"] == run, since)
        # `created`, the step's event and `emitted` carry the data, and come in one wake.
        lost = {stopped["seq"] - n for n in (1, 2, 3)}

        def gaps():
            """One range or more: it depends on how soon the loop hears of each."""
            found = [e["data"] for e in self.watcher.events("gateway.gap", since)]
            named = {s for g in found for s in range(g["from_seq"], g["to_seq"] + 1)}
            return found if lost <= named else None
        found = self.watcher.wait("all that is lost is named", gaps)
        self.assertEqual({g["reason"] for g in found}, {"too_large"})
        self.assertEqual(sum(g["count"] for g in found), len(lost))
        self.emit("after.gap")
        self.watcher.event("after.gap", since=since)
        self.assertEqual(self.check_gaps(self.watcher.events()), [])


if __name__ == "__main__":
    unittest.main()
