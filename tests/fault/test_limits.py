# SPDX-License-Identifier: Apache-2.0
"""A broker with lower limits: the gateway obeys those of its CONNACK, and finds out by trial those
that MQTT 3.1.1 can't express."""

import subprocess
import time
import unittest

from scripted_test import ScriptedTest
from connection import ConnectionTest
from harness import GATEWAY_ID, SLOW, P, Client, find_program, limit_s, until
from mqtt_packets import connack
from scripted_broker import CLOSE, SWALLOW, TAKE


class V5(ScriptedTest):
    def limited(self, **values):
        self.broker.on_connect = lambda s, p: connack(True, 0, values)

    def check_alive(self):
        self.emit("good.event")
        self.wait_event("good.event")
        self.assertTrue(self.ask("ping")["ok"])

    def test_server_keep_alive(self):
        self.limited(server_keep_alive=10)
        self.start_online(self.settings(keepalive="60s"))
        self.assertEqual(self.broker.sessions[-1].connect.keep_alive, 10)
        self.assertTrue(all(s.regular for s in self.broker.sessions[:-1]))
        self.log_has("keep alive is 10 s")
        self.check_alive()
        # Also from the start of the session after a break.
        sessions = len(self.broker.sessions)
        self.broker.session.end()
        self.online(since=sessions)
        self.assertEqual([s.connect.keep_alive for s in self.broker.sessions[sessions:]], [10])
        self.gateway.stop()

    def test_a_longer_keep_alive_changes_nothing(self):
        self.limited(server_keep_alive=600)
        self.start_online(self.settings(keepalive="60s"))
        self.assertEqual([s.connect.keep_alive for s in self.broker.sessions], [60])
        self.gateway.stop()

    def test_maximum_qos(self):
        self.limited(maximum_qos=0)
        self.broker.on_publish = lambda s, p: CLOSE if p.qos else TAKE
        self.start_online()
        self.check_alive()
        self.assertEqual({p.qos for s in self.broker.sessions for p in s.packets if p.topic}, {0})
        self.log_has("QoS 0 only")
        self.gateway.stop()

    def test_maximum_qos_refuses_the_will(self):
        def answers(session, p):
            return connack(True, 0x9B if p.will.qos else 0, {"maximum_qos": 0})
        self.broker.on_connect = answers
        self.start_online()
        self.check_alive()
        self.assertNotIn("no connection", self.gateway.log())
        self.gateway.stop()

    def test_no_retained_messages(self):
        def answers(session, p):
            return connack(True, 0x9A if p.will.retain else 0, {"retain_available": 0})
        self.broker.on_connect = answers
        self.broker.on_publish = lambda s, p: CLOSE if p.retain else TAKE
        self.start_online()
        self.check_alive()
        self.log_has("no retained messages")
        self.assertNotIn("no connection", self.gateway.log())
        self.gateway.stop()

    def test_both(self):
        def answers(session, p):
            code = 0x9A if p.will.retain else 0x9B if p.will.qos else 0
            return connack(True, code, {"retain_available": 0, "maximum_qos": 0,
                                        "server_keep_alive": 7})
        self.broker.on_connect = answers
        self.broker.on_publish = lambda s, p: CLOSE if p.retain or p.qos else TAKE
        self.start_online()
        self.check_alive()
        self.gateway.stop()

    def test_receive_maximum(self):
        """Never more unacknowledged than it takes, views included."""
        self.limited(receive_maximum=2)
        most = [0]
        flying = []

        def slow(session, p):
            if not p.qos:
                return TAKE
            flying.append(p.number)
            most[0] = max(most[0], len(flying))
            if len(flying) < 2:
                return SWALLOW  # answered with the next
            for number in flying:
                session.send(b"\x40\x02" + number.to_bytes(2, "big"))
            self.broker.taken.append(p)
            flying.clear()
            return SWALLOW
        config = self.settings()
        config["playlists"] = {f"p{n}": {"steps": [{"emit": "a.b"}]} for n in range(9)}
        self.broker.on_publish = slow
        self.start(config)
        self.wait("views", lambda: len([p for s in self.broker.sessions for p in s.packets
                                        if p.topic]) >= 10)
        self.broker.on_publish = lambda s, p: TAKE
        self.assertEqual(most[0], 2)
        self.gateway.kill()

    def test_no_wildcards(self):
        self.limited(wildcards=0)
        self.start_online()
        self.log_has("no subscriptions with wildcards")
        self.gateway.stop()

    def test_other_properties_do_no_harm(self):
        self.limited(assigned_client_id="other", session_expiry=5, topic_alias_maximum=9,
                     subscription_ids=0, shared=0, server_reference="elsewhere", reason="because",
                     response_info="x", maximum_packet_size=1 << 20)
        self.start_online()
        self.check_alive()
        self.gateway.stop()


class V311(ScriptedTest):
    protocol = "3.1.1"

    def test_learnt_by_trial(self):
        """Closed without an answer, as mosquitto does for a will that it does not take."""
        for what, bad in (("no retained messages", lambda p: p.retain),
                          ("QoS 0 only", lambda p: p.qos > 0)):
            with self.subTest(what):
                self.setUp()
                broker = self.broker
                broker.on_connect = lambda s, p, bad=bad: None if p.will and bad(p.will) \
                    else connack(False)
                broker.on_publish = lambda s, p, bad=bad: CLOSE if bad(p) else TAKE
                self.start_online()
                self.log_has(what)
                self.emit("good.event")
                self.wait_event("good.event")
                self.gateway.stop()

    def test_a_broker_that_was_silent_for_another_reason(self):
        """The broker finally accepts everything: no limit remains from the trials."""
        left = [4]

        def answers(session, p):
            left[0] -= 1
            return None if left[0] >= 0 else connack(False)
        self.broker.on_connect = answers
        self.start_online()
        self.assertTrue(self.broker.session.connect.will.retain)
        self.assertEqual(self.broker.session.connect.will.qos, 1)
        self.assertNotIn("only", self.gateway.log())
        self.gateway.stop()

    def test_a_stop_while_terms_are_tried(self):
        """A broker that is slow to refuse the full terms: none of the attempts that would follow
        is made once the gateway is to end."""
        connects = []

        def answers(session, p):
            if not p.will:
                return None  # looks for the cause
            connects.append(p)
            if not p.will.retain:
                return connack(False)
            if len(connects) > 2:
                time.sleep(2 * SLOW)
            return None
        self.broker.on_connect = answers
        self.start(self.settings())
        self.wait("a trial and another attempt on the full terms",
                  lambda: len(connects) > 2 and connects[-1].will.retain and
                  any(not p.will.retain for p in connects))
        self.gateway.stop()
        after = len(connects)
        self.assertLess(after, 6, "connects although it was to end")

    def test_keep_alive(self):
        """mosquitto with max_keepalive refuses the client id over 3.1.1."""
        self.broker.on_connect = lambda s, p: connack(False, 2 if p.keep_alive > 10 else 0)
        self.start_online(self.settings(keepalive="60s"))
        self.assertEqual(self.broker.session.connect.keep_alive, 7)
        self.log_has("keep alive is 7 s")
        self.gateway.stop()


class PatientClient(Client):
    """Within the keep alive that the broker of the test allows: paho does not obey it."""

    keepalive_s = 5


def times_out_early():
    """mosquitto 2.0.21 with max_keepalive: "has exceeded timeout" also where a packet has just come."""
    told = subprocess.run([find_program("mosquitto"), "-h"], capture_output=True, text=True,
                          check=False, timeout=limit_s(60))
    return "version 2.0.21" in told.stdout + told.stderr


class Mosquitto(ConnectionTest):
    def check(self, protocol, line, **mqtt):
        broker = self.new_broker("b", "allow_anonymous true", line)
        client = PatientClient(broker, protocol=protocol)
        self.addCleanup(client.close)
        client.subscribe(P + "/#")
        config = self.config(f"mqtt://127.0.0.1:{broker.port}", **mqtt)
        config["mqtt"]["protocol"] = 5 if protocol == "5" else protocol
        config["gateway"]["health_interval"] = "20s"  # nothing else is sent meanwhile
        self.start(config)
        client.message("online", lambda m: m.topic == P + "/status" and m.payload == b"online")

        def arrives():
            client.publish(f"{P}/emit/good/event", b"1", qos=0, wait=False)
            return client.events("good.event")
        until("an event", arrives, process=self.gateway.process)
        return client

    def test_max_qos(self):
        for protocol in ("5", "3.1.1"):
            with self.subTest(protocol):
                self.setUp()
                self.check(protocol, "max_qos 0")
                self.log_has("QoS 0 only")
                self.gateway.stop()

    def test_retain_available(self):
        for protocol in ("5", "3.1.1"):
            with self.subTest(protocol):
                self.setUp()
                self.check(protocol, "retain_available false")
                self.log_has("no retained messages")
                self.gateway.stop()

    def test_max_keepalive(self):
        """Idle for longer than the broker allows, it stays."""
        client = self.check("5", "max_keepalive 10\nlog_type notice", keepalive="60s")
        self.log_has("keep alive is 10 s")
        broker = (self.directory / "b" / "mosquitto.log").read_text()
        self.assertIn(f"as cuebus-{GATEWAY_ID} (p5, c1, k10)", broker)
        client.message("the second health", lambda m: m.topic == P + "/health"
                       and m.json["uptime_s"] >= 17)
        if not times_out_early():
            self.assertNotIn("lost", self.gateway.log())
        self.gateway.stop()


if __name__ == "__main__":
    unittest.main()
