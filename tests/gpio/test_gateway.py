# SPDX-License-Identifier: Apache-2.0
"""From a line of the kernel to a message at the broker: cuebus runs in the guest, on the real driver
and gpio-sim; the broker and this test run on the host.

Environment: CUEBUS (the binary, run in the guest), GPIO_VM (scripts/gpio-vm). Exit status 77 where
the VM can't run. All messages are checked against the schemas, for gaps in seq and for events of a
run after its `stopped`, as in tests/integration.
"""

import json
import sys

from guest_gateway import HOST, AgentUser, GuestGateway, main  # first: it finds the others

import gateway_outputs  # noqa: E402
from harness import GATEWAY_ID, P, IntegrationTest  # noqa: E402
from wall_clock import offset_s  # noqa: E402

FLAPS = 10000

# Windows are wide against what a busy host may hold the guest up in between.
# Quadrature of one detent, line A leading: (line, level).
FORWARD = [("DIAL_A", 1), ("DIAL_B", 1), ("DIAL_A", 0), ("DIAL_B", 0)]
BACKWARD = [("DIAL_B", 1), ("DIAL_A", 1), ("DIAL_B", 0), ("DIAL_A", 0)]


def gpio_input(line, kind, event, **more):
    return {"driver": "gpio", "chip": "cuebus-a", "line": line, "kind": kind, "event": event, **more}


def config(port):
    return {
        "version": 1,
        "gateway": {"id": GATEWAY_ID, "state_dir": "/run/state", "health_interval": "500ms"},
        "mqtt": {"url": f"mqtt://{HOST}:{port}", "protocol": 5, "remote": {"cmd": "admin"}},
        "inputs": {
            "doorbell": gpio_input("DOORBELL", "button", "button.press", producer_id=1,
                                   debounce="5ms", release_event="button.release"),
            "dial": {"driver": "gpio", "chip": "cuebus-a", "lines": ["DIAL_A", "DIAL_B"],
                     "kind": "rotary", "producer_id": 2, "event": "dial.turned"},
            "estop": gpio_input("ESTOP", "switch", "estop.changed", producer_id=3, active="low",
                                bias="pull-up"),
            "bouncy": gpio_input("BOUNCY", "button", "bouncy.press", producer_id=4,
                                 debounce="200ms", release_event="bouncy.release"),
            "burst": gpio_input("BURST", "switch", "burst.changed", producer_id=5),
            "other": {"driver": "gpio", "chip": "cuebus-b", "line": "OTHER", "kind": "switch",
                      "producer_id": 6, "event": "other.changed"},
        },
        "outputs": dict(gateway_outputs.CONFIG),
        "gestures": {
            "button.double": {"type": "double_tap", "source": "button.press", "window": "800ms",
                              "emit": "button.double_tap", "metadata": {"gesture": "double"}},
            "burst.taps": {"type": "double_tap", "source": "burst.changed", "window": "1s",
                           "cooldown": "1h", "emit": "burst.tapped"},
        },
        "playlists": {
            "motor": {"trigger": "motor.start",
                      "interrupts": [{"event": "estop.changed", "match": {"state": True}}],
                      "steps": [{"emit": "motor.step", "repeat": 100000, "interval": "10ms"}]},
        },
    }


class GpioTest(AgentUser, gateway_outputs.OutputCases, IntegrationTest):
    @classmethod
    def start_gateway(cls):
        cls.gateway = GuestGateway(cls, json.dumps(config(cls.broker.port), indent=1),
                                   cls.broker.port)
        (cls.directory / "out").mkdir()
        cls.agent = cls.connect("agent-control").subscribe("agent/done")
        super().start_gateway()

    def press(self, line="DOORBELL", held_s=0.06, after_s=0.06):
        """Press and release; the times just before both, in guest microseconds."""
        down, _, up, _ = self.do(["set", line, 1], ["sleep", held_s], ["set", line, 0],
                                 ["sleep", after_s])
        return down, up

    def test_press_and_release(self):
        since = self.watcher.mark()
        down, up = self.press(held_s=0.1)
        press = self.watcher.event("button.press", since=since)
        release = self.watcher.event("button.release", since=since)
        self.assertEqual(press["data"], {"input": "doorbell", "pressed": True})
        self.assertEqual((press["producer_id"], release["producer_id"]), (1, 1))
        self.assertFalse(release["data"]["pressed"])
        # The kernel's time of the edge, which lies between the two writes, and
        # not the end of the debounce or the time of reading.
        self.assertGreaterEqual(press["monotonic_us"], down)
        self.assertGreaterEqual(release["monotonic_us"], up)
        self.assertLess(press["monotonic_us"], up)
        held_us = release["monotonic_us"] - press["monotonic_us"]
        self.assertAlmostEqual(release["data"]["held_ms"], held_us / 1000, delta=1)

    def test_two_presses_within_the_window_are_a_double_tap(self):
        since = self.watcher.mark()
        self.do(["sleep", 0.9])  # whatever was pressed before is out of the window
        self.do(["set", "DOORBELL", 1], ["sleep", 0.05], ["set", "DOORBELL", 0], ["sleep", 0.05],
                ["set", "DOORBELL", 1], ["sleep", 0.05], ["set", "DOORBELL", 0])
        tap = self.watcher.event("button.double_tap", since=since)
        presses = self.watcher.events("button.press", since)
        self.assertEqual(tap["producer_id"], 1)
        self.assertEqual(tap["data"]["virtual_peripheral"]["name"], "button.double")
        self.assertEqual(tap["data"]["virtual_peripheral"]["metadata"], {"gesture": "double"})
        self.assertEqual([e["timestamp"] for e in tap["data"]["events"]],
                         [p["timestamp"] for p in presses])
        self.assertEqual(tap["cause_seq"], presses[1]["seq"])

    def test_two_presses_too_far_apart_are_none(self):
        since = self.watcher.mark()
        self.do(["sleep", 0.9])
        self.press(after_s=0.9)
        self.press(after_s=0.9)
        self.emit("marker.apart")
        self.watcher.event("marker.apart", since=since)
        self.assertEqual(len(self.watcher.events("button.press", since)), 2)
        self.assertEqual(self.watcher.events("button.double_tap", since), [])

    def turn(self, detents):
        steps = FORWARD if detents > 0 else BACKWARD
        operations = []
        for _ in range(abs(detents)):
            for line, level in steps:
                operations += [["set", line, level], ["sleep", 0.004]]
        self.do(*operations)

    def test_rotary_turns(self):
        since = self.watcher.mark()
        self.turn(3)
        self.turn(-5)
        self.turn(1)
        self.watcher.wait("nine turns", lambda: len(self.watcher.events("dial.turned", since)) >= 9)
        turns = [(e["data"]["position"], e["data"]["delta"])
                 for e in self.watcher.events("dial.turned", since)]
        self.assertEqual(turns, [(1, 1), (2, 1), (3, 1), (2, -1), (1, -1), (0, -1), (-1, -1),
                                 (-2, -1), (-1, 1)])

    def test_emergency_stop_interrupts_a_running_playlist(self):
        initial = self.watcher.event("estop.changed", lambda e: e["data"].get("initial", False))
        self.assertEqual(initial["data"], {"input": "estop", "state": False, "initial": True})
        since = self.watcher.mark()
        self.emit("motor.start")
        self.watcher.wait("the motor runs", lambda: len(self.watcher.events("motor.step", since)) >= 3)
        down, = self.do(["set", "ESTOP", 0])  # active low
        changed = self.watcher.event("estop.changed", since=since)
        self.assertEqual(changed["data"], {"input": "estop", "state": True})
        stopped = self.watcher.event("event.playlist.stopped", since=since)
        self.assertEqual(stopped["data"]["reason"], "interrupted")
        self.assertEqual(stopped["data"]["interrupt_event"], {
            "event_type": "estop.changed", "producer_id": 3, "data": changed["data"]})
        self.assertEqual(stopped["cause_seq"], changed["seq"])
        # Nothing of the run after it, though it had steps every 10 ms.
        self.do(["sleep", 0.2], ["set", "ESTOP", 1])
        self.watcher.event("estop.changed", lambda e: not e["data"]["state"], since)
        late = [e for e in self.watcher.events(since=since)
                if e["seq"] > stopped["seq"] and e["event_type"] in ("motor.step",
                                                                     "event.playlist.emitted")]
        self.assertEqual(late, [])
        steps = self.watcher.events("motor.step", since)
        self.assertEqual(stopped["data"]["emitted_count"], len(steps))
        self.assertGreaterEqual(changed["monotonic_us"], down)

    def test_bounce_is_swallowed(self):
        since = self.watcher.mark()
        bounce = [["set", "BOUNCY", i % 2 == 0] for i in range(9)]
        spread = [op for one in bounce for op in (one, ["sleep", 0.001])]
        back = [["set", "BOUNCY", not one[2]] for one in bounce]
        spread_back = [op for one in back for op in (one, ["sleep", 0.001])]
        results = self.do(*spread, ["sleep", 0.4], *spread_back, ["sleep", 0.4])
        # a glitch: nothing at all
        self.do(["set", "BOUNCY", 1], ["sleep", 0.001], ["set", "BOUNCY", 0], ["sleep", 0.4])
        self.emit("marker.bounce")
        self.watcher.event("marker.bounce", since=since)
        presses = self.watcher.events("bouncy.press", since)
        releases = self.watcher.events("bouncy.release", since)
        self.assertEqual((len(presses), len(releases)), (1, 1))
        # dated by the first edge of nine, each at least 1 ms after the one before
        self.assertGreaterEqual(presses[0]["monotonic_us"], results[0])
        self.assertLess(presses[0]["monotonic_us"], results[2])

    def test_overrun_of_the_kernels_buffer_is_told(self):
        since = self.watcher.mark()
        self.do(["pause"], ["burst", "BURST", 301, 0.0005], ["go_on"])
        resync = self.watcher.event("input.resync", since=since)
        self.assertEqual((resync["producer_id"], resync["data"]["input"], resync["data"]["line"]),
                         (5, "burst", 0))
        # What waited in the kernel is fed before a message that came later; then
        # the truth of the line is out, whatever was lost.
        self.emit("marker.burst")
        self.watcher.event("marker.burst", since=since)
        self.assertTrue(self.watcher.events("burst.changed", since)[-1]["data"]["state"])
        view = self.watcher.message("the retained view", lambda m: m.topic == f"{P}/input/burst"
                                    and m.json["value"] and m.json["value"]["state"], since)
        self.assertTrue(view.retain)
        # and it goes on as before
        since = self.watcher.mark()
        self.do(["set", "BURST", 0])
        self.assertFalse(self.watcher.event("burst.changed", since=since)["data"]["state"])
        self.assertEqual(self.watcher.events("input.resync", since), [])

    def motor(self, since):
        """A run that must not notice what goes on; its ticks are checked by motor_ran()."""
        run = self.ok("playlist/start", {"playlist": "motor"})["run"]
        self.watcher.wait("the motor runs", lambda: self.watcher.events("motor.step", since))
        return run

    def motor_ran(self, run, since):
        self.ok("playlist/stop", {"run": run})
        stopped = self.watcher.event("event.playlist.stopped",
                                     lambda e: e["data"]["playlist_id"] == run, since)
        emitted = [e for e in self.watcher.events("event.playlist.emitted", since)
                   if e["data"]["playlist_id"] == run]
        self.assertEqual([e["data"]["repeat_index"] for e in emitted], list(range(len(emitted))))
        self.assertEqual(stopped["data"]["emitted_count"], len(emitted))
        for k, event in enumerate(emitted):
            self.assertEqual(event["data"]["offset"], round(k / 100, 6))
            self.assertAlmostEqual(event["monotonic_us"] - emitted[0]["monotonic_us"], k * 10000,
                                   delta=1)
        late = sorted(e["data"]["late_us"] for e in emitted)
        print(f"  {len(late)} steps; late_us p50 {late[len(late) // 2]}, max {late[-1]}",
              file=sys.stderr)

    def health(self, condition=lambda h: True):
        return self.watcher.message("health", lambda m: m.topic == f"{P}/health"
                                    and condition(m.json), self.watcher.mark()).json

    def test_flapping_line(self):
        """10,000 edges/s, as far as the guest can: debounced they are nothing but bounces,
        edges dropped by the kernel are reported, and a run keeps its times meanwhile."""
        since, before = self.watcher.mark(), self.health()["inputs"]
        run = self.motor(since)
        (took_us, longest_us), = self.do(["flap", "BOUNCY", FLAPS, 10000])
        self.motor_ran(run, since)
        self.do(["sleep", 0.4])
        after = self.health()["inputs"]
        edges, bounces, gaps = (after[k] - before[k] for k in ("edges", "bounces", "gaps"))
        print(f"  {FLAPS} edges at {FLAPS * 1e6 / took_us:.0f}/s, at most {longest_us} us apart: "
              f"{edges} read, {bounces} bounces, {gaps} gaps", file=sys.stderr)
        self.assertGreater(edges, 100)  # a busy host leaves the kernel's buffer full
        self.assertGreater(bounces, 0.9 * edges)
        self.assertLessEqual(bounces, edges)
        presses = self.watcher.events("bouncy.press", since)
        releases = self.watcher.events("bouncy.release", since)
        self.assertEqual(len(presses), len(releases))
        if longest_us < 200000:  # the debounce: it never settled
            self.assertEqual(presses, [])
        self.assertEqual(bool(gaps), bool(self.watcher.events("input.resync", since)))

    def test_flapping_line_without_debounce(self):
        """A gesture's cooldown holds it."""
        since, before = self.watcher.mark(), self.health()["gestures"]
        run = self.motor(since)
        self.do(["flap", "BURST", 1000, 10000])
        self.motor_ran(run, since)
        after = self.health()["gestures"]
        # Other tests move this line too.
        self.assertLessEqual(len(self.watcher.events("burst.tapped")), 1)
        self.assertGreater(after["cooled_down"] - before["cooled_down"], 10)

    def test_wall_clock_is_set(self):
        """The kernel's own: only `timestamp` moves."""
        since = self.watcher.mark()
        run, first = self.motor(since), self.marked()
        for by_s in (3600, -7200, 3600):
            before = self.marked()
            self.do(["set_clock", by_s])
            after = self.marked()
            self.assertAlmostEqual(offset_s(after) - offset_s(before), by_s, delta=5)
        self.assertAlmostEqual(offset_s(after), offset_s(first), delta=15)
        self.motor_ran(run, since)
        self.assertTrue(self.health()["mqtt"]["connected"])

    def marked(self):
        since = self.watcher.mark()
        self.emit("marker.clock")
        return self.watcher.event("marker.clock", since=since)

    def other_config(self):
        """Of a second gateway, which holds no line."""
        other = config(self.broker.port)
        other["gateway"] = {"id": "other"}
        other["inputs"] = other["outputs"] = other["playlists"] = other["gestures"] = {}
        return other

    def refused(self, line, chip="cuebus-a"):
        other = self.other_config()
        other["inputs"] = {"lever": gpio_input(line, "button", "button.press", chip=chip)}
        return self.do(["run", other])[0]

    def reload(self, outputs):
        """With these outputs changed."""
        changed = config(self.broker.port)
        changed["outputs"].update(outputs)
        (self.directory / "out" / "cuebus.json").write_text(json.dumps(changed, indent=1))
        self.ok("config/reload")

    def test_busy_line_is_named_with_its_holder(self):
        self.do(["hold", 7])
        code, text = self.refused("7")
        self.do(["release"])
        self.assertEqual(code, 69, text)
        for words in ('input "lever"', "line 7", "gpiochip0 [cuebus-a]", 'held by "gpiomon"',
                      "stop that program"):
            self.assertIn(words, text)
        code, text = self.refused("HELD")
        self.assertEqual(code, 69, text)
        self.assertIn('line 6 "HELD" of GPIO chip gpiochip0 [cuebus-a] is held by "kernel-hog"', text)

    def test_line_held_by_the_running_gateway(self):
        code, text = self.refused("DOORBELL")
        self.assertEqual(code, 69, text)
        self.assertIn(f'held by "cuebus:{GATEWAY_ID}/doorbell"', text)

    def test_missing_chip_and_line(self):
        code, text = self.refused("GPIO17", chip="pinctrl-bcm2711")
        self.assertEqual(code, 69, text)
        self.assertIn('no GPIO chip "pinctrl-bcm2711"; there are gpiochip0 [cuebus-a]', text)
        code, text = self.refused("GPIO17")
        self.assertEqual(code, 69, text)
        self.assertIn('gpiochip0 [cuebus-a] has no line "GPIO17"', text)

    def test_chip_that_goes_and_comes_back(self):
        since = self.watcher.mark()
        self.do(["live", "cuebus-b", 0])
        failed = self.watcher.event("input.failed", since=since)
        self.assertEqual((failed["producer_id"], failed["data"]["input"]), (6, "other"))
        self.do(["live", "cuebus-b", 1])
        restored = self.watcher.event("input.restored", since=since)
        self.assertEqual(restored["data"]["input"], "other")
        self.watcher.event("gateway.output_restored", since=since)  # the chip has one, too
        # the other inputs never noticed
        since = self.watcher.mark()
        self.press()
        self.watcher.event("button.press", since=since)


if __name__ == "__main__":
    main()
