# SPDX-License-Identifier: Apache-2.0
"""Every expected line of the golden traces is valid by schemas/: a trace can't accept an event or a
reply that the contract forbids."""

import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "schema"))

from cuebus_schemas import Registry, strict_loads  # noqa: E402

REGISTRY = Registry()


def expected_lines(path):
    head, blank, rest = path.read_text("utf-8").partition("\n\n")
    assert blank, path
    first = head.count("\n") + 3
    return [(first + i, line) for i, line in enumerate(rest.splitlines())]


def data_schema(event):
    """The schema of an event's data, by its type or by what it shows itself to be; None: free."""
    name = event["event_type"]
    data = event["data"]
    if name in REGISTRY.schemas:
        return name
    if name.startswith(("event.", "gateway.", "input.", "gesture.")):
        raise AssertionError(f"{name} is reserved and has no schema")
    if not isinstance(data, dict):
        return None
    if event["cause_seq"] is None and "input" not in data:
        return None  # from outside: its data is free, whatever it looks like
    if "virtual_peripheral" in data:
        if "sequence" in data:
            return "gesture.sequence"
        if "click" in data:
            return "gesture.click"
        if "events" not in data:
            return "gesture.mirror"
        return "gesture.simultaneous" if event["producer_id"] == 0 and name == "sensor.combo" else "gesture.taps"
    if "playlist_id" in data and "definition_id" in data:
        return "completion"
    if "input" in data:
        for key, kind in (("pressed", "button"), ("state", "switch"), ("delta", "rotary"), ("count", "counter")):
            if key in data:
                return f"input.{kind}"
    return None


class Golden(unittest.TestCase):
    def test_every_line(self):
        counts = {}
        for path in sorted(HERE.glob("*.trace")):
            seq = 0
            for number, line in expected_lines(path):
                place = f"{path.name}:{number}"
                if line.startswith("@ "):
                    continue
                if line.startswith("# reply "):
                    _, _, command, text = line.split(" ", 3)
                    reply = strict_loads(text)
                    schema = "reply." + command.replace("/", ".") if reply["ok"] else "reply.error"
                    self.assertEqual(REGISTRY.errors(schema, reply), [], place)
                    counts[schema] = counts.get(schema, 0) + 1
                    continue
                event = strict_loads(line)
                self.assertEqual(REGISTRY.errors("envelope", event), [], place)
                self.assertEqual(
                    list(event),
                    ["event_type", "producer_id", "timestamp", "data", "boot_id", "seq", "monotonic_us", "cause_seq"],
                    place,
                )
                seq += 1
                self.assertEqual(event["seq"], seq, f"{place}: seq has a gap")
                if event["cause_seq"] is not None:
                    self.assertLess(event["cause_seq"], seq, f"{place}: caused by what comes later")
                schema = data_schema(event)
                if schema:
                    self.assertEqual(REGISTRY.errors(schema, event["data"]), [], place)
                    counts[schema] = counts.get(schema, 0) + 1
        for needed in (
            "event.playlist.created", "event.playlist.emitted", "event.playlist.stopped", "event.playlist.rejected",
            "event.playlist.overdue", "completion", "gateway.cascade",
            "gateway.fault", "gesture.taps", "gesture.simultaneous",
            "gesture.sequence", "gesture.mirror", "input.button", "input.switch", "input.rotary", "input.counter",
            "reply.playlist.start", "reply.playlist.stop", "reply.playlist.define", "reply.error",
        ):
            self.assertIn(needed, counts, "no golden trace shows it")

    def test_exactly_one_stopped_for_each_created(self):
        for path in sorted(HERE.glob("*.trace")):
            open_runs, ended = set(), set()
            cut_short = "# until: " in path.read_text("utf-8")
            for number, line in expected_lines(path):
                if not line.startswith("{"):
                    continue
                event = strict_loads(line)
                if not event["event_type"].startswith("event.playlist."):
                    continue
                run = event["data"]["playlist_id"]
                place = f"{path.name}:{number}"
                if event["event_type"] == "event.playlist.created":
                    self.assertNotIn(run, open_runs | ended, place)
                    open_runs.add(run)
                elif event["event_type"] == "event.playlist.stopped":
                    self.assertNotIn(run, ended, place)
                    # The `created` of a run that a restart aborts was before the restart.
                    if path.name != "restart_aborts_a_run.trace":
                        self.assertIn(run, open_runs, place)
                    open_runs.discard(run)
                    ended.add(run)
                elif event["event_type"] == "event.playlist.emitted":
                    self.assertIn(run, open_runs, f"{place}: emitted by a run that has stopped")
            if not cut_short:
                self.assertEqual(open_runs, set(), f"{path.name}: runs without an end")


if __name__ == "__main__":
    unittest.main()
