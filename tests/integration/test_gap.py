# SPDX-License-Identifier: Apache-2.0
"""An outbox that is too small for the time without a broker: what was given up
is told, no more and no less."""

import unittest

from harness import IntegrationTest, missing_seqs


class Gap(IntegrationTest):
    @classmethod
    def config(cls):
        config = super().config()
        config["limits"]["outbox_events"] = 64
        return config

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


if __name__ == "__main__":
    unittest.main()
