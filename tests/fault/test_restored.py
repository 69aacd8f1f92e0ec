# SPDX-License-Identifier: Apache-2.0
"""What the gateway restores after kill -9: any number of runs, on a definition that has changed
since; and for a minute the fact that a request was executed."""

import json
import pathlib
import re
import time
import unittest

from counting import SANITIZED
from harness import P, until
from test_state_folder import StateFolder

RUNS = 2000 if SANITIZED else 20000
MOST_KIB = 128 * 1024


class Restored(StateFolder):
    def state_config(self):
        config = super().state_config()
        config["mqtt"]["qos"] = {"event.*": "off", "go.go": "off"}
        return config

    def restart(self, config):
        self.gateway.kill()
        self.gateway.write(config)
        self.run_gateway()

    def peak_kib(self):
        text = pathlib.Path(f"/proc/{self.gateway.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", text)[1])

    def active(self, count):
        return self.watcher.message(
            f"{count} active runs", lambda m: m.topic == f"{P}/health"
            and m.json["playlists"]["active_runs"] == count, self.watcher.mark()).json

    def definition(self, **more):
        """One whose text is worth sharing, and that waits for an interrupt."""
        return {"trigger": "go.go", "interrupts": ["stop.stop"], "on_restart": "resume",
                "max_runs": RUNS, "steps": [{"emit": "tick.tick", "offset": "1h", "data": "x" * 500}
                                            for _ in range(20)], **more}

    def test_many_runs_whose_definition_has_changed(self):
        """One definition for all of them, and an interrupt takes no longer for each of them than
        for one."""
        config = self.state_config()
        starter = {"steps": [{"emit": "go.go", "repeat": RUNS, "interval": "200us"}]}
        config["playlists"] = {"p": self.definition(), "starter": starter}
        self.run_gateway(config)
        self.ok("playlist/start", {"playlist": "starter"})
        self.active(RUNS)
        until("all are on disk", lambda: self.health()["outbox"]["unwritten_events"] == 0)
        config["playlists"]["p"] = self.definition(metadata={"version": 2})
        self.restart(config)
        self.active(RUNS)
        if not SANITIZED:
            self.assertLess(self.peak_kib(), MOST_KIB)
        self.watcher.publish(f"{P}/emit/stop/stop")
        self.ok("ping", {})
        self.active(0)
        self.gateway.stop()

    def test_the_view_of_many_runs(self):
        """The view shows the newest and counts the rest, and is not written for each of them."""
        config = self.state_config()
        starter = {"steps": [{"emit": "go.go", "repeat": RUNS, "interval": "200us"}]}
        config["playlists"] = {"p": self.definition(), "starter": starter}
        topic = f"{P}/playlist/p"
        self.watcher.subscribe(topic)
        self.run_gateway(config)
        since, began = self.watcher.mark(), time.monotonic()
        self.ok("playlist/start", {"playlist": "starter"})
        self.active(RUNS)
        took_s = time.monotonic() - began
        view = self.watcher.message("the last view", lambda m: m.topic == topic
                                    and m.json.get("active_runs", len(m.json["active"])) == RUNS, since).json
        self.assertEqual(len(view["active"]), 100)
        views = [m for m in self.watcher.messages[since:] if m.topic == topic]
        self.assertLess(max(len(m.payload) for m in views), 20000)
        self.assertLessEqual(len(views), 5 * took_s + 2)
        self.ok("playlist/stop", {"all": True})
        self.gateway.stop()

    def test_a_number_in_the_definition_of_before(self):
        """A run ends on the definition that it began with, exactly."""
        config = self.state_config()
        filter_ = {"event": "stop.stop", "match": {"id": 9007199254740991}}
        config["playlists"] = {"p": self.definition(interrupts=[filter_])}
        self.watcher.subscribe(f"{P}/playlist/p")
        self.run_gateway(config)
        run = self.ok("playlist/start", {"playlist": "p"})["run"]
        view = self.watcher.message("the view", lambda m: m.topic == f"{P}/playlist/p")
        self.assertIn(b'"match":{"id":9007199254740991}', view.payload)
        config["playlists"]["p"] = self.definition(metadata={"version": 2})
        self.restart(config)
        self.ok("event/emit", {"event_type": "stop.stop", "data": {"id": 9007199254740990}})
        self.assertEqual([r["run"] for r in self.ok("playlist/runs", {})["runs"]], [run])
        self.ok("event/emit", {"event_type": "stop.stop", "data": {"id": 9007199254740991}})
        self.assertEqual(self.ok("playlist/runs", {})["runs"], [])
        self.gateway.stop()

    def emit_once(self, repeated=False):
        """The same request each time. @return its reply; of an earlier life the first one may come
        once more."""
        response, since = f"{P}/reply/again", self.watcher.mark()
        self.watcher.publish(f"{P}/cmd/event/emit", {"event_type": "only.once"},
                             response=response, correlation=b"the same")
        return self.watcher.message("the reply", lambda m: m.topic == response
                                    and m.json.get("repeated", False) == repeated, since).json

    def happened_once(self):
        self.ok("event/emit", {"event_type": "after.it"})
        self.watcher.event("after.it")
        # A kill may send one twice.
        self.assertEqual(len({(e["boot_id"], e["seq"]) for e in self.watcher.events("only.once")}), 1)

    def test_a_request_after_many_large_replies(self):
        """That a request was carried out is remembered however large the replies behind it are."""
        config = self.state_config()
        config["playlists"] = {f"p{n}": {"metadata": {"text": "x" * 1000}, "steps": [{"emit": "a.b"}]}
                               for n in range(1500)}
        self.run_gateway(config)
        self.watcher.subscribe(f"{P}/reply/again")
        self.emit_once()
        for n in range(20):
            result = self.ok("config/get", {"request_id": f"large-{n}"})
            self.assertGreater(len(json.dumps(result)), 1500000)
        self.emit_once(True)
        self.happened_once()
        self.gateway.stop()

    def test_a_request_of_before_a_kill(self):
        config = self.state_config()
        self.run_gateway(config)
        self.watcher.subscribe(f"{P}/reply/again")
        first = self.emit_once()
        for _ in range(2):
            self.restart(config)
            self.assertEqual(self.emit_once(True), first | {"repeated": True})
        self.happened_once()
        self.gateway.stop()
        # A regular stop does not forget it either.
        self.run_gateway(config)
        self.assertEqual(self.emit_once(True), first | {"repeated": True})
        self.happened_once()
        self.gateway.stop()


del StateFolder

if __name__ == "__main__":
    unittest.main()
