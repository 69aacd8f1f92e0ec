# SPDX-License-Identifier: Apache-2.0
"""Careless and hostile publishers, one kind each, end to end: what they have no right to is refused,
and what they have a right to harms nobody else. The configurations use only keys that the gateway
had when each of these faults was found."""

import json
import pathlib
import subprocess
import time
import unittest

from connection import ConnectionTest
from counting import scaled
from harness import TIMEOUT_S, Client, P, find_program, limit_s

FLOODS, FLOOD = 4, scaled(20000, 2000)
DEFINED = 60


class Publishers(ConnectionTest):
    def setUp(self):
        super().setUp()
        self.broker = self.new_broker("broker", "allow_anonymous true")
        self.state = self.folder("state")
        self.client = Client(self.broker, "client")
        for topic in ("bus/#", "health", "status"):
            self.client.subscribe(f"{P}/{topic}")
        self.addCleanup(self.client.close)

    def run_gateway(self, remote=None, **sections):
        config = self.config(f"mqtt://127.0.0.1:{self.broker.port}",
                             remote={"cmd": True} if remote is None else remote)
        config["gateway"]["state_dir"] = str(self.state)
        config["gateway"]["health_interval"] = "200ms"
        config.update(sections)
        since = self.client.mark()
        self.start(config)
        self.online(since)

    def online(self, since):
        self.client.message("online", lambda m: m.topic == f"{P}/status" and m.payload == b"online", since)

    def emit(self, event_type, data):
        self.client.publish(f"{P}/emit/{event_type.replace('.', '/')}", json.dumps(data).encode())

    def define(self, name, steps, **more):
        return self.client.request_raw("playlist/define", {
            "name": name, "definition": {"steps": steps, **more}})

    def ping(self, timeout_s=TIMEOUT_S):
        self.assertTrue(self.client.request_raw("ping", timeout_s=timeout_s)["ok"])

    def is_refused(self, reply):
        self.assertFalse(reply["ok"], reply)
        self.assertEqual(reply["error"]["code"], "refused", reply)

    # ---- without the right ----

    def test_define_over_a_name_of_the_configuration(self):
        self.run_gateway(playlists={"blink": {"steps": [{"emit": "lamp.set"}]}})
        for _ in range(2):
            self.is_refused(self.define("blink", [{"emit": "x.y"}]))
            since = self.client.mark()
            self.assertTrue(self.client.request_raw("playlist/start", {"playlist": "blink"})["ok"])
            self.client.event("event.playlist.stopped", since=since)
            self.assertEqual(len(self.client.events("lamp.set", since)), 1)
            self.assertEqual(self.client.events("x.y"), [])
            self.gateway.stop()
            since = self.client.mark()
            self.gateway.start()
            self.online(since)
        self.gateway.stop()

    def test_define_what_they_may_not_emit(self):
        self.run_gateway({"cmd": True, "emit": ["go.go"]})
        self.is_refused(self.define("motor", [{"emit": "motor.set"}]))
        self.assertFalse(self.client.request_raw("playlist/start", {"playlist": "motor"})["ok"])
        self.assertTrue(self.define("go", [{"emit": "go.go"}])["ok"])
        self.assertTrue(self.client.request_raw("playlist/start", {"playlist": "go"})["ok"])
        self.client.event("go.go")
        self.assertEqual(self.client.events("motor.set"), [])
        self.gateway.stop()

    def test_emit_the_event_of_an_input(self):
        """An emergency stop that was pushed is not released from outside."""
        self.run_gateway(inputs={"estop": {"driver": "sim", "kind": "switch",
                                           "producer_id": 3, "event": "estop.changed"}},
                         playlists={"belt": {"trigger": {"event": "estop.changed",
                                                         "match": {"state": False}},
                                             "steps": [{"emit": "belt.run"}]}})
        self.assertTrue(self.client.request_raw("input/set", {"input": "estop", "value": 1})["ok"])
        since = self.client.mark()
        self.emit("estop.changed", {"state": False})
        reply = self.client.request_raw("event/emit", {
            "event_type": "estop.changed", "producer_id": 3, "data": {"state": False}})
        self.is_refused(reply)
        refused = self.client.event("gateway.refused", since=since)["data"]
        self.assertEqual((refused["topic"], refused["code"]), (f"{P}/emit/estop/changed", "refused"))
        self.emit("after.all", 1)
        self.client.event("after.all", since=since)
        self.assertEqual(self.client.events("estop.changed", since), [])
        self.assertEqual(self.client.events("belt.run", since), [])
        self.gateway.stop()

    # ---- with the right ----

    def written(self):
        fields = pathlib.Path(f"/proc/{self.gateway.process.pid}/io").read_text().split()
        return int(fields[fields.index("wchar:") + 1])

    def test_define_again_and_again(self):
        """One more definition is written, whatever is there already."""
        self.run_gateway()
        costs = []
        for number in range(DEFINED):
            before = self.written()
            self.assertTrue(self.define(f"p{number}", [{"emit": "a.b", "data": "d" * 30000}])["ok"])
            costs.append(self.written() - before)
        first, last = sum(costs[5:15]), sum(costs[-10:])
        self.assertLess(last, 3 * first, costs)
        self.gateway.stop()

    def test_emit_as_fast_as_they_can(self):
        self.run_gateway()
        lines = self.directory / "lines"
        lines.write_text("1\n" * FLOOD)
        floods = []
        for _ in range(FLOODS):
            with open(lines, "rb") as file:
                floods.append(subprocess.Popen(
                    [find_program("mosquitto_pub"), "-h", "127.0.0.1", "-p", str(self.broker.port),
                     "-t", f"{P}/emit/z/z", "-q", "0", "-l"], stdin=file))
        for flood in floods:
            self.assertEqual(flood.wait(limit_s(60)), 0)
        self.ping(limit_s(2))
        self.gateway.stop()

    def test_start_what_feeds_itself(self):
        self.run_gateway(playlists={"storm": {"trigger": "z.z", "max_runs": 1000000, "steps": [
            {"emit": "z.z", "offset": "1ms"}, {"emit": "z.z", "offset": "1ms"}]}})
        self.emit("z.z", 1)
        time.sleep(1)  # it doubles every millisecond: all that it can be by then
        self.ping()
        self.gateway.process.terminate()
        self.gateway.process.wait(limit_s(10))
        self.assertEqual(self.gateway.process.returncode, 0, self.gateway.log()[-2000:])

    def test_start_with_much_data(self):
        """It is quoted once, where the run begins."""
        self.run_gateway(playlists={"busy": {"steps": [
            {"emit": "a.b", "repeat": 300, "interval": "1ms"}]}})
        reply = self.client.request_raw("playlist/start", {
            "playlist": "busy", "trigger_data": {"text": "t" * 60000}})
        self.assertTrue(reply["ok"], reply)
        self.client.event("event.playlist.stopped")
        sizes = {}
        for message in self.client.messages:
            sizes.setdefault(message.topic.rpartition("/")[2], []).append(len(message.payload))
        self.assertGreater(max(sizes["created"]), 60000)
        self.assertEqual(len(sizes["emitted"]), 300)
        self.assertLess(max(sizes["emitted"]), 4096)
        self.gateway.stop()

    def test_set_an_output_to_what_is_no_level(self):
        """The value of an output is the event's data where no `value` says otherwise."""
        self.run_gateway(outputs={"lamp": {"driver": "sim", "on_event": "lamp.set"}})
        for data in ({"on": False}, "OFF"):
            self.emit("lamp.set", data)
        self.client.event("lamp.set", lambda e: e["data"] == "OFF")

        def seen(since):
            outputs = self.client.on_topic(P + "/health", since).json["outputs"]
            return outputs["levels"].get("lamp"), outputs["ignored"]
        self.until("both ignored", lambda: seen(self.client.mark())[1] == 2)
        self.assertEqual(seen(self.client.mark())[0], 0)
        self.gateway.stop()

    # ---- files ----

    def test_a_link_in_the_place_of_a_file(self):
        secret = self.directory / "secret"
        secret.write_text("untouched")
        (self.state / "definitions.json.tmp").symlink_to(secret)
        self.run_gateway()
        self.assertTrue(self.define("p", [{"emit": "a.b"}])["ok"])
        self.gateway.stop()
        self.assertEqual(secret.read_text(), "untouched")

    def test_a_password_file_with_a_byte_order_mark(self):
        accounts = self.directory / "accounts"
        subprocess.run([find_program("mosquitto_passwd"), "-c", "-b", str(accounts), "porch", "s3cret"],
                       check=True, stderr=subprocess.DEVNULL)
        broker = self.new_broker("guarded", "allow_anonymous false", f"password_file {accounts}")
        password = self.directory / "password"
        password.write_bytes(b"\xef\xbb\xbfs3cret\r\n")
        password.chmod(0o600)
        self.start(self.config(f"mqtt://127.0.0.1:{broker.port}", username="porch",
                               password_file=str(password)))
        self.log_has("connected to mqtt://")
        self.gateway.stop()


if __name__ == "__main__":
    unittest.main()
