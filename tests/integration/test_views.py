# SPDX-License-Identifier: Apache-2.0
"""Retained topics: status and will, info, inputs, playlists, health; healthcheck."""

import json
import signal
import subprocess
import unittest

from harness import CUEBUS, P, TIMEOUT_S, IntegrationTest, base_config, free_port


class Views(IntegrationTest):
    def retained(self):
        """The retained messages that a new client gets, by topic below P."""
        client = self.connect()
        client.subscribe(P + "/#")
        client.subscribe("no/such/topic")  # the retained messages came before this SUBACK
        client.publish(P + "/emit/fence/views", b"1")
        client.on_topic(P + "/bus/fence/views")
        found = {m.topic[len(P) + 1:]: m for m in client.messages if m.retain}
        client.close()
        return found

    def healthcheck(self):
        return subprocess.run([CUEBUS, "healthcheck", "-c", str(self.gateway.path)],
                              capture_output=True, timeout=TIMEOUT_S, stdin=subprocess.DEVNULL)

    def test_what_is_retained(self):
        self.watcher.on_topic(P + "/health")
        config = base_config(1)
        expected = {"status", "info", "health"}
        expected |= {f"input/{name}" for name in config["inputs"]}
        expected |= {f"playlist/{name}" for name in config["playlists"]}
        found = {t for t in self.retained() if not t.startswith("schema/")}
        self.assertEqual(found, expected)
        self.assertEqual(self.retained()["status"].payload, b"online")

    def test_info(self):
        info = self.watcher.on_topic(P + "/info").json
        config = base_config(1)
        for key in ("inputs", "gestures", "playlists"):
            self.assertEqual(set(info[key]), set(config[key]))
        self.assertTrue(info["capabilities"])

    def test_info_comes_before_online(self):
        topics = [m.topic[len(P) + 1:] for m in self.watcher.messages
                  if not m.topic.startswith((P + "/bus/", P + "/cmd/", P + "/emit/"))]
        online = topics.index("status")
        self.assertLess(topics.index("info"), online)
        for name in base_config(1)["inputs"]:
            self.assertLess(topics.index(f"input/{name}"), online)
        for name in base_config(1)["playlists"]:
            self.assertLess(topics.index(f"playlist/{name}"), online)

    def test_input_view_follows_the_input(self):
        since = self.watcher.mark()
        self.ok("input/set", {"input": "estop", "value": 1})
        view = self.watcher.message("the new level", lambda m: m.topic == P + "/input/estop"
                                    and m.json["value"]["state"], since).json
        self.assertEqual((view["name"], view["kind"], view["driver"], view["producer_id"]),
                         ("estop", "switch", "sim", 3))
        event = self.watcher.event("estop.changed", since=since)
        self.assertEqual(view["timestamp"], event["timestamp"])
        self.assertEqual(view["value"], event["data"])
        self.ok("input/set", {"input": "estop", "value": 0})
        self.watcher.message("the old level", lambda m: m.topic == P + "/input/estop"
                             and not m.json["value"]["state"], since)
        self.assertFalse(self.retained()["input/estop"].json["value"]["state"])

    def test_playlist_view_follows_its_runs(self):
        since = self.watcher.mark()
        run = self.ok("playlist/start", {"playlist": "long"})["run"]
        topic = P + "/playlist/long"
        view = self.watcher.message("the run", lambda m: m.topic == topic
                                    and m.json["active"] == [run], since).json
        self.assertEqual(view["playlist_name"], "long")
        # The definition with its defaults written out.
        configured = base_config(1)["playlists"]["long"]
        for key in ("trigger", "interrupts"):
            self.assertEqual(view["definition"][key], configured[key])
        self.assertLessEqual(configured["steps"][0].items(), view["definition"]["steps"][0].items())
        self.assertEqual(view["definition"]["mode"], "parallel")
        since = self.watcher.mark()
        self.ok("playlist/stop", {"run": run})
        self.watcher.message("no run", lambda m: m.topic == topic and m.json["active"] == [], since)

    def test_playlist_view_comes_and_goes_with_the_definition(self):
        since = self.watcher.mark()
        self.ok("playlist/define", {"name": "fleeting", "definition": {
            "steps": [{"emit": "fleeting.tick"}]}})
        topic = P + "/playlist/fleeting"
        self.watcher.message("view", lambda m: m.topic == topic and m.payload, since)
        self.watcher.message("info", lambda m: m.topic == P + "/info"
                             and "fleeting" in m.json["playlists"], since)
        self.ok("playlist/remove", {"playlist": "fleeting"})
        self.watcher.message("no view", lambda m: m.topic == topic and not m.payload, since)
        self.assertNotIn("playlist/fleeting", self.retained())

    def test_health_counts(self):
        before = self.watcher.on_topic(P + "/health").json
        for _ in range(5):
            self.emit("counted.event")
        self.watcher.message(
            "counters", lambda m: m.topic == P + "/health"
            and m.json["bus"]["events"] >= before["bus"]["events"] + 5, self.watcher.mark() - 1)

    def test_healthcheck(self):
        result = self.healthcheck()
        self.assertEqual(result.returncode, 0, result)

    def test_healthcheck_says_what_is_wrong(self):
        def check(*args):
            return subprocess.run([CUEBUS, "healthcheck", *map(str, args)], capture_output=True,
                                  timeout=TIMEOUT_S, stdin=subprocess.DEVNULL)
        self.assertEqual(check().returncode, 64)
        self.assertEqual(check("-c", self.directory / "not.there").returncode, 78)
        broken = self.directory / "broken.json"
        broken.write_text('{ "gateway": { "id": "it" }, "mqqt": {} }')
        result = check("-c", broken)
        self.assertEqual(result.returncode, 78)
        self.assertIn(b"mqtt", result.stderr + result.stdout)
        elsewhere = self.directory / "elsewhere.json"
        elsewhere.write_text(json.dumps(base_config(free_port())))
        result = check("-c", elsewhere)
        self.assertEqual(result.returncode, 69)
        self.assertTrue(result.stderr + result.stdout)

    def test_will_after_kill(self):
        """kill -9: the broker publishes the will; healthcheck sees it."""
        since = self.watcher.mark()
        self.gateway.signal(signal.SIGKILL)
        self.gateway.kill()
        self.watcher.message("the will", lambda m: m.topic == P + "/status"
                             and m.payload == b"offline", since)
        self.assertEqual(self.retained_status(), b"offline")
        self.assertEqual(self.healthcheck().returncode, 69)
        old = self.watcher.on_topic(P + "/info").json["boot_id"]
        since = self.watcher.mark()
        self.start_gateway()
        self.assertEqual(self.retained_status(), b"online")
        self.assertNotEqual(self.watcher.on_topic(P + "/info", since).json["boot_id"], old)

    def retained_status(self):
        client = self.connect()
        client.subscribe(P + "/status")
        message = client.on_topic(P + "/status")
        self.assertTrue(message.retain)
        return message.payload


if __name__ == "__main__":
    unittest.main()
