# SPDX-License-Identifier: Apache-2.0
"""Every command, valid and invalid. request() checks each reply by its schema."""

import json
import unittest

from harness import GATEWAY_ID, P, IntegrationTest, base_config

NO_RUN = "0" * 32


class Depth(IntegrationTest):
    """limits.json_depth above what it is by default holds for all that a command carries."""

    @classmethod
    def config(cls):
        config = super().config()
        config["limits"]["json_depth"] = 200
        config["playlists"]["deep"] = {"trigger": "deep.start", "on_restart": "resume", "steps": [
            {"emit": "deep.tick", "repeat": 3600, "interval": "1s"}]}
        return config

    def test_data_of_an_event(self):
        data = json.loads("[" * 150 + "]" * 150)
        since = self.watcher.mark()
        self.ok("event/emit", {"event_type": "deep.event", "data": data})
        self.assertEqual(self.watcher.event("deep.event", since=since)["data"], data)

    def test_definitions(self):
        data = json.loads("[" * 150 + "]" * 150)
        self.ok("playlist/define", {"name": "nested", "definition": {
            "steps": [{"emit": "nested.tick", "data": data}]}})
        self.ok("gesture/define", {"name": "nested", "definition": {
            "type": "double_tap", "source": "nested.tick", "window": "1s", "emit": "nested.double",
            "metadata": {"m": data}}})
        self.gateway.stop()
        self.start_gateway()
        since = self.watcher.mark()
        self.ok("playlist/start", {"playlist": "nested"})
        self.assertEqual(self.watcher.event("nested.tick", since=since)["data"], data)
        self.ok("gesture/remove", {"gesture": "nested"})
        self.ok("playlist/remove", {"playlist": "nested"})

    def test_a_run_that_goes_on_after_kill_9(self):
        data = json.loads("[" * 150 + "]" * 150)
        run = self.ok("playlist/start", {"playlist": "deep", "trigger_data": data})["run"]
        self.gateway.kill()
        since = self.watcher.mark()
        self.start_gateway()
        self.assertIn(run, [r["run"] for r in self.ok("playlist/runs")["runs"]])
        self.watcher.event("event.playlist.created",
                           lambda e: e["data"]["playlist_id"] == run
                           and e["data"]["cause"] == "restore"
                           and e["data"]["trigger_event"]["data"] == data, since)
        self.ok("playlist/stop", {"run": run})

    def test_too_deep_is_told_and_counted(self):
        def counts():
            since = self.watcher.mark()
            commands = self.watcher.on_topic(P + "/health", since).json["commands"]
            return commands["ok"], commands["failed"]
        before = counts()
        error = self.control.request("playlist/define", json.dumps({"name": "n", "definition": {
            "steps": [{"emit": "x", "data": json.loads("[" * 201 + "]" * 201)}]}}).encode())["error"]
        self.assertEqual(error["code"], "limit")
        self.assertIn("limits.json_depth", error["message"])
        self.assertEqual(counts(), (before[0], before[1] + 1))


class Commands(IntegrationTest):
    def test_ping(self):
        info = self.watcher.on_topic(P + "/info").json
        result = self.ok("ping")
        self.assertEqual(result["boot_id"], info["boot_id"])
        self.assertEqual(result["version"], info["version"])

    def test_unknown_command(self):
        for command in ("playlist/begin", "nothing", "playlist/start/now"):
            with self.subTest(command):
                reply = self.control.request_raw(command)
                self.assertFalse(reply["ok"])
                self.assertEqual(reply["error"]["code"], "unknown_command")

    def test_payload_that_is_no_json(self):
        for payload in (b"{", b"{]", b"\xff\xfe", b'{"a":1}x', b'{"playlist":"a","playlist":"b"}'):
            with self.subTest(payload=payload):
                reply = self.control.request("playlist/start", payload)
                self.assertFalse(reply["ok"])
                self.assertIn(reply["error"]["code"], ("invalid_json", "invalid_request"))

    def test_payload_that_is_no_object(self):
        for payload in (b"[]", b"3", b'"ping"', b"null"):
            with self.subTest(payload=payload):
                reply = self.control.request("playlist/start", payload)
                self.assertEqual(reply["error"]["code"], "invalid_request")

    def test_empty_payload_is_an_empty_object(self):
        self.assertTrue(self.control.request("ping", b"")["ok"])

    def test_payload_too_large(self):
        reply = self.control.request("event/emit", json.dumps(
            {"event_type": "big", "data": "x" * 5000}).encode())
        self.assertEqual(reply["error"]["code"], "limit")

    def test_names_that_a_broker_would_close_the_connection_for(self):
        """mosquitto does for these, over and over: the name would be in a retained topic."""
        definition = {"steps": [{"emit": "x"}]}
        for name in ("u\u0085", "\ufdd0", "a\uffff", "\U0001fffe", "a+", "a/b", "a\u0007"):
            with self.subTest(name=name):
                error = self.fails("invalid_request", "playlist/define",
                                   {"name": name, "definition": definition})
                self.assertIn("a topic can't contain" if "/" not in name else "levels of a topic",
                              error["message"])
        self.ok("playlist/define", {"name": "gr\u00fc\u00df \U0001f514", "definition": definition})
        self.ok("playlist/remove", {"playlist": "gr\u00fc\u00df \U0001f514"})

    def test_unknown_field(self):
        error = self.fails("invalid_request", "playlist/start", {"playlist": "long", "offzet": 1})
        self.assertIn("offzet", error["path"] + error["message"])

    def test_wrong_types(self):
        for command, payload in (
            ("playlist/start", {"playlist": 3}),
            ("playlist/start", {}),
            ("playlist/start", {"playlist": ""}),
            ("playlist/stop", {"all": False}),
            ("event/emit", {"event_type": "a", "producer_id": -1}),
            ("event/emit", {"event_type": "a", "producer_id": 4294967296}),
            ("event/emit", {"event_type": "a", "producer_id": 1.5}),
            ("input/set", {"input": "pad", "value": 2}),
            ("input/set", {"input": "pad"}),
            ("playlist/define", {"name": "x", "definition": []}),
            ("state/get", {"producer_id": "1"}),
        ):
            with self.subTest(command, payload=payload):
                self.fails("invalid_request", command, payload)

    def test_playlist_start_and_stop_by_run(self):
        since = self.watcher.mark()
        run = self.ok("playlist/start", {"playlist": "long", "trigger_data": {"n": 1}})["run"]
        created = self.watcher.event(
            "event.playlist.created", lambda e: e["data"]["playlist_id"] == run, since)["data"]
        self.assertEqual(created["cause"], "command")
        self.assertEqual(created["trigger_event"]["data"], {"n": 1})
        self.assertEqual(self.ok("playlist/stop", {"run": run}), {"stopped": [run]})
        stopped = self.watcher.event(
            "event.playlist.stopped", lambda e: e["data"]["playlist_id"] == run, since)["data"]
        self.assertEqual(stopped["reason"], "cancelled")
        self.assertEqual(stopped["detail"], "command")
        self.fails("not_found", "playlist/stop", {"run": run}, "/run")

    def test_playlist_stop_by_name_and_all(self):
        runs = [self.ok("playlist/start", {"playlist": "long"})["run"] for _ in range(3)]
        self.assertEqual(self.ok("playlist/stop", {"playlist": "long"}), {"stopped": runs})
        self.assertEqual(self.ok("playlist/stop", {"playlist": "long"}), {"stopped": []})
        runs = [self.ok("playlist/start", {"playlist": name})["run"] for name in ("long", "only")]
        self.assertEqual(set(self.ok("playlist/stop", {"all": True})["stopped"]), set(runs))
        self.assertEqual(self.ok("playlist/runs")["runs"], [])

    def test_playlist_stop_wants_exactly_one(self):
        self.fails("invalid_request", "playlist/stop", {})
        self.fails("invalid_request", "playlist/stop", {"all": True, "playlist": "long"})
        self.fails("invalid_request", "playlist/stop", {"run": "xyz"}, "/run")
        self.fails("not_found", "playlist/stop", {"run": NO_RUN}, "/run")
        self.fails("not_found", "playlist/stop", {"playlist": "nope"}, "/playlist")

    def test_playlist_start_of_nothing(self):
        error = self.fails("not_found", "playlist/start", {"playlist": "lonk"}, "/playlist")
        self.assertIn("lonk", error["message"])

    def test_playlist_list_and_runs(self):
        names = [p["name"] for p in self.ok("playlist/list")["playlists"]]
        self.assertEqual(names, sorted(names))
        self.assertTrue(set(base_config(1)["playlists"]) <= set(names))
        run = self.ok("playlist/start", {"playlist": "long"})["run"]
        listed = {p["name"]: p["active"] for p in self.ok("playlist/list")["playlists"]}
        self.assertEqual(listed["long"], [run])
        self.assertEqual(listed["burst"], [])
        runs = self.ok("playlist/runs", {"playlist": "long"})["runs"]
        self.assertEqual([(r["run"], r["playlist"], r["state"]) for r in runs],
                         [(run, "long", "running")])
        self.assertEqual(self.ok("playlist/runs", {"playlist": "burst"})["runs"], [])
        self.fails("not_found", "playlist/runs", {"playlist": "nope"}, "/playlist")
        self.ok("playlist/stop", {"run": run})

    def test_playlist_define_redefine_remove(self):
        definition = {"steps": [{"emit": "made.tick", "data": 1}]}
        first = self.ok("playlist/define", {"name": "made", "definition": definition})
        since = self.watcher.mark()
        self.ok("playlist/start", {"playlist": "made"})
        self.assertEqual(self.watcher.event("made.tick", since=since)["data"], 1)
        definition["steps"][0]["data"] = 2
        second = self.ok("playlist/define", {"name": "made", "definition": definition})
        self.assertEqual(first, second)
        since = self.watcher.mark()
        self.ok("playlist/start", {"playlist": "made"})
        self.assertEqual(self.watcher.event("made.tick", since=since)["data"], 2)
        self.ok("playlist/remove", {"playlist": "made"})
        self.fails("not_found", "playlist/start", {"playlist": "made"})
        self.fails("not_found", "playlist/remove", {"playlist": "made"})

    def test_playlist_define_bad(self):
        good = {"steps": [{"emit": "a.b"}]}
        for definition, path in (
            ({}, "/definition"),
            ({"steps": []}, "/definition/steps"),
            ({"steps": [{"emit": "A"}]}, "/definition/steps/0/emit"),
            ({"steps": [{"emit": "gateway.gap"}]}, "/definition/steps/0/emit"),
            ({"steps": [{"emit": "a", "repeat": 2}]}, "/definition/steps/0"),
            ({"steps": [{"emit": "a", "offset": "5 parsecs"}]}, "/definition/steps/0/offset"),
            ({"stepz": []}, "/definition"),
            (dict(good, mode="twice"), "/definition/mode"),
            (dict(good, interrupts=[{"event": "x", "match": {"a": {"gt": 1, "wat": 2}}}]),
             "/definition/interrupts"),
        ):
            with self.subTest(definition=definition):
                error = self.fails("invalid_request", "playlist/define",
                                   {"name": "bad", "definition": definition})
                self.assertTrue(error["path"].startswith(path), error)
        self.fails("not_found", "playlist/start", {"playlist": "bad"})

    def test_remove_of_a_configured_definition_is_refused(self):
        self.fails("refused", "playlist/remove", {"playlist": "long"}, "/playlist")
        self.fails("refused", "gesture/remove", {"gesture": "button.double"}, "/gesture")

    def test_removing_a_playlist_cancels_its_runs(self):
        self.ok("playlist/define", {"name": "gone", "definition": {
            "steps": [{"emit": "gone.tick", "repeat": 100, "interval": "1s"}]}})
        run = self.ok("playlist/start", {"playlist": "gone"})["run"]
        since = self.watcher.mark()
        self.ok("playlist/remove", {"playlist": "gone"})
        stopped = self.watcher.event(
            "event.playlist.stopped", lambda e: e["data"]["playlist_id"] == run, since)["data"]
        self.assertEqual((stopped["reason"], stopped["detail"]), ("cancelled", "removed"))

    def test_gesture_define_list_remove(self):
        definition = {"type": "multi_tap", "count": 3, "source": "tap", "window": "30s",
                      "emit": "tap.triple"}
        made = self.ok("gesture/define", {"name": "tap.three", "definition": definition})
        listed = {g["name"]: g for g in self.ok("gesture/list")["gestures"]}
        self.assertEqual(listed["tap.three"],
                         {"name": "tap.three", "id": made["definition_id"],
                          "type": "multi_tap", "origin": "command"})
        self.assertEqual(listed["mic.gated"]["type"], "gated_mirror")
        since = self.watcher.mark()
        for _ in range(3):
            self.emit("tap")
        event = self.watcher.event("tap.triple", since=since)
        self.assertEqual(len(event["data"]["events"]), 3)
        self.ok("gesture/remove", {"gesture": "tap.three"})
        self.fails("not_found", "gesture/remove", {"gesture": "tap.three"}, "/gesture")
        self.assertNotIn("tap.three", [g["name"] for g in self.ok("gesture/list")["gestures"]])

    def test_gesture_define_bad(self):
        for definition in (
            {"type": "quadruple"},
            {"type": "double_tap", "source": "a", "emit": "b"},
            {"type": "double_tap", "source": "a", "window": "1s", "emit": "gateway.x"},
            {"type": "sequence", "emit": "b", "steps": []},
            {"type": "double_tap", "source": "a", "window": "1s", "emit": "b", "steps": []},
        ):
            with self.subTest(definition=definition):
                error = self.fails("invalid_request", "gesture/define",
                                   {"name": "bad", "definition": definition})
                self.assertTrue(error["path"].startswith("/definition"), error)

    def test_event_emit(self):
        since = self.watcher.mark()
        data = {"deep": [1, {"a": None}], "num": 12345678901234567890, "text": "\u00e4\u20ac\U0001f600"}
        seq = self.ok("event/emit", {"event_type": "any.thing", "producer_id": 42, "data": data})["seq"]
        event = self.watcher.event("any.thing", since=since)
        self.assertEqual((event["seq"], event["producer_id"], event["data"]), (seq, 42, data))
        self.ok("event/emit", {"event_type": "any.thing"})
        self.watcher.event("any.thing", lambda e: e["data"] is None and e["producer_id"] == 0, since)

    def test_event_emit_bad(self):
        for event_type in ("Any.Thing", "a..b", "", "a b", "a.b.c.d.e.f.g.h.i", "x" * 129):
            with self.subTest(event_type):
                self.fails("invalid_request", "event/emit", {"event_type": event_type},
                           "/event_type")
        for event_type in ("event.playlist.stopped", "gateway.gap", "gesture.x", "input.resync"):
            with self.subTest(event_type):
                self.fails("refused", "event/emit", {"event_type": event_type}, "/event_type")

    def test_state_get(self):
        for producer, value in ((1, "a"), (2, "b"), (1, "c")):
            self.ok("event/emit", {"event_type": "kept.state", "producer_id": producer,
                                   "data": value})
        entries = self.ok("state/get", {"event_type": "kept.state"})["entries"]
        self.assertEqual([(e["producer_id"], e["data"]) for e in entries], [(1, "c"), (2, "b")])
        entries = self.ok("state/get", {"event_type": "kept.state", "producer_id": 2})["entries"]
        self.assertEqual([e["data"] for e in entries], ["b"])
        self.assertEqual(self.ok("state/get", {"event_type": "never.seen"})["entries"], [])
        types = {e["event_type"] for e in self.ok("state/get")["entries"]}
        self.assertTrue({"kept.state", "estop.changed"} <= types)

    def test_input_set_bad(self):
        self.fails("not_found", "input/set", {"input": "nope", "value": 1}, "/input")
        self.fails("invalid_request", "input/set", {"input": "pad", "value": 1, "line": 1}, "/line")

    def test_config_check(self):
        findings = self.ok("config/check", base_config(1883))["findings"]
        # Its triggers come over MQTT, where everything may come from.
        self.assertEqual(findings, [])
        bad = base_config(1883)
        bad["inputs"]["pad"]["debonce"] = "1ms"
        findings = self.ok("config/check", bad)["findings"]
        errors = [f for f in findings if f["severity"] == "error"]
        self.assertEqual(len(errors), 1)
        self.assertIn("debounce", errors[0]["message"])
        self.assertIn("/inputs/pad", errors[0]["path"])

    def test_config_check_of_text_with_comments(self):
        payload = b'{ // a comment\n  "version": 1, "gateway": { "id": "x" }, }'
        self.assertEqual(self.control.request("config/check", payload)["result"], {"findings": []})
        result = self.control.request("config/check", b'{ "version": 1,\n  "gatewy": {} }')["result"]
        self.assertIn(2, [f["line"] for f in result["findings"]])

    def test_config_get(self):
        result = self.ok("config/get")
        self.assertEqual(result["config"]["gateway"]["id"], GATEWAY_ID)
        self.assertEqual(result["config"]["playlists"]["long"],
                         base_config(1)["playlists"]["long"])
        self.assertEqual(result["hash"], self.watcher.on_topic(P + "/info").json["config_hash"])


if __name__ == "__main__":
    unittest.main()
