# SPDX-License-Identifier: Apache-2.0
"""Nothing blocks the loop: while playlists start themselves without end, commands are answered,
inputs act, other playlists complete and SIGTERM stops the gateway.

The storm's own events are not bridged: it loads the loop, not the broker.
"""

import signal
import subprocess
import time
import unittest

from storm import SANITIZED, StormTest, metronome
from harness import P, SLOW, TIMEOUT_S, IntegrationTest, base_config, find_program, until

TICKS = 5


def storm_config(cls, steps, **more):
    config = base_config(cls.broker.port)
    config["gateway"]["health_interval"] = "100ms"
    config["mqtt"]["qos"] = {"z.*": "off", "event.*": "off"}
    config["inputs"] = {
        "estop": {"driver": "sim", "kind": "switch", "producer_id": 3, "event": "estop.changed"},
        "slow": {"driver": "sim", "kind": "button", "debounce": "30ms", "event": "slow.press",
                 "release_event": "slow.release"},
    }
    config["outputs"] = {"lamp": {"driver": "sim", "line": "l", "on_event": "lamp.set",
                                  "safe_value": 0}}
    config["gestures"] = {}
    config["playlists"] = {
        "storm": {"trigger": "z.z", "max_runs": 1000000, "steps": steps, **more},
        "metronome": metronome(TICKS),
    }
    return config


class Fair(StormTest):
    def acts(self, since):
        """Everything that must act acts."""
        self.ok("ping")
        self.ok("input/set", {"input": "estop", "value": 1})
        self.watcher.event("estop.changed", lambda e: e["data"]["state"] is True, since)
        for value in (1, 0):
            self.ok("input/set", {"input": "slow", "value": value})
            if value:
                press = self.watcher.event("slow.press", lambda e: True, since)
        release = self.watcher.event("slow.release", lambda e: True, since)
        # held_ms is the time between the events, whatever the loop's load.
        held_us = release["monotonic_us"] - press["monotonic_us"]
        self.assertEqual(release["data"]["held_ms"], held_us // 1000)
        self.emit("lamp.set", True)
        self.watcher.message("lamp", lambda m: m.topic == f"{P}/output/lamp"
                             or m.topic == f"{P}/health" and m.json["outputs"]["levels"]["lamp"] == 1,
                             since)
        self.ok("playlist/start", {"playlist": "metronome"})
        self.watcher.event("metronome.done", lambda e: True, since, timeout_s=8 * TIMEOUT_S)


class Instant(Fair):
    """Fifty steps that each start the playlist again, all at offset 0."""

    @classmethod
    def config(cls):
        return storm_config(cls, 50 * [{"emit": "z.z"}])

    def test_it_is_cut_and_everybody_else_acts(self):
        since = self.watcher.mark()
        before = self.health_after("health", lambda h: True, since)
        self.emit("z.z")
        self.acts(since)
        after = self.health_after(
            "the end of the storm", lambda h: h["bus"]["queue_refused"] > 0
            and h["playlists"]["completed"] == h["playlists"]["started"], since)
        # Limit of events that follow from one event before time passes; begun runs finish.
        followed = after["bus"]["events"] - before["bus"]["events"]
        self.assertLess(followed, 2 * 65536 + 10000)
        self.assertEqual(after["playlists"]["active_runs"], 0)


class Sustained(Fair):
    """Each run starts two more a millisecond later: as many as allowed, without end."""

    @classmethod
    def config(cls):
        config = storm_config(cls, 2 * [{"emit": "z.z", "offset": "1ms"}],
                              interrupts=[{"event": "estop.changed", "match": {"state": False}}])
        if SANITIZED or SLOW >= 4:
            config["limits"]["active_runs"] = 20000
        return config

    def overload(self, since):
        """Wait until there is more work than the loop can do."""
        self.emit("z.z")
        self.health_after("overload", lambda h: h["loop"]["overdue_us"] > 20000
                          and h["loop"]["unfinished"] > 0, since)

    def test_a_everybody_acts_and_the_emergency_stop_ends_it(self):
        since = self.watcher.mark()
        self.overload(since)
        self.acts(since)
        busy = self.health_after("health", lambda h: True, self.watcher.mark())
        self.assertGreater(busy["playlists"]["active_runs"], 0)
        self.assertGreater(busy["loop"]["overtaken"], 0)
        since = self.watcher.mark()
        self.ok("input/set", {"input": "estop", "value": 0})
        self.watcher.event("estop.changed", lambda e: e["data"]["state"] is False, since)
        self.health_after("the end of the storm", lambda h: h["playlists"]["active_runs"] == 0
                          and h["loop"]["overdue_us"] == 0, since)
        steps = self.health_after("health", lambda h: True, self.watcher.mark())["playlists"]
        self.assertGreater(steps["interrupted"], 0)
        self.ok("ping")

    def test_b_sighup_reloads_in_the_middle(self):
        since = self.watcher.mark()
        self.overload(since)
        self.gateway.signal(signal.SIGHUP)
        self.watcher.message("reloaded", lambda m: "configuration reloaded" in self.gateway.log(),
                             since)
        self.ok("ping")

    def test_c_sigterm_stops_it(self):
        since = self.watcher.mark()
        self.overload(since)
        self.gateway.stop()  # waits; the exit code is 0
        self.watcher.message("offline", lambda m: m.topic == f"{P}/status"
                             and m.payload == b"offline", since)
        self.start_gateway()


class Flood(StormTest):
    """More emits than limits.emits_per_second."""

    EMITS = 40000

    @classmethod
    def config(cls):
        config = base_config(cls.broker.port, cls.state_dir)
        config["gateway"]["health_interval"] = "200ms"
        config["mqtt"]["qos"] = {"z.*": "off"}
        config["limits"]["emits_per_second"] = 500
        return config

    def test_commands_are_answered_and_the_rest_is_limited(self):
        since = self.watcher.mark()
        lines = self.directory / "lines"
        lines.write_text("1\n" * self.EMITS)
        with open(lines, "rb") as file:
            flood = subprocess.Popen(
                [find_program("mosquitto_pub"), "-h", "127.0.0.1", "-p", str(self.broker.port),
                 "-t", f"{P}/emit/z/z", "-q", "0", "-l"], stdin=file)
        while flood.poll() is None:
            self.ok("ping")
        self.ok("ping")
        refused = self.watcher.event("gateway.refused", lambda e: True, since)["data"]
        self.assertEqual((refused["topic"], refused["code"]), (f"{P}/emit/z/z", "limit"))
        self.assertIn("limits.emits_per_second", refused["message"])
        health = self.health_after("what was limited", lambda h: h["commands"]["emits_limited"] > 0,
                                   since)
        self.assertEqual(health["commands"]["rate_limited"], 0)
        self.assertEqual(health["mqtt"]["inbox_dropped"], health["mqtt"]["inbox_dropped_emits"])

        def accepted():
            self.emit("flood.over", 1)
            return self.watcher.events("flood.over")
        # The broker may still have some of it, over which the next test's fence would be refused.
        until("the end of the flood", accepted, process=self.gateway.process)

    def test_event_emit_shares_the_limit(self):
        def over():
            # All at once: what the gateway has taken is soon regained.
            for _ in range(3000):
                self.control.publish(f"{P}/emit/z/z", b"1", qos=0, wait=False)
            return self.control.request("event/emit", {"event_type": "z.z"})
        deadline = time.monotonic() + 8 * TIMEOUT_S
        while (reply := over())["ok"]:
            self.assertLess(time.monotonic(), deadline, "it was never over the limit")
        self.assertEqual(reply["error"]["code"], "limit")
        self.assertIn("limits.emits_per_second", reply["error"]["message"])


class Rates(IntegrationTest):
    def test_steps_that_are_too_fast_are_refused(self):
        definition = {"steps": [{"emit": "z.z", "repeat": 1000000000, "interval": "1us"}]}
        error = self.fails("invalid_request", "playlist/define",
                           {"name": "fast", "definition": definition},
                           "/definition/steps/0/interval")
        self.assertIn("limits.shortest_interval", error["message"])
        self.fails("not_found", "playlist/start", {"playlist": "fast"})


class Hangup(IntegrationTest):
    """SIGHUP ends a process that neither handles nor blocks it."""

    def masks(self):
        """Whether SIGHUP can do no harm, and whether the service has begun; None when it is over."""
        try:
            with open(f"/proc/{self.gateway.process.pid}/status") as file:
                status = dict(line.split(":", 1) for line in file)
        except (FileNotFoundError, ProcessLookupError):
            return None
        if "SigBlk" not in status or status["State"].strip().startswith("Z"):
            return None
        blocked, ignored, caught = (int(status[k], 16) for k in ("SigBlk", "SigIgn", "SigCgt"))
        begun = ignored >> (signal.SIGPIPE - 1) & 1
        return bool((blocked | ignored | caught) >> (signal.SIGHUP - 1) & 1), bool(begun)

    def is_safe_until(self, over):
        """Each look finds it so; where it does, the signal is really sent."""
        looks, deadline = 0, time.monotonic() + 8 * TIMEOUT_S
        while not over():
            self.assertLess(time.monotonic(), deadline)
            masks = self.masks()
            if masks is None:
                break
            if not masks[1]:
                continue
            self.assertTrue(masks[0], "SIGHUP would end the gateway")
            looks += 1
            if looks < 100:
                self.gateway.signal(signal.SIGHUP)
        self.assertGreater(looks, 0)

    def test_during_the_stop_and_the_start(self):
        process = self.gateway.process
        process.terminate()
        self.is_safe_until(lambda: process.poll() is not None)
        self.gateway.wait()
        since = self.watcher.mark()
        self.gateway.start()
        self.is_safe_until(lambda: any(m.topic == f"{P}/status" and m.payload == b"online"
                                       for m in self.watcher.messages[since:]))
        self.ok("ping")


del Fair, StormTest, IntegrationTest

if __name__ == "__main__":
    unittest.main()
