# SPDX-License-Identifier: Apache-2.0
"""Foreign messages on the gateway's own retained topics: a late will, removed names, floods, and
topics that only look like the gateway's."""

import json
import socket
import struct
import time
import unittest

from environment import IS_V5
from faulty_network import Proxy
from harness import P, TIMEOUT_S, IntegrationTest, base_config, until

CLEAR_MAX = 1000
OTHERS = ("cuebus/1/other/input/ghost", "cuebus/1/input/ghost", f"{P}x/input/ghost",
          f"{P}/other/ghost", f"{P}/input", f"{P}/inputs/ghost", f"x/{P}/input/ghost")


def utf8(text):
    data = text.encode()
    return struct.pack(">H", len(data)) + data


def connect_with_will(port, topic, payload):
    """A client that ends without DISCONNECT when its socket is closed."""
    properties = b"\0" if IS_V5 else b""
    body = (utf8("MQTT") + bytes([5 if IS_V5 else 4, 0x02 | 0x04 | 0x08 | 0x20, 0, 60]) + properties
            + utf8("an-old-life") + properties + utf8(topic) + utf8(payload))
    s = socket.create_connection(("127.0.0.1", port))
    s.settimeout(TIMEOUT_S)
    s.sendall(bytes([0x10, len(body)]) + body)
    assert s.recv(4)[0] == 0x20
    return s


class OwnTopics(IntegrationTest):
    def retained(self, topics):
        """Which of the filters' topics are retained now."""
        client = self.connect()
        for topic in topics:
            client.subscribe(topic)
        # Retained messages come before those that are published now.
        client.subscribe("test/fence")
        client.publish("test/fence", b"1")
        client.on_topic("test/fence")
        found = {m.topic: m.payload for m in client.messages if m.retain and m.payload}
        client.close()
        return found

    def status(self):
        return self.retained([P + "/status"]).get(P + "/status")

    def restart(self, config=None):
        self.gateway.stop()
        if config:
            self.gateway.write(config)
        self.start_gateway()

    def gone(self, *names):
        until("they are cleared", lambda: not any(f"{P}/{name}" in self.retained([f"{P}/#"])
                                                  for name in names),
              process=self.gateway.process)

    def counter(self, name):
        since = self.watcher.mark()
        return self.watcher.on_topic(P + "/health", since).json["mqtt"][name]

    # ---- P/status ----

    def test_an_old_will(self):
        old = connect_with_will(self.broker.port, P + "/status", "offline")
        since = self.watcher.mark()
        old.close()
        self.watcher.message("the will", lambda m: m.payload == b"offline", since)
        self.wait_online(since)
        self.assertEqual(self.status(), b"online")
        self.assertIn("was set to 'offline' by another client", self.gateway.log())
        self.assertGreaterEqual(self.counter("status_corrected"), 1)

    def test_anything_but_online(self):
        for payload in (b"", b"sleeping", b"onlin", b"online ", b"\xff\x00", b"x" * 3000):
            with self.subTest(payload[:20]):
                self.restart()  # each correction that follows another comes later
                since = self.watcher.mark()
                self.control.publish(P + "/status", payload, retain=True)
                self.wait_online(since)
                self.forget(payload)
        self.assertEqual(self.status(), b"online")

    def test_one_that_goes_on_is_answered_less_and_less(self):
        since, begin = self.watcher.mark(), time.monotonic()
        for _ in range(200):
            self.control.publish(P + "/status", b"offline", retain=True)
        self.wait_online(since)
        self.ok("ping")
        elapsed_s = time.monotonic() - begin
        answers = sum(m.payload == b"online" for m in self.watcher.messages[since:])
        # The delay is 1 s at first, and only grows.
        self.assertLessEqual(answers, 2 + elapsed_s)
        until("the last word", lambda: self.status() == b"online", process=self.gateway.process)

    # ---- removed names ----

    def test_of_a_file_that_was_changed(self):
        config = base_config(self.broker.port, self.state_dir)
        more = json.loads(json.dumps(config))
        more["inputs"]["old"] = {"driver": "sim", "kind": "button", "event": "old.press"}
        more["playlists"]["old"] = {"steps": [{"emit": "old.tick"}]}
        self.restart(more)
        self.assertLessEqual({f"{P}/input/old", f"{P}/playlist/old"},
                             set(self.retained([f"{P}/#"])))
        self.restart(config)
        self.gone("input/old", "playlist/old")
        found = self.retained([f"{P}/#"])
        for name in config["inputs"]:
            self.assertIn(f"{P}/input/{name}", found)
        for name in config["playlists"]:
            self.assertIn(f"{P}/playlist/{name}", found)
        until("it is logged", lambda: "of removed names are cleared" in self.gateway.log(),
              process=self.gateway.process)

    def test_after_a_reload(self):
        config = base_config(self.broker.port, self.state_dir)
        more = json.loads(json.dumps(config))
        more["inputs"]["old"] = {"driver": "sim", "kind": "button", "event": "old.press"}
        self.gateway.write(more)
        self.ok("config/reload")
        until("it is there", lambda: f"{P}/input/old" in self.retained([f"{P}/#"]))
        self.gateway.write(config)
        self.ok("config/reload")
        self.gone("input/old")

    def test_without_state_dir(self):
        config = base_config(self.broker.port)
        self.control.publish(f"{P}/playlist/old", b"{}", retain=True)
        self.restart(config)
        self.gone("playlist/old")
        self.restart(base_config(self.broker.port, self.state_dir))
        self.forget(b"{}", b"")

    def test_odd_names(self):
        names = ["input/ghost", "output/ghost", "playlist/a/b/c", "input/", "input//", "input/ ",
                 "playlist/" + "x" * 500, "output/$SYS", "input/ghost/"]
        for name in names:
            self.control.publish(f"{P}/{name}", b"{}", retain=True)
        self.restart()
        self.gone(*names)
        self.forget(b"{}", b"")

    def test_nothing_else_is_cleared(self):
        for topic in OTHERS:
            self.control.publish(topic, b"theirs", retain=True)
        self.control.publish(f"{P}/input/ghost", b"{}", retain=True)
        self.restart()
        self.gone("input/ghost")
        found = self.retained(["#"])
        for topic in OTHERS:
            self.assertEqual(found.get(topic), b"theirs", topic)
            self.control.publish(topic, b"", retain=True)
        self.forget(b"theirs", b"", b"{}")

    def test_too_deep_to_be_touched(self):
        """A broker may close the connection for so many levels."""
        deep = f"{P}/input/" + "a/" * 100 + "a"
        self.control.publish(deep, b"{}", retain=True)
        self.control.publish(f"{P}/input/ghost", b"{}", retain=True)
        self.restart()
        self.gone("input/ghost")
        self.assertIn(deep, self.retained([f"{P}/#"]))
        self.control.publish(deep, b"", retain=True)
        self.forget(b"{}", b"")

    def test_a_flood_is_cleared_in_parts(self):
        """A session clears a thousand; `online` does not wait for it."""
        n = CLEAR_MAX + 100
        self.gateway.stop()  # its last session may still be clearing
        for i in range(n):
            self.control.publish(f"{P}/playlist/flood-{i}", b"{}", qos=0, retain=True, wait=False)
        self.control.publish(f"{P}/playlist/flood-last", b"{}", retain=True)

        def left():
            return [t for t in self.retained([f"{P}/playlist/#"]) if "/flood-" in t]
        self.assertEqual(len(left()), n + 1)
        self.start_gateway()
        until("the first part is cleared", lambda: len(left()) == n + 1 - CLEAR_MAX,
              process=self.gateway.process)
        until("it is logged", lambda: "there are more" in self.gateway.log(),
              process=self.gateway.process)
        self.restart()
        until("the rest is cleared", lambda: not left(), process=self.gateway.process)
        self.assertNotIn("there are more", self.gateway.log())
        self.forget(b"{}", b"")

    def test_a_publisher_that_keeps_setting(self):
        """It is answered once a session: what it sets while connected stays until the next."""
        self.restart()
        self.control.publish(f"{P}/input/ghost", b"{}", retain=True)
        self.restart()
        self.gone("input/ghost")
        since = self.watcher.mark()
        for _ in range(50):
            self.control.publish(f"{P}/input/ghost", b"{}", retain=True)
        self.ok("ping")
        cleared = [m for m in self.watcher.messages[since:]
                   if m.topic == f"{P}/input/ghost" and not m.payload]
        self.assertEqual(cleared, [])
        self.control.publish(f"{P}/input/ghost", b"", retain=True)
        self.forget(b"{}", b"")

    def forget(self, *payloads):
        """Published by the test: not checked as a message of the gateway."""
        self.ok("ping")
        self.watcher.messages[:] = [m for m in self.watcher.messages if m.payload not in payloads]


class Refusing(Proxy):
    """Refuses a subscription in the broker's place."""

    topic = f"{P}/emit/#".encode()

    def from_gateway(self, data, gateway):
        # In front of it: its length, the properties' length (MQTT 5), the packet's id, header.
        at = data.find(self.topic) - (7 if IS_V5 else 6)
        if at < 0 or data[at] != 0x82:
            return data
        end = at + 2 + data[at + 1]
        identifier = data[at + 2:at + 4]
        gateway.sendall(b"\x90\x04" + identifier + b"\0\x87" if IS_V5
                        else b"\x90\x03" + identifier + b"\x80")
        return data[:at] + data[end:]


class RefusedSubscription(IntegrationTest):
    """Each subscription is on its own."""

    @classmethod
    def config(cls):
        cls.proxy = Refusing(cls.broker.port)
        cls.addClassCleanup(cls.proxy.close)
        config = base_config(cls.broker.port, cls.state_dir)
        config["mqtt"]["url"] = f"mqtt://127.0.0.1:{cls.proxy.port}"
        return config

    def setUp(self):
        pass  # no fence: it is an emit

    def test_commands_come_without_emits(self):
        self.assertEqual(self.control.request("ping")["ok"], True)
        self.assertIn(f"subscription to '{P}/emit/#'", self.gateway.log())
        health = self.watcher.on_topic(P + "/health", self.watcher.mark()).json
        self.assertEqual(health["mqtt"]["subscriptions_refused"], 1)
        since = self.watcher.mark()
        self.control.publish(f"{P}/emit/a/b", b"1")
        self.ok("event/emit", {"event_type": "after.it"})
        self.watcher.event("after.it", since=since)
        self.assertEqual(self.watcher.events("a.b", since), [])


if __name__ == "__main__":
    unittest.main()
