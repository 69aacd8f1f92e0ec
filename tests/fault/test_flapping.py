# SPDX-License-Identifier: Apache-2.0
"""A contact that flaps 10,000 times a second for ten seconds. With debounce it is one transition,
however long it takes; without, a gesture's cooldown holds its events back. Other runs keep their
times, and `P/health` reports the flapping while it lasts.

Once in real time, with an input that replays a trace, and once in virtual time, where everything
is exact. On a real line of a kernel: tests/gpio.
"""

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from storm import RSS_GROWTH_KIB, SANITIZED, SHARE, TICK_MS, StormTest, metronome, write_trace
from harness import CUEBUS, SLOW, base_config

PER_S = int(10000 * SHARE)
FLAP_S = 10
EDGES = PER_S * FLAP_S  # even: it ends at 0, where it began
# After the start; reading the trace may take as long. Were it longer, the
# beginning would come at once, and all that is asserted still holds.
BEGIN_S = 4
COOLDOWN_S = 2
TICKS = 1000 * FLAP_S // TICK_MS
LIMITS = {"queue_events": 10000, "outbox_events": 100000, "inbox_messages": 1000}


def definitions():
    return {
        "gestures": {"taps": {"type": "double_tap", "source": "raw.changed", "window": "1s",
                              "cooldown": f"{COOLDOWN_S}s", "emit": "taps.fired"}},
        "playlists": {"metronome": metronome(TICKS, trigger="taps.fired", mode="single")},
    }


def inputs(trace=None):
    source = {"driver": "replay", "file": str(trace)} if trace else {"driver": "sim"}
    return {"flap": dict(source, kind="button", debounce="20ms", producer_id=1,
                         event="flap.press", release_event="flap.release")}, \
           {"raw": dict(source, kind="switch", producer_id=2, event="raw.changed")}


class RealTime(StormTest):
    """Both at once, each with a trace of its own."""

    @classmethod
    def config(cls):
        config = base_config(cls.broker.port, cls.state_dir)
        config["mqtt"]["qos"] = {"raw.*": "off", "event.playlist.emitted": 0}
        config["limits"] = LIMITS
        config.update(definitions())
        config["inputs"] = {}
        for name, k in (("flap", 0), ("raw", 1)):
            trace = write_trace(cls.directory / f"{name}.trace", name, BEGIN_S, EDGES, PER_S)
            config["inputs"].update(inputs(trace)[k])
        return config

    def test_flapping(self):
        since, rss = 0, self.rss_kib()  # what the class has begun with counts
        # Reported while it lasts, although the line has not settled.
        during = self.health_after("bounces", lambda h: h["inputs"]["bounces"] > PER_S, since)
        after = self.health_after("all edges", lambda h: h["inputs"]["edges"] >= 2 * EDGES, since)
        run = self.watcher.event("event.playlist.created",
                                 lambda e: e["data"]["cause"] == "trigger", since)
        self.metronome_kept_time(run["data"]["playlist_id"], TICKS, since)
        grown = self.rss_kib() - rss
        settled = self.health_after("settled", lambda h: h["inputs"]["bounces"] >= EDGES, since)
        self.ok("playlist/stop", {"all": True})
        self.is_bounded(since, LIMITS)
        self.print_rates(since, "inputs", "edges", "edges of two inputs")
        print(f"\n  {2 * EDGES} edges: {settled['inputs']['bounces']} bounces, "
              f"{after['gestures']['cooled_down']} taps cooled down; RSS grew by {grown} KiB",
              file=sys.stderr)
        self.assertEqual(after["inputs"]["edges"], 2 * EDGES)
        self.assertEqual(settled["inputs"]["bounces"], EDGES)
        self.assertLessEqual(during["inputs"]["bounces"], EDGES)
        self.assertEqual((settled["inputs"]["gaps"], settled["inputs"]["failed"]), (0, 0))
        self.assertEqual(self.watcher.events("flap.press", since), [])
        self.assertEqual(self.watcher.events("flap.release", since), [])
        fired = [e["monotonic_us"] for e in self.watcher.events("taps.fired", since)]
        # The level at the start may be the first tap of all.
        self.assertIn(len(fired), (FLAP_S // COOLDOWN_S, FLAP_S // COOLDOWN_S + 1))
        for a, b in zip(fired, fired[1:]):
            self.assertGreaterEqual(b - a, COOLDOWN_S * 1_000_000)
        if not SANITIZED:
            self.assertLess(grown, RSS_GROWTH_KIB)


class VirtualTime(unittest.TestCase):
    """`cuebus simulate`: to the edge and to the byte."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="cuebus-flap-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        flap, raw = inputs()
        config = {"version": 1, "gateway": {"id": "flap"}, "inputs": {**flap, **raw},
                  "mqtt": {"qos": {"raw.*": "off"}}, **definitions()}
        (cls.folder / "cuebus.json").write_text(json.dumps(config))

    def simulate(self, trace):
        return subprocess.run(
            [CUEBUS, "simulate", str(self.folder / "cuebus.json"), "--input", str(trace),
             "--until", f"{FLAP_S + 2}s"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=120 * SLOW, check=True).stdout

    def events(self, text, event_type):
        return [e for e in map(json.loads, text.splitlines()) if e["event_type"] == event_type]

    def test_debounced_it_is_nothing_when_it_ends_where_it_began(self):
        trace = write_trace(self.folder / "even.trace", "flap", 1, EDGES, PER_S)
        text = self.simulate(trace)
        self.assertEqual(self.events(text, "flap.press"), [])
        self.assertEqual(self.events(text, "flap.release"), [])

    def test_debounced_it_is_one_press_dated_by_its_first_edge(self):
        trace = write_trace(self.folder / "odd.trace", "flap", 1, EDGES - 1, PER_S)
        text = self.simulate(trace)
        press, = self.events(text, "flap.press")
        self.assertEqual(press["monotonic_us"], 1_000_000)
        self.assertEqual(self.events(text, "flap.release"), [])

    def test_undebounced_it_is_held_by_the_cooldown(self):
        trace = write_trace(self.folder / "raw.trace", "raw", 1, EDGES, PER_S)
        text = self.simulate(trace)
        self.assertEqual(text, self.simulate(trace), "not the same twice")
        step_us = 1_000_000 // PER_S
        taps = [e["monotonic_us"] for e in self.events(text, "taps.fired")]
        self.assertEqual(len(taps), FLAP_S // COOLDOWN_S)
        for k, at_us in enumerate(taps):
            # The first pair that is complete when the cooldown is over.
            self.assertGreaterEqual(at_us, 1_000_000 + k * COOLDOWN_S * 1_000_000)
            self.assertLessEqual(at_us, 1_000_000 + k * COOLDOWN_S * 1_000_000 + 2 * step_us * (k + 1))
        ticks = self.events(text, "metronome.tick")
        self.assertEqual([t["monotonic_us"] - ticks[0]["monotonic_us"] for t in ticks[:TICKS]],
                         [k * TICK_MS * 1000 for k in range(TICKS)])


if __name__ == "__main__":
    unittest.main()
