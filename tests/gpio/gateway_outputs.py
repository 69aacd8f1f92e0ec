# SPDX-License-Identifier: Apache-2.0
"""The cases of test_gateway.py about outputs: lines of chip cuebus-c that the gateway drives, and one
of cuebus-b, which is removed and comes back.

While the gateway holds a line, the simulator reports its level (`value`). A released line falls to
its pull there, which a real board need not do; so the level at release is taken from the kernel's
trace of the calls that set it (`trace`).
"""

from harness import P

LAMP, VALVE, RELAY = ["cuebus-c", 0], ["cuebus-c", 1], ["cuebus-b", 2]

# The valve is on at a low line; safe, which is off, it is high.
CONFIG = {
    "lamp": {"driver": "gpio", "chip": "cuebus-c", "line": "LAMP", "on_event": "lamp.set",
             "value": "/on"},
    "valve": {"driver": "gpio", "chip": "cuebus-c", "line": "VALVE", "active": "low",
              "on_event": "valve.set"},
    "relay": {"driver": "gpio", "chip": "cuebus-b", "line": 2, "on_event": "relay.set",
              "safe_value": 1},
}


class OutputCases:
    """Mixed into GpioTest."""

    def lines(self):
        return self.do(["value", *LAMP], ["value", *VALVE], ["value", *RELAY])

    def set_by(self, event_type, data):
        """Emit, and wait until the event is out: its line was set before."""
        since = self.watcher.mark()
        self.emit(event_type, data)
        self.watcher.event(event_type, since=since)

    def unsafe(self):
        self.set_by("lamp.set", {"on": True})
        self.set_by("valve.set", True)
        self.set_by("relay.set", False)
        self.assertEqual(self.lines(), [1, 0, 0])

    def safe(self):
        self.set_by("lamp.set", {"on": False})
        self.set_by("valve.set", False)
        self.set_by("relay.set", True)
        self.assertEqual(self.lines(), [0, 1, 1])

    def outputs_health(self, what, condition, since):
        return self.watcher.message(what, lambda m: m.topic == P + "/health"
                                    and condition(m.json["outputs"]), since).json["outputs"]

    def test_an_event_sets_the_line(self):
        self.safe()
        self.unsafe()
        since = self.watcher.mark()
        told = self.outputs_health("levels", lambda o: o["levels"] == {"lamp": 1, "valve": 1, "relay": 0},
                           since)
        self.assertEqual(told["failed"], 0)
        self.set_by("lamp.set", {"off": 1})  # leads nowhere
        self.assertEqual(self.lines(), [1, 0, 0])
        self.safe()

    def restart_after(self, *operations):
        """Have the gateway end so, and start it again; the trace of the end and of the start."""
        since = self.watcher.mark()
        ended, = self.do(["trace"], *operations, ["trace"])[-1:]
        self.do(["start"])
        self.watcher.message("online", lambda m: m.topic == P + "/status"
                             and m.payload == b"online", since)
        return ended, self.do(["trace"])[0]

    def check_start(self, trace):
        """Each output's first word is its safe level, and it is before any input's."""
        first = {}
        for at, (chip, line, what) in enumerate(trace):
            first.setdefault((chip, line), (at, what))
        outputs = {tuple(LAMP): "set 0", tuple(VALVE): "set 1", tuple(RELAY): "set 1"}
        for line, safe in outputs.items():
            self.assertEqual(first[line][1], safe, trace)
        inputs = [at for line, (at, what) in first.items() if line not in outputs]
        self.assertEqual(len(inputs), 7, trace)
        self.assertLess(max(first[line][0] for line in outputs), min(inputs), trace)

    def test_sigterm_makes_them_safe(self):
        self.unsafe()
        ended, started = self.restart_after(["stop"])
        last = {(chip, line): what for chip, line, what in ended}
        self.assertEqual([last.get(tuple(line)) for line in (LAMP, VALVE, RELAY)],
                         ["set 0", "set 1", "set 1"], ended)
        self.check_start(started)
        self.assertEqual(self.lines(), [0, 1, 1])

    def test_after_kill_9_the_start_makes_them_safe(self):
        self.unsafe()
        ended, started = self.restart_after(["kill"])
        self.assertEqual(ended, [])  # no process was there to do it
        self.check_start(started)
        self.assertEqual(self.lines(), [0, 1, 1])
        since = self.watcher.mark()
        told = self.outputs_health("levels", lambda o: True, since)
        self.assertEqual(told["levels"], {"lamp": 0, "valve": 0, "relay": 1})

    def test_a_start_that_fails_leaves_them_safe(self):
        other = self.other_config()
        other["outputs"] = {
            "spare": {"driver": "gpio", "chip": "cuebus-c", "line": 2, "on_event": "x",
                      "safe_value": 1},
            "taken": dict(CONFIG["lamp"])}
        code, text = self.do(["trace"], ["run", other])[1]
        self.assertEqual(code, 69, text)
        self.assertIn('output "taken": line 0 "LAMP" of GPIO chip gpiochip2 [cuebus-c] is held by '
                      '"cuebus:it/lamp"', text)
        spare = [what for chip, line, what in self.do(["trace"])[0] if (chip, line) == ("cuebus-c", 2)]
        self.assertEqual(spare, ["set 1", "out", "set 1"])

    def test_a_reload_keeps_a_line_that_does_not_change(self):
        self.addCleanup(self.reload, {})
        self.unsafe()
        self.do(["trace"])
        self.reload({"valve": dict(CONFIG["valve"], value="/open")})
        self.assertEqual(self.lines(), [1, 1, 0])
        trace = self.do(["trace"])[0]
        self.assertEqual({(chip, line) for chip, line, _ in trace}, {tuple(VALVE)})
        self.set_by("valve.set", {"open": 1})
        self.assertEqual(self.lines(), [1, 0, 0])

    def test_output_whose_chip_goes_and_comes_back(self):
        self.unsafe()
        since = self.watcher.mark()
        self.do(["live", "cuebus-b", 0])
        # found though nothing sets it
        failed = self.watcher.event("gateway.output_failed", since=since)
        self.assertEqual(failed["data"], {"output": "relay",
                                          "error": "the line is gone: No such device"})
        told = self.outputs_health("failed", lambda o: o["failed"] == 1, since)
        self.assertIsNone(told["levels"]["relay"])
        self.set_by("relay.set", False)  # missed
        self.do(["live", "cuebus-b", 1])
        restored = self.watcher.event("gateway.output_restored", since=since)
        self.assertEqual(restored["data"]["output"], "relay")
        self.assertEqual(self.lines(), [1, 0, 1])
        self.watcher.event("input.restored", since=since)
        self.set_by("relay.set", False)
        self.assertEqual(self.lines(), [1, 0, 0])
        self.safe()
