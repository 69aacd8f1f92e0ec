# SPDX-License-Identifier: Apache-2.0
"""What outside publishers can make the gateway keep, with its default limits: the process never
needs more than 128 MiB, what does not fit is counted, and a ping is answered.

The data is the most expensive kind: small numbers, whose parsed tree takes sixteen times their
bytes, and quotes, which take two bytes each when they are quoted.
"""

import json
import pathlib
import re
import unittest

from connection import ConnectionTest
from counting import SANITIZED
from harness import BROKER_LINES, P, TIMEOUT_S, Client

MOST_KIB = 128 * 1024
NUMBERS = [1] * 29000  # 58 KB
QUOTES = '"' * 29000   # 58 KB, as JSON


@unittest.skipIf(SANITIZED, "a sanitizer's own memory is several times the program's")
class Memory(ConnectionTest):
    def setUp(self):
        super().setUp()
        self.broker = self.new_broker("broker", *BROKER_LINES)
        self.client = Client(self.broker, "memory")
        self.addCleanup(self.client.close)
        self.client.subscribe(f"{P}/status").subscribe(f"{P}/health")

    def run_gateway(self, **parts):
        config = self.config(f"mqtt://127.0.0.1:{self.broker.port}")
        config["gateway"]["state_dir"] = str(self.directory / "state")
        config.update(parts)
        self.start(config)
        self.client.message("online", lambda m: m.topic == f"{P}/status"
                            and m.payload == b"online")

    def emit(self, event_type, data, producer=0):
        self.client.publish(f"{P}/cmd/event/emit", json.dumps({
            "event_type": event_type, "producer_id": producer, "data": data},
            separators=(",", ":")))

    def is_bounded(self):
        """@return P/health, after all that was sent."""
        self.assertTrue(self.client.request("ping", timeout_s=4 * TIMEOUT_S)["ok"])
        text = pathlib.Path(f"/proc/{self.gateway.process.pid}/status").read_text()
        peak_kib = int(re.search(r"VmHWM:\s+(\d+) kB", text)[1])
        self.assertLess(peak_kib, MOST_KIB)
        since = self.client.mark()
        return self.client.on_topic(f"{P}/health", since).json

    def test_states_that_a_match_reads(self):
        self.run_gateway(playlists={"p": {
            "trigger": {"event": "data.new", "match": {"/n": 2}}, "steps": [{"emit": "x"}]}})
        for producer in range(400):
            self.emit("data.new", {"a": NUMBERS, "n": 1}, producer)
        bus = self.is_bounded()["bus"]
        self.assertGreater(bus["state_refused"], 0)
        self.assertLessEqual(bus["state_bytes"], 16 * 1024 * 1024)

    def test_types_whose_latest_is_kept(self):
        self.run_gateway()
        for n in range(400):
            self.emit(f"data.n{n}", NUMBERS)
        self.assertGreater(self.is_bounded()["bus"]["state_refused"], 0)

    def test_gestures_that_quote(self):
        gestures = {f"g{n}": {"type": "double_tap" if n % 2 else "simultaneous",
                              "source": "data.new", "window": "30s", "emit": f"pair.n{n}"}
                    for n in range(120)}
        for n in range(0, 120, 2):
            gestures[f"g{n}"]["required_sources"] = 2
        playlists = {f"p{n}": {"trigger": {"event": f"pair.n{n}", "match": {"/events/0/data": 2}},
                               "steps": [{"emit": "x"}]} for n in range(120)}
        self.run_gateway(gestures=gestures, playlists=playlists)
        for producer in (1, 2, 1):
            self.emit("data.new", NUMBERS, producer)
        self.assertGreaterEqual(self.is_bounded()["gestures"]["fired"], 120)

    def test_events_that_gestures_keep(self):
        self.run_gateway(gestures={f"g{n}": {
            "type": "sequence", "emit": "code.entered", "steps": [
                {"event": "key.press", "match": {"/n": 1}}, {"event": "never.pressed"}]}
            for n in range(10)})
        for producer in range(500):
            self.emit("key.press", {"a": NUMBERS, "n": 1}, producer)
        gestures = self.is_bounded()["gestures"]
        self.assertGreater(gestures["kept_forgotten"], 0)
        self.assertLessEqual(gestures["kept_bytes"], 16 * 1024 * 1024)

    def test_runs_that_quote_their_trigger(self):
        self.run_gateway(playlists={f"p{n}": {
            "trigger": "data.new", "on_restart": "resume",
            "steps": [{"emit": "x", "offset": "10m"}]} for n in range(300)})
        for n in range(4):
            self.emit("data.new", [QUOTES, n])
        self.assertEqual(self.is_bounded()["playlists"]["active_runs"], 1200)
        self.gateway.kill()
        since = self.client.mark()
        self.gateway.start()
        self.client.message("online", lambda m: m.topic == f"{P}/status"
                            and m.payload == b"online", since)
        self.assertEqual(self.is_bounded()["playlists"]["active_runs"], 1200)


if __name__ == "__main__":
    unittest.main()
