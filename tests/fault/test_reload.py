# SPDX-License-Identifier: Apache-2.0
"""A refused reload has no effect at all, and neither has one of an unchanged file."""

import signal
import unittest

from test_state_folder import StateFolder

LIMIT = 6


class Reload(StateFolder):
    def state_config(self):
        config = super().state_config()
        config["limits"]["definitions"] = LIMIT
        config["inputs"] = {"rain": {"driver": "sim", "kind": "counter", "event": "rain.pulse"}}
        config["outputs"] = {"lamp": {"driver": "sim", "on_event": "lamp.set"}}
        config["playlists"] = {"long": {"steps": [{"emit": "tick.tick", "repeat": 100, "interval": "1m"}]}}
        return config

    def pulse(self):
        since = self.watcher.mark()
        for value in (1, 0):
            self.ok("input/set", {"input": "rain", "value": value})
        return self.watcher.event("rain.pulse", since=since)["data"]["count"]

    def test_one_that_is_refused_for_what_was_made_by_command(self):
        """A number that exceeds the limit only together with these."""
        self.run_gateway()
        for n in range(2):
            self.ok("playlist/define", {"name": f"kept{n}", "definition": {"steps": [{"emit": "a.b"}]}})
        run = self.ok("playlist/start", {"playlist": "long"})["run"]
        self.ok("event/emit", {"event_type": "lamp.set", "data": True})
        self.assertEqual([self.pulse() for _ in range(3)], [1, 2, 3])
        config = self.state_config()
        config["playlists"] = {f"p{n}": {"steps": [{"emit": "a.b"}]} for n in range(LIMIT - 1)}
        config["inputs"]["rain"]["debounce"] = "1ms"  # it would be reopened
        self.gateway.write(config)
        since = self.watcher.mark()
        reply = self.watcher.request_raw("config/reload")
        self.assertFalse(reply["ok"], reply)
        self.assertIn("limits.definitions", reply["error"]["message"])
        health = self.health()
        self.assertEqual(health["outputs"]["levels"], {"lamp": 1})
        self.assertEqual(health["playlists"]["active_runs"], 1)
        self.assertEqual([r["run"] for r in self.ok("playlist/runs", {})["runs"]], [run])
        self.assertEqual(self.watcher.events("event.playlist.stopped", since), [])
        self.assertEqual(self.pulse(), 4)
        # One less has room, and stops what it does not have.
        del config["playlists"]["p0"]
        self.gateway.write(config)
        self.assertTrue(self.watcher.request_raw("config/reload")["ok"])
        self.watcher.event("event.playlist.stopped", lambda e: e["data"]["playlist_id"] == run, since)
        self.gateway.stop()

    def test_one_that_is_refused_for_its_event_types(self):
        """A refused reload uses none of the limit: a smaller one is accepted afterwards."""
        config = self.state_config()
        config["limits"] |= {"event_types": 64, "definitions": 1000}
        self.run_gateway(config)
        run = self.ok("playlist/start", {"playlist": "long"})["run"]
        self.ok("event/emit", {"event_type": "lamp.set", "data": True})
        since = self.watcher.mark()
        long = config["playlists"]["long"]
        for count in (80, 62, 20):
            config["playlists"] = {f"p{n}": {"trigger": "go.go", "steps": [{"emit": f"a{n}.b"}]}
                                   for n in range(count)}
            self.gateway.write(config)
            reply = self.watcher.request_raw("config/reload")
            if count == 20:
                break
            self.assertFalse(reply["ok"], reply)
            self.assertIn("limits.event_types is 64", reply["error"]["message"])
            self.assertEqual(self.health()["outputs"]["levels"], {"lamp": 1})
            self.assertEqual([r["run"] for r in self.ok("playlist/runs", {})["runs"]], [run])
            self.assertEqual(self.watcher.events("event.playlist.stopped", since), [])
        self.assertTrue(reply["ok"], reply)
        self.watcher.event("event.playlist.stopped", lambda e: e["data"]["playlist_id"] == run, since)
        # What was known once needs no room.
        config["playlists"] = {"long": long}
        self.gateway.write(config)
        self.assertTrue(self.watcher.request_raw("config/reload")["ok"])
        self.gateway.stop()

    def test_one_of_an_unchanged_file(self):
        """A gesture made by command is in the middle of what it waits for."""
        self.run_gateway()
        self.ok("gesture/define", {"name": "pair", "definition": {
            "type": "double_tap", "source": "key.press", "window": "10m", "emit": "key.double"}})
        self.ok("event/emit", {"event_type": "key.press"})
        since = self.watcher.mark()
        self.gateway.signal(signal.SIGHUP)
        self.assertTrue(self.watcher.request_raw("config/reload")["ok"])
        self.ok("event/emit", {"event_type": "key.press"})
        self.watcher.event("key.double", since=since)
        self.gateway.stop()


del StateFolder

if __name__ == "__main__":
    unittest.main()
