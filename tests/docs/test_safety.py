#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The promises of the README's tour and of the example safety-stop about their emergency stop.

Random button presses, stops and readings run through `cuebus simulate`. After the last event of
every instant: while the stop is pushed, the outputs that it protects are off.
"""

import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/schema"))
sys.path.insert(0, str(ROOT / "tests"))
from cuebus_schemas import strict_loads  # noqa: E402
from time_limits import limit_s  # noqa: E402

CUEBUS = os.environ["CUEBUS"]
SEEDS = range(60)
TIMEOUT = limit_s(60)


def tour():
    """The configuration of the README."""
    text = (ROOT / "README.md").read_text("utf-8")
    return next(block for block in re.findall(r"```jsonc\n(.*?)```", text, re.S)
                if '"gateway"' in block)


def simulate(config, trace):
    with tempfile.TemporaryDirectory() as folder:
        files = pathlib.Path(folder, "c.jsonc"), pathlib.Path(folder, "t.trace")
        files[0].write_text(config, "utf-8")
        files[1].write_text(trace, "utf-8")
        result = subprocess.run([CUEBUS, "simulate", files[0], "--input", files[1]],
                                capture_output=True, timeout=TIMEOUT)
    if result.returncode != 0 or result.stderr:
        raise AssertionError(f"{result}\n{trace}")
    return [strict_loads(line) for line in result.stdout.decode().splitlines()]


def random_trace(seed, buttons, readings):
    """Presses in a hurry, the stop in between, edges of bounce."""
    rng, now, lines = random.Random(seed), 0.0, []
    for _ in range(60):
        now += rng.choice((0.001, 0.004, 0.03, 0.2, 0.45, 2, 11, 40))
        what = rng.random()
        if what < 0.3:
            lines.append((now, f'input.set {{"input":"estop","value":{rng.randrange(2)}}}'))
        elif what < 0.4 and readings:
            lines.append((now, rng.choice(readings)))
        else:
            button = rng.choice(buttons)
            for k in range(rng.choice((2, 4))):
                lines.append((now + 0.1 * k,
                              f'input.set {{"input":"{button}","value":{1 - k % 2}}}'))
            now = lines[-1][0]
    return "".join(f"{at:.6f} {entry}\n" for at, entry in lines)


class Safety(unittest.TestCase):
    def hold(self, config, buttons, readings, is_off):
        """Whether it was ever on, and stopped while it was."""
        was_on = stopped_while_on = 0
        for seed in SEEDS:
            trace = random_trace(seed, buttons, readings)
            pushed, on = False, False
            found = simulate(config, trace)
            for event, following in zip(found, found[1:] + [{"monotonic_us": None}]):
                if event["event_type"] == "estop.changed":
                    pushed = event["data"]["state"]
                    stopped_while_on += pushed and on
                off = is_off(event)
                if off is not None:
                    on = not off
                    was_on += on
                # A debounced edge is dispatched later than its own time says.
                if following["monotonic_us"] != event["monotonic_us"] and pushed:
                    settled = on and event["event_type"] != "estop.changed"
                    self.assertFalse(settled, f"seed {seed}: on while pushed, after {event}\n{trace}")
            self.assertFalse(pushed and on, f"seed {seed}: on at the end\n{trace}")
        self.assertGreater(was_on, len(SEEDS))
        self.assertGreater(stopped_while_on, 10)

    def test_the_lamp_of_the_readme(self):
        def is_off(event):
            return not event["data"]["on"] if event["event_type"] == "lamp.set" else None
        self.hold(tour(), ["doorbell"], [], is_off)

    def test_the_belt_of_the_example(self):
        def is_off(event):
            return event["data"]["kmh"] == 0 if event["event_type"] == "belt.speed" else None
        self.hold((ROOT / "docs/examples/safety-stop.jsonc").read_text("utf-8"), ["start"],
                  ['strap.contact producer=4 {"state":true}',
                   'strap.heart_rate producer=4 {"bpm":150}',
                   'strap.heart_rate producer=4 {"bpm":190}'], is_off)

    def test_the_case_that_failed(self):
        """The stop is pushed while the lamp is on; then a double tap."""
        found = simulate(tour(), """
            1.0 input.set {"input":"doorbell","value":1}
            1.1 input.set {"input":"doorbell","value":0}
            1.3 input.set {"input":"doorbell","value":1}
            1.4 input.set {"input":"doorbell","value":0}
            3.0 input.set {"input":"estop","value":1}
            4.0 input.set {"input":"doorbell","value":1}
            4.1 input.set {"input":"doorbell","value":0}
            4.3 input.set {"input":"doorbell","value":1}
            4.4 input.set {"input":"doorbell","value":0}
            """)
        lamp = [(e["monotonic_us"] // 1000, e["data"]["on"]) for e in found
                if e["event_type"] == "lamp.set"]
        self.assertEqual([on for _, on in lamp], [True, False])
        self.assertEqual(lamp[1][0], 3005)
        self.assertEqual([e["event_type"] for e in found].count("button.double_tap"), 2)


if __name__ == "__main__":
    unittest.main()
