# SPDX-License-Identifier: Apache-2.0
"""Shared by the tests that use a scripted broker."""

import contextlib
import json

from connection import ConnectionTest
from harness import TIMEOUT_S, P
from scripted_broker import ScriptedBroker


class ScriptedTest(ConnectionTest):
    """Derive a class for each protocol, with `protocol`."""

    protocol = "5"

    @property
    def is_v5(self):
        return self.protocol == "5"

    def setUp(self):
        super().setUp()
        self.broker = ScriptedBroker()
        self.addCleanup(self.broker.kill)
        self.asked = 0

    def settings(self, **mqtt):
        config = self.config(f"mqtt://127.0.0.1:{self.broker.port}", **mqtt)
        config["mqtt"]["protocol"] = 5 if self.is_v5 else "3.1.1"
        config["gateway"]["health_interval"] = "1h"  # nothing is published that the test did not ask for
        config["gateway"]["state_dir"] = str(self.directory / "state")
        return config

    def start_online(self, config=None):
        self.start(config or self.settings())
        self.online()
        return self.broker

    def wait(self, what, predicate, timeout_s=TIMEOUT_S):
        try:
            return self.broker.wait(what, predicate, timeout_s, self.gateway.process)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.gateway.log()}\n{self.broker.taken[-20:]}") from None

    def online(self, since=0):
        """`online` has come in a session from number `since` on."""
        def said():
            return any(p.topic == P + "/status" and p.payload == b"online"
                       for s in self.broker.sessions[since:] for p in s.packets)
        self.wait("online", said)

    def emit(self, event_type, data=1):
        self.broker.publish(f"{P}/emit/{event_type.replace('.', '/')}", json.dumps(data).encode())

    def arrived(self, event_type, since=0):
        """Envelopes that the broker took."""
        topic = f"{P}/bus/{event_type.replace('.', '/')}"
        return [json.loads(p.payload) for p in self.broker.on_topic(topic, since)]

    def wait_event(self, event_type, count=1, since=0):
        # Called after every packet: do not parse here, or the broker's thread starves.
        topic = f"{P}/bus/{event_type.replace('.', '/')}"
        self.wait(f"{count} of {event_type}",
                  lambda: len(self.broker.on_topic(topic, since)) >= count)
        return self.arrived(event_type, since)

    def emit_until_it_arrives(self, event_type):
        """Sent repeatedly: an emit may be lost with a session that ends meanwhile."""
        def arrived():
            with contextlib.suppress(OSError):
                self.emit(event_type)
            return self.arrived(event_type)
        self.until(event_type, arrived)

    def wait_distinct(self, event_type, count):
        """As wait_event(), but what a broken session made the gateway send twice counts once."""
        events = self.wait_event(event_type, count)
        while len(distinct := {e["seq"]: e for e in events}) < count:
            events = self.wait_event(event_type, len(events) + 1)
        return list(distinct.values())

    def ask(self, command, payload=None):
        """Run a command; the reply."""
        self.asked += 1
        token = f"ask-{self.asked}"
        self.broker.publish(f"{P}/cmd/{command}",
                            json.dumps(dict(payload or {}, request_id=token)).encode())

        def reply():
            for p in self.broker.on_topic(f"{P}/reply/{command}"):
                answer = json.loads(p.payload)
                if answer["request_id"] == token:
                    return answer
            return None
        return self.wait(f"reply to {command}", reply)

    def sent(self, topic):
        """All PUBLISH packets with that topic that reached the broker, taken or not."""
        return [p for s in self.broker.sessions for p in s.packets if p.topic == topic]

    def check_named(self, boot_id=None):
        """For every seq up to the last that arrived, there is the event or a gap."""
        events = [json.loads(p.payload) for p in self.broker.taken
                  if p.topic.startswith(P + "/bus/")]
        boots = {e["boot_id"] for e in events}
        gaps = [e["data"] | {"by": e["boot_id"]} for e in events if e["event_type"] == "gateway.gap"]
        for boot in boots:
            seqs = {e["seq"] for e in events if e["boot_id"] == boot}
            named = {n for g in gaps if g.get("boot_id", g["by"]) == boot
                     for n in range(g["from_seq"], g["to_seq"] + 1)}
            missing = set(range(1, max(seqs) + 1)) - seqs - named
            self.assertEqual(missing, set(), f"neither here nor named, boot {boot}: {gaps}")
            self.assertEqual(seqs & named, set(), f"here and named, boot {boot}")
