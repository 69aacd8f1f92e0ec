# SPDX-License-Identifier: Apache-2.0
"""Shared by the tests of storms: traces of many edges, a metronome that must keep its times, and
the checks of `P/health` and /proc meanwhile."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from harness import CUEBUS, P, SLOW, IntegrationTest  # noqa: E402

SANITIZED = "san" in CUEBUS
# The load that a sanitizer's build can handle.
SHARE = 0.1 if SANITIZED or SLOW >= 4 else 1
TICK_MS = 20
# Allocators keep some, and what waits for the broker is bounded elsewhere.
RSS_GROWTH_KIB = 64 * 1024


def write_trace(path, name, begin_s, edges, per_s, first_s=None):
    """So many edges of one input, up first, evenly spaced; two more before at first_s."""
    up, down = (f' input.set {{"input":"{name}","value":{v}}}\n' for v in (1, 0))
    with open(path, "w") as file:
        if first_s is not None:
            file.write(f"{first_s:.6f}{up}{first_s + 1 / per_s:.6f}{down}")
        for k in range(edges):
            file.write(f"{begin_s + k / per_s:.6f}{down if k % 2 else up}")
    return path


def metronome(ticks, **more):
    return {"max_runs": 4, "completion": "metronome.done", "steps": [
        {"emit": "metronome.tick", "repeat": ticks, "interval": f"{TICK_MS}ms"}], **more}


class StormTest(IntegrationTest):
    def health_after(self, what, condition, since):
        """The first health report for which it holds; all reports are checked anyway."""
        return self.watcher.message(what, lambda m: m.topic == f"{P}/health" and condition(m.json),
                                    since, timeout_s=4 * 30 * SLOW).json

    def healths(self, since):
        return [m.json for m in self.watcher.messages[since:] if m.topic == f"{P}/health"]

    def rss_kib(self):
        status = pathlib.Path(f"/proc/{self.gateway.process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])

    def metronome_kept_time(self, run, ticks, since):
        """Every occurrence in order at its exact time; how late they were is printed."""
        stopped = self.watcher.event("event.playlist.stopped",
                                     lambda e: e["data"]["playlist_id"] == run, since,
                                     timeout_s=4 * 30 * SLOW)["data"]
        self.assertEqual((stopped["reason"], stopped["emitted_count"]), ("completed", ticks))
        self.assertNotIn("skipped_count", stopped)
        emitted = [e for e in self.watcher.events("event.playlist.emitted", since)
                   if e["data"]["playlist_id"] == run]
        self.assertEqual([e["data"]["repeat_index"] for e in emitted], list(range(ticks)),
                         self.gateway.log())
        start_us = emitted[0]["monotonic_us"]
        for k, event in enumerate(emitted):
            self.assertEqual(event["data"]["offset"], round(k * TICK_MS / 1000, 6))
            self.assertAlmostEqual(event["monotonic_us"] - start_us, k * TICK_MS * 1000, delta=1)
            self.assertGreaterEqual(event["data"]["late_us"], 0)
        late = sorted(e["data"]["late_us"] for e in emitted)
        print("\n  metronome: late_us " + ", ".join(
            f"{name} {late[min(ticks - 1, int(ticks * share))]}" for name, share in
            (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("max", 1))), file=sys.stderr)

    def is_bounded(self, since, limits):
        """No queue was ever longer than its limit, and no process failed."""
        for health in self.healths(since):
            bus, outbox, mqtt = health["bus"], health["outbox"], health["mqtt"]
            self.assertLessEqual(bus["queue_peak"], limits["queue_events"])
            self.assertLessEqual(outbox["peak_events"], limits["outbox_events"])
            # Each of its two lanes has the limit.
            self.assertLessEqual(mqtt["inbox_peak"], 2 * limits["inbox_messages"])
            self.assertEqual(bus["handler_failures"], 0)
            self.assertEqual(bus["queue_refused"], 0)
            self.assertEqual(outbox["dropped"], 0)
            self.assertEqual(mqtt["disconnects"], 0, self.gateway.log())
        for word in ("Sanitizer", "runtime error", "a handler failed"):
            self.assertNotIn(word, self.gateway.log())

    def print_rates(self, since, section, key, what):
        """As counted between two health reports, by their own times."""
        from wall_clock import wall_s
        reports = [(wall_s(h["timestamp"]), h[section][key]) for h in self.healths(since)]
        rates = sorted((b[1] - a[1]) / (b[0] - a[0]) for a, b in zip(reports, reports[1:])
                       if b[0] > a[0] and b[1] > a[1])
        if rates:
            print(f"\n  {what}/s between health reports: median {rates[len(rates) // 2]:.0f}, "
                  f"max {rates[-1]:.0f}", file=sys.stderr)
