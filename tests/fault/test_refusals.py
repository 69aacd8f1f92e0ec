# SPDX-License-Identifier: Apache-2.0
"""What a broker refuses is refused once, and what it acknowledged counts, whatever follows."""

import json
import unittest

from scripted_test import ScriptedTest
from harness import P
from scripted_broker import CLOSE, TAKE, refuse, take_then


class Both:
    def test_acknowledgements_before_the_end_count(self):
        """mosquitto 2.0.11 answers a PUBLISH that its ACL forbids so: PUBACK, then the end."""
        bad = f"{P}/bus/bad/event"
        broker = self.start_online()
        broker.on_publish = lambda s, p: take_then(CLOSE) if p.topic == bad else TAKE
        for name in ("bad.event", "good.event"):
            self.emit(name)
        self.wait_event("good.event")
        self.assertEqual(len(self.sent(bad)), 1)
        self.check_named()
        self.gateway.stop()

    def test_views_that_change_all_the_time(self):
        """The views change faster than the link carries them: one pass, then `online`."""
        config = self.settings(window=1)
        config["inputs"] = {"begin": {"driver": "sim", "kind": "switch", "event": "begin.now"}}
        config["playlists"] = {f"p{n}": {"trigger": "go.go", "steps": [
            {"emit": f"n.n{n}", "offset": "100ms"}]} for n in range(20)}
        config["playlists"]["beat"] = {"trigger": "begin.now", "steps": [
            {"emit": "go.go", "repeat": 100000, "interval": "200ms"}]}
        config["mqtt"]["qos"] = {"n.*": "off", "event.*": "off", "go.*": "off"}

        def slow(session, p):
            with self.broker.condition:
                self.broker.condition.wait(0.03)  # the link
            return TAKE
        self.broker.on_publish = slow
        self.start_online(config)
        self.assertEqual(len(self.broker.sessions), 1)
        pass_ = [p.topic for p in self.broker.session.packets if p.topic.startswith(P + "/playlist/")
                 ][:len(config["playlists"])]
        self.assertEqual(len(set(pass_)), len(pass_), "a view was sent twice in the pass")
        self.gateway.stop()


class V5(Both, ScriptedTest):
    def test_news_of_lost_news_is_not_told(self):
        config = self.settings()
        config["gateway"]["health_interval"] = "100ms"  # each of them reports losses
        broker = self.start_online(config)
        broker.on_publish = lambda s, p: refuse(0x87) if p.topic.startswith(P + "/bus/") else TAKE
        self.emit("one.event")
        self.wait("the gap", lambda: self.sent(f"{P}/bus/gateway/gap"))
        # Whatever follows of it has followed when these are answered.
        for _ in range(20):
            self.assertTrue(self.ask("ping")["ok"])
        sent = [p.topic for s in broker.sessions for p in s.packets
                if p.topic.startswith(P + "/bus/")]
        self.assertEqual(sent, [f"{P}/bus/one/event", f"{P}/bus/gateway/gap"])
        broker.on_publish = lambda s, p: TAKE
        self.gateway.stop()

    def test_a_refused_gap_is_counted(self):
        config = self.settings()
        config["gateway"]["health_interval"] = "100ms"
        broker = self.start_online(config)
        broker.on_publish = lambda s, p: refuse(0x87) if p.topic.startswith(P + "/bus/") else TAKE
        self.emit("one.event")

        def counted():
            return any(json.loads(p.payload)["mqtt"]["gaps_refused"] == 1
                       for p in broker.on_topic(P + "/health"))
        self.wait("the counter", counted)
        self.gateway.stop()


class V311(Both, ScriptedTest):
    protocol = "3.1.1"


if __name__ == "__main__":
    unittest.main()
