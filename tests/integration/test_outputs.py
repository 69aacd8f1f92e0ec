# SPDX-License-Identifier: Apache-2.0
"""Outputs over MQTT, on the driver sim: P/health reports their levels."""

import copy
import os
import signal
import unittest

from harness import P, TIMEOUT_S, IntegrationTest


class Outputs(IntegrationTest):
    @classmethod
    def config(cls):
        config = super().config()
        config["outputs"] = {
            "lamp": {"driver": "sim", "on_event": "lamp.set", "value": "/on"},
            "pilot": {"driver": "sim", "on_event": "lamp.set", "value": "/on", "safe_value": 1},
            "siren": {"driver": "sim", "on_event": "siren.set"},
        }
        return config

    def outputs(self, what, condition, since=0):
        """`outputs` of the first health message that the condition holds for."""
        return self.watcher.message(what, lambda m: m.topic == P + "/health"
                                    and condition(m.json["outputs"]), since).json["outputs"]

    def levels(self, since, **expected):
        return self.outputs(f"levels {expected}",
                            lambda o: expected.items() <= o["levels"].items(), since)

    def view(self, name, since, **expected):
        """The first P/output/<name> with these values."""
        return self.watcher.message(f"{name} {expected}", lambda m: m.topic == f"{P}/output/{name}"
                                    and m.payload and expected.items() <= m.json.items(),
                                    since).json

    def test_the_view_has_level_and_reason(self):
        self.emit("lamp.set", {"on": False})
        since = self.watcher.mark()
        self.emit("lamp.set", {"on": True})
        view = self.view("lamp", since, level=1, why="event")
        self.assertEqual((view["name"], view["driver"]), ("lamp", "sim"))
        since = self.watcher.mark()
        self.emit("lamp.set", {"on": False})
        off = self.view("lamp", since, level=0, why="event")
        self.assertGreater(off["timestamp"], view["timestamp"])
        # The same again is no change.
        since = self.watcher.mark()
        self.emit("lamp.set", {"on": False})
        self.emit("siren.set", True)
        self.view("siren", since, level=1)
        self.emit("siren.set", False)
        self.view("siren", since, level=0)
        self.assertEqual([m for m in self.watcher.messages[since:]
                          if m.topic == P + "/output/lamp"], [])

    def test_the_view_over_a_restart(self):
        self.emit("lamp.set", {"on": True})
        since = self.watcher.mark()
        self.gateway.stop()
        self.view("lamp", since, level=0, why="safe")
        self.view("pilot", since, level=1, why="safe")
        since = self.watcher.mark()
        self.start_gateway()
        self.view("lamp", since, level=0, why="start")
        self.view("pilot", since, level=1, why="start")
        topics = [m.topic for m in self.watcher.messages[since:]]
        self.assertLess(topics.index(P + "/output/lamp"), topics.index(P + "/status"))

    def test_the_view_of_one_that_is_gone(self):
        self.addCleanup(self.back_to_the_first)
        config = copy.deepcopy(self.config())
        del config["outputs"]["siren"]
        self.gateway.write(config)
        since = self.watcher.mark()
        self.ok("config/reload")
        self.watcher.message("cleared", lambda m: m.topic == P + "/output/siren"
                             and m.payload == b"", since)

    def test_an_event_sets_every_output_that_follows_it(self):
        since = self.watcher.mark()
        self.emit("lamp.set", {"on": True})
        self.emit("siren.set", True)
        before = self.levels(since, lamp=1, pilot=1, siren=1)
        self.assertEqual((before["failures"], before["failed"]), (0, 0))
        since = self.watcher.mark()
        self.emit("lamp.set", {"on": 0})
        after = self.levels(since, lamp=0, pilot=0, siren=1)
        self.assertEqual(after["set"], before["set"] + 2)
        since = self.watcher.mark()
        self.emit("siren.set", False)
        self.levels(since, siren=0)

    def test_a_playlist_sets_them(self):
        since = self.watcher.mark()
        before = self.outputs("a health message", lambda o: True, since)
        run = self.ok("playlist/start", {"playlist": "flash"})["run"]
        self.watcher.event("event.playlist.stopped",
                           lambda e: e["data"]["playlist_id"] == run, since)
        # on and off, two outputs each
        after = self.outputs("four more", lambda o: o["set"] >= before["set"] + 4, since)
        self.assertEqual(after["levels"]["lamp"], 0)

    def test_an_event_without_the_value_is_ignored_and_counted(self):
        since = self.watcher.mark()
        self.emit("lamp.set", {"on": True})
        before = self.levels(since, lamp=1, pilot=1)
        for data in ({"off": True}, None, [], "on"):
            self.emit("lamp.set", data)
        after = self.outputs("two outputs ignored four events each",
                             lambda o: o["ignored"] >= before["ignored"] + 8, since)
        self.assertEqual((after["levels"]["lamp"], after["set"]), (1, before["set"]))

    def test_what_is_no_level_is_told_once(self):
        since = self.watcher.mark()
        config = copy.deepcopy(self.config())
        config["outputs"]["worded"] = {"driver": "sim", "on_event": "worded.set",
                                       "map": {"ON": True, "OFF": False}}
        self.addCleanup(self.back_to_the_first)
        self.gateway.write(config)
        self.ok("config/reload")
        self.emit("worded.set", "ON")
        self.levels(since, worded=1)
        for data in ("off", {"on": False}, 2):
            self.emit("worded.set", data)
        off = self.watcher.mark()
        self.emit("worded.set", "OFF")
        self.levels(off, worded=0)
        told = [m.json["data"] for m in self.watcher.messages[since:]
                if m.topic == P + "/bus/gateway/output_ignored"]
        self.assertEqual(told, [{"output": "worded", "error": "\"off\" is neither true, false, "
                                 "1, 0 nor a key of \"map\""}])

    def test_info_has_their_names(self):
        info = self.watcher.on_topic(P + "/info").json
        self.assertEqual(set(info["outputs"]), set(self.config()["outputs"]))

    def unsafe(self):
        """Every output at the level that is not its safe one."""
        since = self.watcher.mark()
        self.emit("lamp.set", {"on": True})
        self.emit("siren.set", True)
        self.levels(since, lamp=1, siren=1)
        self.emit("lamp.set", {"on": False})
        self.levels(since, lamp=0, pilot=0, siren=1)

    def test_sigterm_makes_them_safe_whatever_the_end_emits(self):
        self.addCleanup(self.gateway.write, self.config())
        config = copy.deepcopy(self.config())
        config["outputs"]["knell"] = {"driver": "sim", "on_event": "event.playlist.stopped",
                                      "value": "/detail", "map": {"shutdown": True}}
        self.gateway.write(config)
        self.ok("config/reload")
        self.unsafe()
        since = self.watcher.mark()
        run = self.ok("playlist/start", {"playlist": "long"})["run"]
        self.gateway.stop()
        self.watcher.event("event.playlist.stopped",
                           lambda e: e["data"]["playlist_id"] == run, since)
        self.watcher.message("offline", lambda m: m.topic == P + "/status"
                             and m.payload == b"offline", since)
        last = [m for m in self.watcher.messages[since:] if m.topic == P + "/health"][-1].json
        self.assertEqual(last["outputs"]["levels"],
                         {"lamp": 0, "pilot": 1, "siren": 0, "knell": 0})
        self.gateway.write(self.config())
        self.start_gateway()

    def test_after_kill_9_they_are_safe(self):
        self.unsafe()
        self.gateway.signal(signal.SIGKILL)
        self.gateway.kill()
        since = self.watcher.mark()
        self.start_gateway()
        first = self.outputs("the first health message of this process",
                             lambda o: o["set"] == 0, since)
        self.assertEqual(first["levels"], {"lamp": 0, "pilot": 1, "siren": 0})

    def test_reload_keeps_what_is_unchanged(self):
        self.addCleanup(self.back_to_the_first)
        self.unsafe()
        config = copy.deepcopy(self.config())
        config["outputs"]["lamp"]["value"] = "/bright"
        config["outputs"]["horn"] = config["outputs"].pop("siren")
        self.gateway.write(config)
        since = self.watcher.mark()
        self.ok("config/reload")
        after = self.levels(since, lamp=0, pilot=0, horn=0)
        self.assertNotIn("siren", after["levels"])
        self.assertEqual(set(self.watcher.on_topic(P + "/info", since).json["outputs"]),
                         {"lamp", "pilot", "horn"})
        since = self.watcher.mark()
        self.emit("lamp.set", {"bright": 1})
        self.levels(since, lamp=1, pilot=0)

    def back_to_the_first(self):
        self.gateway.write(self.config())
        self.ok("config/reload")

    def test_a_reload_that_is_refused_changes_nothing(self):
        self.addCleanup(self.back_to_the_first)
        self.unsafe()
        config = copy.deepcopy(self.config())
        config["outputs"]["siren"]["value"] = "/loud"
        config["outputs"]["relay"] = {"driver": "gpio", "chip": "/nonexistent/gpiochip0",
                                      "line": 1, "on_event": "siren.set"}
        self.gateway.write(config)
        error = self.fails("refused", "config/reload")
        self.assertIn('output "relay": no GPIO chip "/nonexistent/gpiochip0"', error["message"])
        since = self.watcher.mark()
        after = self.levels(since, lamp=0, pilot=0, siren=1)
        self.assertNotIn("relay", after["levels"])
        self.emit("siren.set", 0)
        self.levels(since, siren=0)

    def test_one_that_can_not_be_opened_keeps_it_from_starting(self):
        config = copy.deepcopy(self.config())
        config["outputs"]["relay"] = {"driver": "gpio", "chip": "/nonexistent/gpiochip0",
                                      "line": 1, "on_event": "siren.set"}
        self.gateway.stop()
        self.gateway.write(config)
        self.gateway.start()
        code = self.gateway.process.wait(TIMEOUT_S)
        self.gateway.process = None
        log = self.gateway.log()
        self.gateway.write(self.config())
        self.start_gateway()
        self.assertEqual(code, os.EX_UNAVAILABLE)
        self.assertIn('output "relay": no GPIO chip "/nonexistent/gpiochip0"', log)


if __name__ == "__main__":
    unittest.main()
