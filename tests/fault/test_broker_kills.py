# SPDX-License-Identifier: Apache-2.0
"""The broker is killed (SIGKILL) and started again, 20 times, under 2,000 events/s: no event is
lost, the order is kept, and every duplicate is a re-send of the window.

Why a loss must be the gateway's fault:
  - mosquitto has one thread. For a PUBLISH it first writes the copies of subscribers at QoS 0 to
    their sockets, and then the PUBACK. So when the gateway has a PUBACK, the copy is in the
    subscriber's receive buffer, where a kill does not remove it. (BrokerOrder tests this.)
  - The subscriber's buffer holds seconds of the load, so that write never waits.
  - The new broker has no subscriber until the subscriber reconnects. A message that it
    acknowledged before that would be lost without a fault of the gateway. So the gateway's proxy
    forwards nothing until the subscriber has its SUBACK.
"""

import pathlib
import random
import select
import shutil
import signal
import socket
import struct
import tempfile
import unittest

from connection import ConnectionTest
from counting import SANITIZED, Subscriber, scaled
from harness import BROKER_LINES, IS_V5, P, Broker, Client, until

KILLS = scaled(20, 6)
KILLS_IN_MEMORY = 6
WINDOW = 20
PUBACK_BYTES = 4
# Two events for each occurrence: 2,000/s. A sanitizer's gateway makes fewer.
INTERVAL = "4ms" if SANITIZED else "1ms"
# From this kill on the pause before the next attempt is cut short by a reload with
# other mqtt settings; up to then it is the backoff's own (it adds up to minutes).
RELOAD_FROM = 5
WARNING = "[never-emitted]"  # by an interrupt mistyped on purpose
NOWHERE = 1  # a port that nothing listens on


class BrokerKills(ConnectionTest):
    def setUp(self):
        super().setUp()
        self.broker = self.new_broker("broker", *BROKER_LINES)
        self.proxy = self.new_proxy(self.broker.port, receive_buffer=None)
        self.subscriber = Subscriber(self.broker.port)
        self.addCleanup(self.subscriber.close)
        self.tally = self.subscriber.tally
        self.keepalive_s = 60
        self.rng = random.Random(20261124)

    def load_config(self):
        config = self.config(f"mqtt://127.0.0.1:{self.proxy.port}",
                             keepalive=f"{self.keepalive_s}s")
        if self.on_disk:
            config["gateway"]["state_dir"] = str(self.directory / "state")
        config["playlists"] = {"load": {
            "trigger": "load.start", "interrupts": ["load.stop", "load.tikc"],
            "steps": [{"emit": "load.tick", "data": {"text": "x" * 60}, "repeat": 1000000,
                       "interval": INTERVAL}]}}
        return config

    def tell(self, word):
        client = Client(self.broker)
        client.publish(f"{P}/emit/load/{word}")
        client.close()

    def lose_acknowledgements(self, count):
        """At least this many messages were accepted by the broker but not acknowledged."""
        self.proxy.swallowed = 0
        self.proxy.swallow_answers = True
        until("acknowledgements", lambda: self.proxy.swallowed >= count * PUBACK_BYTES,
              process=self.gateway.process)

    def kill_broker(self):
        self.proxy.target_port = NOWHERE
        self.broker.kill()
        self.proxy.drop_all()
        self.proxy.swallow_answers = False

    def reload(self):
        """Done while the gateway's connections lead nowhere: it does not end a session."""
        self.keepalive_s += 1
        warnings = self.gateway.log().count(WARNING)
        self.gateway.write(self.load_config())
        self.gateway.signal(signal.SIGHUP)
        # The log leaves out what is repeated, but not the warnings about the
        # configuration; they come when the reload is done.
        until("the reload", lambda: self.gateway.log().count(WARNING) > warnings,
              process=self.gateway.process)

    def bring_back(self, kill):
        sessions = self.tally.sessions
        if kill >= RELOAD_FROM:
            self.reload()
        self.broker.start()
        self.subscriber.reconnect(self.broker.port)
        self.proxy.target_port = self.broker.port
        self.subscriber.wait_session(sessions + 1, self.gateway.process)

    def kill_again_and_again(self, kills):
        """Some kills as it comes, some when a part of the window or all of it is in flight.
        Returns, by session, how many of its messages must have come before."""
        resent = {}
        for kill in range(kills):
            # The shorter ones end in what was queued while there was no broker.
            self.subscriber.wait_events(self.rng.randint(50, 2500), self.gateway.process)
            in_flight = (0, WINDOW, self.rng.randint(1, WINDOW))[kill % 3]
            if in_flight:
                self.lose_acknowledgements(in_flight)
            resent[self.tally.sessions] = in_flight
            self.kill_broker()
            self.bring_back(kill)
        self.subscriber.wait_events(WINDOW, self.gateway.process)
        return resent

    def nothing_is_lost(self, kills):
        self.start(self.load_config())
        self.subscriber.wait_session(1, self.gateway.process)
        self.tell("start")
        resent = self.kill_again_and_again(kills)
        self.tell("stop")
        run = self.subscriber.wait_stopped(self.gateway.process)
        self.tally.check(self)
        self.assertEqual(self.tally.announced, [])
        self.assertEqual(len(self.tally.boots), 1)
        occurrences = self.tally.check_run(self, run)
        duplicates = self.tally.duplicates
        self.assertEqual(self.tally.sessions, kills + 1, "a break that no kill was")
        self.assertEqual(duplicates[0], 0)
        self.assertLessEqual(max(duplicates), WINDOW)
        for session, count in resent.items():
            self.assertGreaterEqual(duplicates[session], count, f"session {session}")
        print(f"\n{kills} kills of the broker under {self.tally.rate():.0f} events/s (MQTT "
              f"{'5' if IS_V5 else '3.1.1'}, outbox {'on disk' if self.on_disk else 'in memory'}): "
              f"{self.tally.unique()} events, {occurrences} occurrences, 0 lost, "
              f"{sum(duplicates)} duplicates: " + " ".join(map(str, duplicates[1:])))
        self.gateway.stop()

    def test_nothing_is_lost(self):
        self.on_disk = True
        self.nothing_is_lost(KILLS)

    def test_nothing_is_lost_in_memory(self):
        self.on_disk = False
        self.nothing_is_lost(KILLS_IN_MEMORY)


class BrokerOrder(unittest.TestCase):
    """The property of mosquitto that the test above relies on."""

    ROUNDS = scaled(1000, 1000)

    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="cuebus-fault-"))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.broker = Broker(self.directory).start()
        self.addCleanup(self.broker.stop)
        self.subscriber = self.session(b"subscriber")
        topic = b"order"
        body = b"\x00\x01" + struct.pack(">H", len(topic)) + topic + b"\x00"
        self.subscriber.sendall(bytes([0x82, len(body)]) + body)
        self.subscriber.recv(5, socket.MSG_WAITALL)
        self.publisher = self.session(b"publisher")

    def session(self, name):
        s = socket.create_connection(("127.0.0.1", self.broker.port))
        self.addCleanup(s.close)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        body = b"\x00\x04MQTT\x04\x02\x00\x00" + struct.pack(">H", len(name)) + name
        s.sendall(bytes([0x10, len(body)]) + body)
        self.assertEqual(s.recv(4, socket.MSG_WAITALL)[3], 0)
        return s

    def publish(self, first, count):
        packets = b""
        for n in range(first, first + count):
            body = b"\x00\x05order" + struct.pack(">HI", n % 65535 + 1, n)
            packets += bytes([0x32, len(body)]) + body
        self.publisher.sendall(packets)

    def test_the_copy_is_there_before_the_acknowledgement(self):
        for n in range(self.ROUNDS):
            self.publish(n, 1)
            self.publisher.recv(PUBACK_BYTES, socket.MSG_WAITALL)
            readable, _, _ = select.select([self.subscriber], [], [], 0)
            self.assertEqual(readable, [self.subscriber], f"message {n}")
            self.assertEqual(self.subscriber.recv(13, socket.MSG_WAITALL)[-4:], struct.pack(">I", n))

    def test_what_was_acknowledged_survives_the_kill(self):
        """A whole burst; the broker is killed as soon as part of it is acknowledged."""
        self.publish(0, 5000)
        acknowledged = len(self.publisher.recv(1 << 20)) // PUBACK_BYTES
        self.broker.kill()
        try:
            while data := self.publisher.recv(1 << 20):
                acknowledged += len(data) // PUBACK_BYTES
        except ConnectionResetError:
            pass
        copies = b""
        while data := self.subscriber.recv(1 << 20):
            copies += data
        self.assertGreater(acknowledged, 0)
        self.assertGreaterEqual(len(copies) // 13, acknowledged)


if __name__ == "__main__":
    unittest.main()
