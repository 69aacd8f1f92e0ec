# SPDX-License-Identifier: Apache-2.0
"""Events of inputs, gestures and playlists as they arrive over MQTT."""

import unittest

from harness import P, IntegrationTest


class Events(IntegrationTest):
    def start_and_stop(self, since):
        """The run that the color.cycle trigger started, until its `stopped`."""
        created = self.watcher.event("event.playlist.created", since=since)
        run = created["data"]["playlist_id"]
        stopped = self.watcher.event(
            "event.playlist.stopped", lambda e: e["data"]["playlist_id"] == run, since)
        return created, stopped

    def test_lifecycle_of_a_run(self):
        """Subscribed to the three lifecycle topics only, as a client would be."""
        client = self.connect()
        for verb in ("created", "emitted", "stopped"):
            client.subscribe(f"{P}/bus/event/playlist/{verb}")
        self.emit("start.sequence", {"by": "test"})
        created = client.event("event.playlist.created")["data"]
        stopped = client.event("event.playlist.stopped")["data"]
        self.assertEqual(created["playlist_name"], "color.cycle")
        self.assertEqual(created["playlist_metadata"], {"feature": "color"})
        self.assertEqual(created["trigger_event"], {
            "event_type": "start.sequence", "producer_id": 0, "data": {"by": "test"}})
        self.assertEqual(created["cause"], "trigger")
        self.assertEqual(created["expected_duration"], 0.04)
        self.assertEqual([s["event_type"] for s in created["steps"]], ["color.update", "horn.beep"])
        emitted = [e["data"] for e in client.events("event.playlist.emitted")]
        self.assertEqual(
            [(e["event_type"], e["step_index"], e["repeat_index"], e["offset"]) for e in emitted],
            [("color.update", 0, 0, 0), ("color.update", 0, 1, 0.02), ("horn.beep", 1, 0, 0.03),
             ("color.update", 0, 2, 0.04)])
        self.assertEqual((stopped["reason"], stopped["emitted_count"]), ("completed", 4))
        runs = {d["playlist_id"] for d in [created, stopped, *emitted]}
        self.assertEqual(len(runs), 1)

    def test_completion_follows_stopped(self):
        since = self.watcher.mark()
        self.emit("start.sequence")
        complete = self.watcher.event("color.cycle.complete", since=since)
        _, stopped = self.start_and_stop(since)
        self.assertGreater(complete["seq"], stopped["seq"])
        self.assertEqual(complete["data"]["playlist_id"], stopped["data"]["playlist_id"])

    def test_interrupt_carries_its_event(self):
        since = self.watcher.mark()
        self.emit("long.start")
        self.watcher.event("long.tick", since=since)
        self.emit("stop.sequence", {"why": "enough"})
        _, stopped = self.start_and_stop(since)
        self.assertEqual(stopped["data"]["reason"], "interrupted")
        self.assertEqual(stopped["data"]["interrupt_event"]["event_type"], "stop.sequence")
        self.assertEqual(stopped["data"]["interrupt_event"]["data"], {"why": "enough"})

    def test_interrupt_with_predicate(self):
        since = self.watcher.mark()
        self.ok("playlist/define", {"name": "guarded", "definition": {
            "interrupts": [{"event": "heart.rate", "match": {"bpm": {"gt": 180}}}],
            "steps": [{"emit": "guarded.tick", "repeat": 3600, "interval": "1s"}]}})
        self.ok("playlist/start", {"playlist": "guarded"})
        self.emit("heart.rate", {"bpm": 180})
        self.emit("heart.rate", {"bpm": 181})
        _, stopped = self.start_and_stop(since)
        self.assertEqual(stopped["data"]["interrupt_event"]["data"], {"bpm": 181})
        self.ok("playlist/remove", {"playlist": "guarded"})

    def test_cause_seq_leads_back(self):
        since = self.watcher.mark()
        self.emit("start.sequence")
        created, stopped = self.start_and_stop(since)
        by_seq = {e["seq"]: e for e in self.watcher.events()}
        self.assertEqual(by_seq[created["cause_seq"]]["event_type"], "start.sequence")
        self.assertIsNone(by_seq[created["cause_seq"]]["cause_seq"])
        emitted = self.watcher.event("event.playlist.emitted", since=since)
        self.assertEqual(by_seq[emitted["cause_seq"]]["event_type"], "color.update")

    def test_double_tap_of_a_sim_input(self):
        since = self.watcher.mark()
        for value in (1, 0, 1, 0):
            self.ok("input/set", {"input": "pad", "value": value})
        event = self.watcher.event("button.double_tap", since=since)
        self.assertEqual(event["producer_id"], 7)
        self.assertEqual(event["data"]["virtual_peripheral"]["name"], "button.double")
        self.assertEqual(event["data"]["virtual_peripheral"]["metadata"], {"gesture": "double"})
        self.assertEqual([e["data"] for e in event["data"]["events"]],
                         [{"input": "pad", "pressed": True, "code": "up"}] * 2)
        release = self.watcher.event("button.release", since=since)
        self.assertFalse(release["data"]["pressed"])

    def test_switch_tells_its_level_at_the_start(self):
        first = self.watcher.events("estop.changed")[0]
        self.assertEqual(first["data"], {"input": "estop", "state": False, "initial": True})

    def test_switch(self):
        since = self.watcher.mark()
        self.ok("input/set", {"input": "estop", "value": 1})
        self.assertEqual(self.watcher.event("estop.changed", since=since)["data"],
                         {"input": "estop", "state": True})
        self.ok("input/set", {"input": "estop", "value": 0})
        self.watcher.event("estop.changed", lambda e: not e["data"]["state"], since)

    def test_rotary(self):
        since = self.watcher.mark()
        for line, value in ((0, 1), (1, 1), (0, 0), (1, 0)):
            self.ok("input/set", {"input": "dial", "line": line, "value": value})
        first = self.watcher.event("dial.turned", since=since)["data"]
        for line, value in ((1, 1), (0, 1), (1, 0), (0, 0)):
            self.ok("input/set", {"input": "dial", "line": line, "value": value})
        second = self.watcher.event(
            "dial.turned", lambda e: e["data"]["delta"] == -first["delta"], since)["data"]
        self.assertEqual(second["position"], first["position"] + second["delta"])

    def test_counter(self):
        since = self.watcher.mark()
        for _ in range(2):
            self.ok("input/set", {"input": "rain", "value": 1})
            self.ok("input/set", {"input": "rain", "value": 0})
        first = self.watcher.event("rain.pulse", since=since)["data"]["count"]
        self.watcher.event("rain.pulse", lambda e: e["data"]["count"] == first + 1, since)

    def test_simultaneous_of_two_producers(self):
        since = self.watcher.mark()
        for producer in (1, 1, 2):
            self.ok("event/emit", {"event_type": "sensor.trigger", "producer_id": producer})
        event = self.watcher.event("sensor.combo", since=since)
        self.assertEqual(event["producer_id"], 0)
        self.assertEqual({e["producer_id"] for e in event["data"]["events"]}, {1, 2})

    def test_sequence(self):
        since = self.watcher.mark()
        for key in (1, 1, 2):
            self.emit("key.press", {"key": key})
        event = self.watcher.event("lock.opened", since=since)
        self.assertEqual([e["data"]["key"] for e in event["data"]["sequence"]], [1, 2])

    def test_gated_mirror(self):
        since = self.watcher.mark()
        self.emit("mic.level", 1)
        self.emit("mic.toggle", {"enabled": True})
        self.emit("mic.level", 2)
        self.emit("mic.level", {"db": -3})
        self.watcher.event("mic.level.gated", lambda e: e["data"].get("db") == -3, since)
        self.emit("mic.toggle", {"enabled": False})
        self.emit("mic.level", 4)
        self.emit("mic.done")
        self.watcher.event("mic.done", since=since)
        gated = self.watcher.events("mic.level.gated", since)
        self.assertEqual([e["data"].get("value", e["data"].get("db")) for e in gated], [2, -3])
        self.assertEqual({e["producer_id"] for e in gated}, {99})

    def test_gated_playlist(self):
        since = self.watcher.mark()
        self.emit("door.changed", {"state": False})
        self.emit("door.changed", {"state": True})
        created, stopped = self.start_and_stop(since)
        self.assertEqual(created["data"]["cause"], "gesture")
        self.assertEqual(created["data"]["playlist_name"], "flash")
        self.assertEqual(stopped["data"]["reason"], "completed")
        self.assertEqual(len(self.watcher.events("event.playlist.created", since)), 1)

    def test_mode_single_rejects(self):
        since = self.watcher.mark()
        self.ok("playlist/start", {"playlist": "only"})
        self.fails("busy", "playlist/start", {"playlist": "only"})
        rejected = self.watcher.event("event.playlist.rejected", since=since)["data"]
        self.assertEqual((rejected["reason"], rejected["cause"]), ("busy", "command"))
        self.ok("playlist/stop", {"playlist": "only"})

    def test_a_loop_is_cut_and_told(self):
        """Two mirrors that feed each other."""
        for here, there in (("a", "b"), ("b", "a")):
            self.ok("gesture/define", {"name": f"loop.{here}", "definition": {
                "type": "gated_mirror", "gate": ["loop.gate"], "initial": True,
                "mirror": [f"loop.{here}"], "emit": f"loop.{there}"}})
        since = self.watcher.mark()
        self.emit("loop.a", {"n": 1})
        cut = self.watcher.event("gateway.cascade", since=since)["data"]
        self.assertIn(cut["event_type"], ("loop.a", "loop.b"))
        self.assertEqual(cut["depth"], 33)
        self.assertEqual(len([e for e in self.watcher.events(since=since)
                              if e["event_type"].startswith("loop.")]), 33)
        for here in "ab":
            self.ok("gesture/remove", {"gesture": f"loop.{here}"})

    def test_qos_off_is_not_bridged(self):
        """Not on the wire and without a seq, but on the bus."""
        since = self.watcher.mark()
        self.assertIsNone(self.ok("event/emit", {"event_type": "quiet.thing"})["seq"])
        self.ok("event/emit", {"event_type": "quiet.thing", "data": 2})
        self.emit("after.quiet")
        self.watcher.event("after.quiet", since=since)
        self.assertEqual(self.watcher.events("quiet.thing"), [])
        entries = self.ok("state/get", {"event_type": "quiet.thing"})["entries"]
        self.assertEqual([e["data"] for e in entries], [2])

    def test_qos_by_event_type(self):
        since = self.watcher.mark()
        self.emit("start.sequence")
        self.start_and_stop(since)
        qos = {m.topic: m.qos for m in self.watcher.messages[since:]}
        self.assertEqual(qos[P + "/bus/color/update"], 0)
        self.assertEqual(qos[P + "/bus/event/playlist/created"], 1)


class MixedDebounce(IntegrationTest):
    """Two inputs that differ in debounce: the key's events come later than the plate's."""

    @classmethod
    def config(cls):
        config = super().config()
        config["inputs"] |= {
            "key": {"driver": "sim", "kind": "button", "producer_id": 11, "event": "pad.key",
                    "debounce": "50ms"},
            "plate": {"driver": "sim", "kind": "button", "producer_id": 11, "event": "pad.plate"},
        }
        steps = ["pad.key", "pad.plate"]
        config["gestures"] |= {
            "right": {"type": "sequence", "timeout": "60s", "emit": "door.ok", "steps": steps},
            "wrong": {"type": "sequence", "timeout": "60s", "emit": "door.wrong",
                      "steps": steps[::-1]},
        }
        return config

    def test_a_gesture_waits_for_the_longest_debounce(self):
        """Nothing comes after the plate: the wait alone ends it."""
        since = self.watcher.mark()
        for name in ("key", "plate"):
            self.ok("input/set", {"input": name, "value": 1})
        event = self.watcher.event("door.ok", since=since)
        self.assertEqual([e["event_type"] for e in event["data"]["sequence"]],
                         ["pad.key", "pad.plate"])
        plate = self.watcher.event("pad.plate", since=since)
        self.assertEqual((event["timestamp"], event["cause_seq"]),
                         (plate["timestamp"], plate["seq"]))
        self.assertEqual(self.watcher.events("door.wrong"), [])


if __name__ == "__main__":
    unittest.main()
