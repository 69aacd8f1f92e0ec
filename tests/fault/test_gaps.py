# SPDX-License-Identifier: Apache-2.0
"""Dropped events are named across clean restarts and kill -9: for every seq that a consumer could
miss there is the event or a gap, even if the gateway ends before it could publish the gap."""

import json
import time
import unittest

from scripted_test import ScriptedTest
from harness import SLOW, P, until
from scripted_broker import SWALLOW, TAKE

STEPS = 400


class Gaps(ScriptedTest):
    def config_of_a_small_outbox(self):
        config = self.settings()
        config["limits"] = {"outbox_events": 32}
        config["playlists"] = {"flood": {"trigger": "go.go", "steps": [
            {"emit": "step.done", "offset": "10ms", "repeat": STEPS, "interval": "2ms"}]}}
        return config

    def flood_while_the_broker_is_away(self):
        self.emit("go.go")
        self.wait_event("step.done")
        self.broker.kill()
        # Nothing signals the end: wait until no more is written.
        log = self.directory / "state" / "outbox.db-wal"
        written = -1
        while written != log.stat().st_mtime_ns:
            written = log.stat().st_mtime_ns
            time.sleep(SLOW)

    def named(self):
        """Seqs of the first boot that a gap names."""
        gaps = [e["data"] for e in self.arrived("gateway.gap")]
        return {n for g in gaps if g.get("boot_id") == self.first
                for n in range(g["from_seq"], g["to_seq"] + 1)}

    def seen(self):
        events = [json.loads(p.payload) for p in self.broker.taken if p.topic.startswith(P + "/bus/")]
        return {e["seq"] for e in events if e["boot_id"] == self.first}

    def survives(self, end, starts_between):
        self.start_online(self.config_of_a_small_outbox())
        self.first = self.ask("ping")["result"]["boot_id"]
        self.flood_while_the_broker_is_away()
        arrived = self.seen()
        end()
        for _ in range(starts_between):
            self.gateway.start()
            self.log_has("no connection to the broker")
            end()
        since = len(self.broker.sessions)
        self.broker.start()
        self.gateway.start()
        self.online(since)
        self.emit("after.all")
        self.wait_event("after.all")
        self.wait("the gap", self.named)
        last = max(self.seen() | self.named())
        until("every seq is there or named",
              lambda: self.seen() | self.named() >= set(range(1, last + 1)),
              process=self.gateway.process)
        # An end before it was noted that they were acknowledged, and they may be given up later.
        self.assertLessEqual(self.seen() & self.named(), arrived)
        self.assertGreater(len(self.named()), 20)
        self.gateway.stop()

    def test_sigterm(self):
        self.survives(lambda: self.gateway.stop(), 0)

    def test_kill(self):
        self.survives(lambda: self.gateway.kill(), 0)

    def test_starts_without_a_broker(self):
        self.survives(lambda: self.gateway.kill(), 2)

    def test_a_stop_while_they_wait_for_room(self):
        """Without a folder the wire is the only place: room comes while the rest is sent."""
        config = self.config_of_a_small_outbox()
        del config["gateway"]["state_dir"]
        config["gateway"]["health_interval"] = "1s"  # then it logs that it gave up some
        held = []
        self.start_online(config)

        def hold(_, p):
            held.append(p)
            return SWALLOW
        self.broker.on_publish = hold
        for _ in range(STEPS):
            self.emit("some.news")
        self.log_has("given up")
        self.gateway.process.terminate()
        self.log_has("stopping")
        self.broker.on_publish = lambda session, p: TAKE
        for p in held:
            self.broker.session.do(TAKE, p)
        self.gateway.wait()
        if "without gateway.state_dir it is not sent" in self.gateway.log():
            return  # the time for it was up, which is said as well
        self.check_named()
        self.assertGreater(len(self.arrived("gateway.gap")), 0)


if __name__ == "__main__":
    unittest.main()
