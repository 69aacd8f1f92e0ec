# SPDX-License-Identifier: Apache-2.0
"""A message after which the broker ends the session is given up, by name, after three sessions.
Nothing else is: not when a broker dies, a link breaks, or the broker is slow."""

import json
import unittest

from scripted_test import ScriptedTest
from connection import ConnectionTest
from harness import P, Client, until
from scripted_broker import CLOSE, RESET, SWALLOW, TAKE, say_disconnect

BAD = f"{P}/bus/bad/event"


def ends(topic, action):
    return lambda session, p: action if p.topic == topic else TAKE


class Both:
    def gap_of_the_bad(self):
        gap = self.wait_event("gateway.gap")[0]["data"]
        self.assertEqual((gap["count"], gap["reason"]), (1, "rejected"))
        return gap["from_seq"]

    def test_a_poisonous_event(self):
        for action in (CLOSE, RESET):
            with self.subTest(action):
                self.setUp()
                broker = self.start_online()
                broker.on_publish = ends(BAD, action)
                self.emit("good.event", 1)
                self.emit("bad.event")
                self.emit("good.event", 2)
                good = self.wait_distinct("good.event", 2)
                self.assertEqual([e["data"] for e in good], [1, 2])
                seq = self.gap_of_the_bad()
                self.assertTrue(good[0]["seq"] < seq < good[1]["seq"])
                self.check_named()
                # Once among others, then alone; never a fourth time alone.
                self.assertIn(len(self.sent(BAD)), (3, 4))
                self.assertIn(f"'{BAD}' is given up: the broker ends the session", self.gateway.log())
                self.assertNotIn("client id", self.gateway.log())
                self.gateway.stop()

    def test_among_a_full_window_of_others(self):
        broker = self.start_online()
        broker.on_publish = lambda s, p: SWALLOW  # until all are in flight
        for n in range(10):
            self.emit("good.event", n)
        self.emit("bad.event")
        for n in range(10, 19):
            self.emit("good.event", n)
        self.wait("all in flight", lambda: len(self.sent(f"{P}/bus/good/event")) == 19)
        broker.on_publish = ends(BAD, CLOSE)
        broker.session.end()
        good = self.wait_distinct("good.event", 19)
        self.assertEqual([e["data"] for e in good], list(range(19)))
        self.gap_of_the_bad()
        self.check_named()
        self.gateway.stop()

    def test_a_poisonous_view(self):
        config = self.settings()
        config["playlists"] = {name: {"steps": [{"emit": "a.b"}]} for name in ("one", "two", "three")}
        view = f"{P}/playlist/two"
        self.broker.on_publish = ends(view, CLOSE)
        self.start_online(config)
        self.assertIn(len(self.sent(view)), (3, 4))
        self.assertEqual({p.topic for p in self.broker.taken if p.topic.startswith(P + "/playlist")},
                         {f"{P}/playlist/one", f"{P}/playlist/three"})
        # In the next session it is not even tried, and nothing is logged again.
        sessions, sent = len(self.broker.sessions), len(self.sent(view))
        self.broker.session.end()
        self.online(since=sessions)
        self.assertEqual(len(self.sent(view)), sent)
        self.assertEqual(self.gateway.log().count(f"'{view}' is given up"), 1, self.gateway.log())
        self.gateway.stop()

    def test_a_poisonous_health(self):
        """At QoS 0 no acknowledgement comes."""
        config = self.settings()
        config["gateway"]["health_interval"] = "100ms"
        self.broker.on_publish = ends(f"{P}/health", CLOSE)
        self.start_online(config)
        self.wait("given up", lambda: f"'{P}/health' is given up" in self.gateway.log())
        sessions = len(self.broker.sessions)
        self.online(since=sessions - 1)
        sessions = len(self.broker.sessions)
        for n in range(20):
            self.emit("good.event", n)
            self.wait_event("good.event", n + 1)
        self.assertEqual(len(self.broker.sessions), sessions)
        self.gateway.stop()

    def test_a_poisonous_reply(self):
        broker = self.start_online()
        broker.on_publish = ends(f"{P}/reply/ping", CLOSE)
        self.broker.publish(f"{P}/cmd/ping", b'{"request_id":"x"}')
        self.emit_until_it_arrives("good.event")
        self.wait("given up", lambda: f"{P}/reply/ping' is given up" in self.gateway.log())
        broker.on_publish = lambda s, p: TAKE
        self.emit("last.event")
        self.wait_event("last.event")
        self.assertEqual(self.arrived("gateway.gap"), [])
        self.gateway.stop()

    def test_a_swallowed_message(self):
        """The broker goes on and never acknowledges it. Takes three of the gateway's timeouts."""
        broker = self.start_online()
        broker.on_publish = ends(BAD, SWALLOW)
        self.emit("bad.event")
        self.emit("good.event")
        self.wait("later ones acknowledged, that one not",
                  lambda: "acknowledged later messages, but" in self.gateway.log())
        broker.on_publish = lambda s, p: TAKE
        self.wait_event("bad.event")
        self.check_named()
        self.gateway.stop()

    def test_a_broker_killed_again_and_again(self):
        """Each time with the same message unacknowledged, alone and in company."""
        for company in (0, 5):
            with self.subTest(company=company):
                self.setUp()
                broker = self.start_online()
                head = f"{P}/bus/head/event"
                broker.on_publish = ends(head, SWALLOW)
                self.emit("head.event")
                for n in range(company):
                    self.emit("good.event", n)
                for n in range(4):
                    self.wait("the head in flight", lambda n=n: len(self.sent(head)) > n)
                    broker.kill()
                    attempts = self.gateway.log().count("no connection to the broker")
                    self.wait("an attempt that fails", lambda: self.gateway.log().count(
                        "no connection to the broker") > attempts)
                    broker.start()
                broker.on_publish = lambda s, p: TAKE
                self.wait_event("head.event")
                if company:
                    self.wait_event("good.event", company)
                self.assertEqual(self.arrived("gateway.gap"), [])
                self.check_named()
                self.gateway.stop()

    def test_a_link_that_breaks_at_random(self):
        """Each session breaks after a different publish: no message is the cause."""
        broker = self.start_online()
        breaks_at = [3, 1, 2, 3, 1, 2]

        def breaks(session, p):
            n = len([q for q in session.packets if q.topic])
            if not breaks_at or n < breaks_at[0]:
                return TAKE
            breaks_at.pop(0)
            return RESET
        for n in range(5):
            self.emit("good.event", n)
        self.wait_event("good.event", 5)
        broker.on_publish = breaks
        broker.session.end()
        self.wait("the last break", lambda: not breaks_at)
        self.emit_when_online("good.event", 5)
        self.wait_event("good.event", 6)
        self.assertEqual(self.arrived("gateway.gap"), [])
        self.check_named()
        self.gateway.stop()

    def emit_when_online(self, event_type, data):
        """Only in a session that continues: a message to one that ends is lost."""
        def goes_on():
            session, taken = self.broker.session, self.broker.taken
            return any(p.topic == P + "/status" and any(p is q for q in taken)
                       for p in session.packets) and not session.ended
        self.wait("a session that goes on", goes_on)
        self.emit(event_type, data)


class V5(Both, ScriptedTest):
    def test_a_reason_that_blames_the_message(self):
        broker = self.start_online()
        broker.on_publish = ends(BAD, say_disconnect(0x95))
        self.emit("bad.event")
        self.emit("good.event")
        self.wait_event("good.event")
        self.gap_of_the_bad()
        self.gateway.stop()

    def test_reasons_that_do_not(self):
        """Whatever the broker's own reason to close, the message is not to blame. The others:
        unit.mqtt_reason."""
        broker = self.start_online()
        reasons = [0x88, 0x89, 0x8B, 0x98, 0x9C]

        def says(session, p):
            return say_disconnect(reasons.pop()) if p.topic == BAD and reasons else TAKE
        broker.on_publish = says
        self.emit("bad.event")
        self.wait_event("bad.event")
        self.assertEqual(reasons, [])
        self.assertEqual(self.arrived("gateway.gap"), [])
        self.check_named()
        self.gateway.stop()


class V311(Both, ScriptedTest):
    protocol = "3.1.1"


class SmallMosquitto(ConnectionTest):
    """mosquitto with max_packet_size 3000: over 3.1.1 it closes the connection."""

    def check(self, protocol):
        broker = self.new_broker("small-" + protocol, "allow_anonymous true", "max_packet_size 3000")
        config = self.config(f"mqtt://127.0.0.1:{broker.port}")
        config["mqtt"]["protocol"] = 5 if protocol == "5" else protocol
        config["gateway"]["state_dir"] = str(self.directory / f"state-{protocol}")
        config["playlists"] = {
            "large": {"steps": [{"emit": "a.b", "data": "x" * 3200}]},
            "small": {"steps": [{"emit": "a.b"}]}}
        client = Client(broker, protocol=protocol)
        self.addCleanup(client.close)
        client.subscribe(P + "/#")
        self.start(config)
        client.message("online", lambda m: m.topic == P + "/status" and m.payload == b"online")
        for name, data in (("small", 1), ("big", "y" * 2880)):
            client.publish(f"{P}/emit/a/{name}", json.dumps(data))
        self.log_has(f"'{P}/bus/a/big' is given up")
        since = client.mark()
        client.message("health of a session", lambda m: m.topic == P + "/health"
                       and m.json["mqtt"]["connected"], since)
        client.publish(f"{P}/emit/a/small", b"2")
        client.event("a.small", lambda e: e["data"] == 2)
        gap = client.event("gateway.gap")["data"]
        self.assertEqual(gap["count"], 1)
        self.assertIn(gap["reason"], ("rejected", "too_large"))
        self.assertEqual([e["data"] for e in client.events("a.small")][:2], [1, 2])
        self.assertEqual(self.gateway.log().count(f"'{P}/playlist/large' is given up"), 1,
                         self.gateway.log())
        self.assertTrue(any(m.topic == f"{P}/playlist/small" for m in client.messages))
        self.gateway.stop()

    def test_5(self):
        self.check("5")

    def test_311(self):
        self.check("3.1.1")

    def test_a_topic_of_200_levels(self):
        """mosquitto closes the connection for it. The gateway refuses such response topics or
        gives the reply up; either way it stays on the air."""
        broker = self.new_broker("deep", "allow_anonymous true")
        self.start(self.config(f"mqtt://127.0.0.1:{broker.port}", protocol=5))
        client = Client(broker, protocol="5")
        self.addCleanup(client.close)
        client.subscribe(P + "/#")
        client.message("online", lambda m: m.payload == b"online")
        # Later versions (2.0.21) already close the connection of a client that asks for it.
        other = Client(broker, protocol="5")
        self.addCleanup(other.close)
        other.publish(f"{P}/cmd/ping", b"{}", qos=0, response=f"{P}/reply/" + "a/" * 198 + "a")

        def answers():
            client.publish(f"{P}/emit/good/event", b"1")
            return client.events("good.event")
        until("on the air", answers, process=self.gateway.process)
        client.request("ping")
        self.assertNotIn("another client", self.gateway.log())
        self.gateway.stop()


if __name__ == "__main__":
    unittest.main()
