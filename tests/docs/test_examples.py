# SPDX-License-Identifier: Apache-2.0
"""docs/examples: `check` finds nothing, `simulate` prints the text that is checked in, and that
text shows what the example promises.

CUEBUS_UPDATE=1 rewrites the .expected files; read the difference.
"""

import os
import pathlib
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "docs" / "examples"
CUEBUS = os.environ["CUEBUS"]

sys.path.insert(0, str(ROOT / "tests" / "schema"))
from cuebus_schemas import Registry, strict_loads  # noqa: E402

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from time_limits import limit_s  # noqa: E402

NAMES = ["color-cycle", "first-button", "konami", "notification-banner", "safety-stop", "sensor-burst"]


def run(*args):
    return subprocess.run([CUEBUS, *map(str, args)], capture_output=True, timeout=limit_s(60),
                          stdin=subprocess.DEVNULL)


def simulate(name):
    result = run("simulate", EXAMPLES / f"{name}.jsonc", "--input", EXAMPLES / f"{name}.trace")
    if result.returncode != 0 or result.stderr:
        raise AssertionError(f"simulate {name}: {result}")
    return result.stdout


def events(name):
    return [strict_loads(line) for line in simulate(name).decode().splitlines()]


def stops(found):
    return [(e["data"]["playlist_name"], e["data"]["reason"]) for e in found
            if e["event_type"] == "event.playlist.stopped"]


def types(found):
    return [e["event_type"] for e in found]


class Examples(unittest.TestCase):
    maxDiff = None

    def test_all_are_here(self):
        self.assertEqual(sorted(p.stem for p in EXAMPLES.glob("*.jsonc")), NAMES)

    def test_check_finds_nothing(self):
        for name in NAMES:
            with self.subTest(name):
                result = run("check", EXAMPLES / f"{name}.jsonc")
                self.assertEqual(result.returncode, 0, result)
                self.assertEqual(result.stdout, b"")

    def test_simulate_gives_what_is_expected(self):
        for name in NAMES:
            with self.subTest(name):
                expected = EXAMPLES / f"{name}.expected"
                output = simulate(name)
                if os.environ.get("CUEBUS_UPDATE"):
                    expected.write_bytes(output)
                self.assertEqual(output.decode().splitlines(),
                                 expected.read_text("utf-8").splitlines())

    def test_output_is_by_the_schemas(self):
        registry = Registry()
        for name in NAMES:
            for event in events(name):
                self.assertEqual(registry.errors("envelope", event), [], name)

    def test_timeline_is_drawn(self):
        for name in NAMES:
            with self.subTest(name):
                result = run("simulate", EXAMPLES / f"{name}.jsonc", "--input",
                             EXAMPLES / f"{name}.trace", "--timeline")
                self.assertEqual(result.returncode, 0, result)
                self.assertIn(b"runs: [ start", result.stdout)

    def test_color_cycle(self):
        found = events("color-cycle")
        self.assertEqual(stops(found), [("color.cycle", "cancelled"),
                                        ("color.cycle", "interrupted")])
        created = [e for e in found if e["event_type"] == "event.playlist.created"]
        self.assertEqual(created[0]["data"]["expected_duration"], 59)
        self.assertEqual(created[0]["data"]["steps"][0]["repeat"], 60)
        self.assertEqual(types(found)[-1], "color.stop")  # the redundant one led to nothing

    def test_first_button(self):
        found = events("first-button")
        self.assertEqual([(e["monotonic_us"] // 1000, e["data"]["on"]) for e in found
                          if e["event_type"] == "led.set"], [(2320, True), (3620, True), (6620, False)])
        self.assertEqual(stops(found), [("light", "cancelled"), ("light", "completed")])
        shown = (ROOT / "docs" / "install.md").read_text("utf-8").split("```jsonc\n")[1].split("```")[0]
        text = (EXAMPLES / "first-button.jsonc").read_text("utf-8")
        self.assertEqual(shown, text[text.index("{\n"):], "docs/install.md shows another one")

    def test_sensor_burst(self):
        found = events("sensor-burst")
        self.assertEqual(types(found).count("probe.double_tap"), 2)
        self.assertEqual(types(found).count("event.playlist.rejected"), 1)
        self.assertEqual(types(found).count("sensor.sample"), 40)
        self.assertEqual(types(found)[-1], "sensor.burst.complete")

    def test_notification_banner(self):
        found = events("notification-banner")
        self.assertEqual(stops(found), [("banner", "completed"), ("banner", "completed"),
                                        ("banner.alarm", "interrupted")])
        self.assertEqual(types(found).count("notify"), 4)
        self.assertEqual(types(found).count("banner.request"), 3)

    def test_safety_stop(self):
        found = events("safety-stop")
        self.assertEqual(stops(found), [
            ("warm.up", "interrupted"), ("belt.stop", "completed"), ("warm.up", "completed"),
            ("intervals", "interrupted"), ("belt.stop", "completed"), ("siren", "completed"),
            ("warm.up", "interrupted"), ("belt.stop", "completed"), ("siren", "completed")])
        by_heart = [e for e in found if e["event_type"] == "event.playlist.stopped"][0]
        self.assertEqual(by_heart["data"]["interrupt_event"]["data"]["bpm"], 185)

    def test_konami(self):
        found = events("konami")
        self.assertEqual(types(found).count("konami.activated"), 1)
        event = found[types(found).index("konami.activated")]
        self.assertEqual([e["data"]["code"] for e in event["data"]["sequence"]],
                         "up up down down left right left right b a".split())
        self.assertEqual(types(found).count("lives.add"), 5)


if __name__ == "__main__":
    unittest.main()
