# SPDX-License-Identifier: Apache-2.0
"""Packets that only a broken broker, or another service, would send: names and properties that MQTT
forbids, bytes that are no packet, and expired or retained messages that the gateway did not ask
for."""

import functools
import pathlib
import random
import struct
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from faulty_network import Proxy  # noqa: E402
from harness import IS_V5, P, SLOW, Gateway, IntegrationTest, base_config, until  # noqa: E402


def utf8(data):
    return struct.pack(">H", len(data)) + data


def publish_packet(topic, payload, properties=b"", flags=0):
    """An MQTT PUBLISH of QoS 0, as no broker would send it."""
    body = utf8(topic) + (bytes([len(properties)]) + properties if IS_V5 else b"") + payload
    length, n = b"", len(body)
    while True:
        n, low = divmod(n, 128)
        length += bytes([low | (128 if n else 0)])
        if not n:
            return bytes([0x30 | flags]) + length + body


def expiry(seconds):
    return b"\x02" + struct.pack(">I", seconds)


class BadBroker(IntegrationTest):
    @classmethod
    def config(cls):
        cls.proxy = Proxy(cls.broker.port)
        cls.addClassCleanup(cls.proxy.close)
        config = base_config(cls.broker.port, cls.state_dir)
        config["mqtt"]["url"] = f"mqtt://127.0.0.1:{cls.proxy.port}"
        # Ends the wait for a packet of 256 MiB that never comes complete.
        config["mqtt"]["keepalive"] = "2s"
        return config

    @classmethod
    def start_gateway(cls):
        # paho 1.3.12 loses some hundred bytes with packets that it refuses; it is
        # forgiven here, where nearly all are, and nowhere else.
        forgiven = cls.directory / "lsan.supp"
        forgiven.write_text("leak:libpaho-mqtt3cs\n")
        options = {"LSAN_OPTIONS": f"suppressions={forgiven}:print_suppressions=0"}
        cls.gateway.start = functools.partial(Gateway.start, cls.gateway, options)
        super().start_gateway()

    def survives(self, data):
        """The gateway goes on, if need be over a new connection. Where it waits for the rest of
        a packet that never comes, it is left alone until it gives that up: what is sent to it
        meanwhile would be taken for the rest."""
        connections, since = self.proxy.connections, self.watcher.mark()
        self.proxy.inject(data)
        try:
            self.control.request("ping", timeout_s=SLOW)
        except AssertionError:
            until("a new connection", lambda: self.proxy.connections > connections,
                  process=self.gateway.process)
            self.wait_online(since)
        self.ok("ping")

    def test_topics(self):
        p = P.encode()
        for topic in (p + b"/emit/a\0b", p + b"/cmd/ping\0", b"\0", b"", p + b"/emit/\xff\xfe",
                      p + b"/emit/+", p + b"/emit/#", p + b"/cmd/#", p + b"/emit/\xed\xa0\x80",
                      p + b"/emit/" + b"x" * 60000, b"other/topic", p, p + b"/bus/event/x",
                      b"$SYS/x", p + b"/reply/ping", p + b"/status"):
            with self.subTest(topic[:60]):
                since = self.watcher.mark()
                self.survives(publish_packet(topic, b'{"x":1}'))
                self.fence()
                came = {e["event_type"] for e in self.watcher.events(since=since)}
                self.assertLessEqual(came, {"gateway.refused", "test.fence"})

    @unittest.skipUnless(IS_V5, "MQTT 5 only")
    def test_properties(self):
        p = P.encode()
        for name, properties in (
                ("response with wildcard", b"\x08" + utf8(p + b"/reply/#")),
                ("response with NUL", b"\x08" + utf8(p + b"/reply/a\0b")),
                ("response elsewhere", b"\x08" + utf8(b"elsewhere/x")),
                ("response empty", b"\x08" + utf8(b"")),
                ("response that is no UTF-8", b"\x08" + utf8(p + b"/reply/\xff")),
                ("long correlation", b"\x08" + utf8(p + b"/reply/x") + b"\x09" + utf8(b"c" * 100)),
                ("unknown property", b"\x7e\x01"),
                ("cut short", b"\x08\x00\x50a"),
                ("topic alias", b"\x23\x00\x05")):
            with self.subTest(name):
                since = self.watcher.mark()
                self.survives(publish_packet(p + b"/cmd/playlist/start", b'{"playlist":"flash"}',
                                             properties))
                self.fence()
                self.assertEqual([m for m in self.watcher.messages[since:]
                                  if m.topic.startswith("elsewhere")], [])

    @unittest.skipUnless(IS_V5, "MQTT 5 only")
    def test_expired_command(self):
        """The broker counts the seconds down; a command that arrives with none left is not run."""
        since = self.watcher.mark()
        self.survives(publish_packet(f"{P}/cmd/playlist/start".encode(),
                                     b'{"playlist":"flash","request_id":"old"}', expiry(0)))
        reply = self.watcher.on_topic(f"{P}/reply/playlist/start", since).json
        self.assertEqual((reply["ok"], reply["request_id"], reply["error"]["code"]),
                         (False, "old", "stale"))
        self.fence()
        self.assertEqual(self.watcher.events("event.playlist.created", since), [])

    @unittest.skipUnless(IS_V5, "MQTT 5 only")
    def test_expired_emit(self):
        since = self.watcher.mark()
        self.survives(publish_packet(f"{P}/emit/old/news".encode(), b"1", expiry(0)))
        refused = self.watcher.event("gateway.refused", since=since)
        self.assertEqual(refused["data"]["code"], "stale")
        self.assertEqual(self.watcher.events("old.news", since), [])

    def test_retained_command(self):
        since = self.watcher.mark()
        self.survives(publish_packet(f"{P}/cmd/playlist/start".encode(),
                                     b'{"playlist":"flash","request_id":"kept"}', flags=1))
        reply = self.watcher.on_topic(f"{P}/reply/playlist/start", since).json
        self.assertEqual((reply["request_id"], reply["error"]["code"]), ("kept", "refused"))
        self.fence()
        self.assertEqual(self.watcher.events("event.playlist.created", since), [])

    def test_packets_that_are_none(self):
        for name, data in (("reserved type 0", b"\x00\x00"), ("reserved type 15", b"\xf0\x00"),
                           ("endless length", b"\x30\xff\xff\xff\xff\xff"),
                           ("huge length", b"\x30\xff\xff\xff\x7f"),
                           ("a PUBACK for nothing", b"\x40\x02\x7f\xff"),
                           ("a second CONNACK", b"\x20\x03\x00\x00\x00"),
                           ("a CONNECT", b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00"),
                           ("a SUBACK for nothing", b"\x90\x04\x7f\xff\x00\x00"),
                           ("noise", random.Random(7).randbytes(2000))):
            with self.subTest(name):
                self.survives(data)


if __name__ == "__main__":
    unittest.main()
