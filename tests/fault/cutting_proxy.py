# SPDX-License-Identifier: Apache-2.0
"""A proxy that breaks each connection once, at a random byte and in one of many ways, and reports
which packet was cut."""

import collections
import pathlib
import random
import socket
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from faulty_network import Proxy  # noqa: E402

PACKETS = {1: "CONNECT", 2: "CONNACK", 3: "PUBLISH", 4: "PUBACK", 5: "PUBREC", 6: "PUBREL",
           7: "PUBCOMP", 8: "SUBSCRIBE", 9: "SUBACK", 12: "PINGREQ", 13: "PINGRESP",
           14: "DISCONNECT"}
# Ways to break the connection, and on which side.
RESET = "reset of both sides"
FIN_BOTH = "end of both sides"
FIN_GATEWAY = "half-close towards the gateway"
FIN_BROKER = "half-close towards the broker"
SWALLOW = "bytes swallowed, then a reset"
DELAY = "delay, then a reset"
ACTIONS = (RESET, FIN_BOTH, FIN_GATEWAY, FIN_BROKER, SWALLOW, DELAY)
SUBSCRIPTIONS = 4  # of a gateway, before it is online
# A half-closed peer that does not close within this time is reset (the fault's duration).
LINGER_S = 0.05


class Framer:
    """Follows the packets of one direction."""

    def __init__(self):
        self.head = b""  # of the packet that has begun, until its length is known
        self.kind = None
        self.done = 0    # bytes of that packet so far
        self.size = 0    # of that packet; 0: not yet known
        self.seen = collections.Counter()

    def feed(self, data):
        at = 0
        while at < len(data):
            if not self.size:
                self.head += data[at:at + 1]
                at += 1
                self.kind = PACKETS.get(self.head[0] >> 4, "?")
                self.done = len(self.head)
                if len(self.head) > 1 and self.head[-1] < 0x80:
                    length = sum((byte & 0x7F) << 7 * n for n, byte in enumerate(self.head[1:]))
                    self.size = len(self.head) + length
            else:
                step = min(len(data) - at, self.size - self.done)
                self.done += step
                at += step
            if self.size and self.done == self.size:
                self.seen[self.kind] += 1
                self.head, self.kind, self.done, self.size = b"", None, 0, 0

    def where(self):
        """The packet that the next byte belongs to; None: between two packets."""
        if self.done == 0:
            return None
        # Fixed header and the length of the topic: a reader has to wait for more.
        part = " header" if self.kind == "PUBLISH" and self.done < len(self.head) + 2 else ""
        return self.kind + part


class Cut:
    """What will happen to one connection: where, in which direction, and what.

    In the handshake, while it is set up (views and subscriptions), or in the
    stream that follows. A connection that breaks while it is set up costs 5 s:
    so long paho waits for a SUBACK. Few of them are enough.
    """

    def __init__(self, rng):
        self.action = rng.choice(ACTIONS)
        self.upwards = rng.random() < 0.6
        if self.action == FIN_GATEWAY:
            self.upwards = False
        elif self.action == FIN_BROKER:
            self.upwards = True
        stage = rng.choices(("handshake", "set-up", "stream"), (25, 1, 74))[0]
        most = {"handshake": ((60,), (9,)), "set-up": ((600,), (40,)),
                "stream": ((20, 300, 2000, 9000), (4, 20, 100))}[stage][0 if self.upwards else 1]
        self.after = rng.randrange(rng.choice(most))
        self.armed = stage != "stream"  # bytes count
        self.delay_s = rng.choice((0.001, 0.005, 0.02))
        self.done = False


class CuttingProxy(Proxy):
    def __init__(self, target_port, seed):
        self.rng = random.Random(seed)
        self.cutting = True
        self.actions = collections.Counter()
        self.places = collections.Counter()
        self.clean = []  # framers from the broker of connections that are not cut
        super().__init__(target_port)

    @property
    def cuts(self):
        return sum(self.actions.values())

    def _serve(self, client, mute):
        try:
            broker = socket.create_connection(("127.0.0.1", self.target_port))
        except OSError:
            self._close(client)
            return
        with self._lock:
            self._sockets.add(broker)
            cut = Cut(self.rng) if self.cutting else None
        for s in (client, broker):
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        down = threading.Thread(target=self._carry, args=(broker, client, cut, False), daemon=True)
        down.start()
        self._carry(client, broker, cut, True)
        # The other side may still be sending, but only for a while.
        down.join(LINGER_S)
        self._close(client)
        self._close(broker)

    def _carry(self, source, sink, cut, upwards):
        framer = Framer()
        mine = cut is not None and cut.upwards == upwards
        if cut is None and not upwards:
            self.clean.append(framer)
        try:
            while data := source.recv(self.bytes_per_read):
                if mine and cut.done:
                    continue  # closed in this direction: what still comes is lost
                counts = mine and cut.armed
                if counts and len(data) > cut.after:
                    sink.sendall(data[:cut.after])
                    framer.feed(data[:cut.after])
                    self._cut(cut, framer, source, sink, data[cut.after:])
                    if cut.action not in (FIN_BROKER, FIN_GATEWAY):
                        return
                    continue
                if counts:
                    cut.after -= len(data)
                sink.sendall(data)
                framer.feed(data)
                if cut and framer.seen["SUBACK"] >= SUBSCRIPTIONS:
                    cut.armed = True
            # As a network does: forward the end, and keep the other direction open.
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def _cut(self, cut, framer, source, sink, rest):
        cut.done = True
        with self._lock:
            self.actions[cut.action] += 1
            self.places[framer.where() or "between packets"] += 1
        if cut.action == DELAY:
            threading.Event().wait(cut.delay_s)
            sink.sendall(rest)
        elif cut.action == SWALLOW:
            source.settimeout(cut.delay_s)
            try:
                while source.recv(self.bytes_per_read):
                    pass
            except TimeoutError:
                pass
        if cut.action == FIN_BOTH:
            for s in (source, sink):
                s.shutdown(socket.SHUT_WR)
        elif cut.action in (FIN_GATEWAY, FIN_BROKER):
            sink.shutdown(socket.SHUT_WR)
        else:
            self._close(source)
            self._close(sink)

    def settle(self):
        """Stop cutting."""
        with self._lock:
            self.cutting = False

    def is_settled(self):
        """A connection that is not cut has brought acknowledgements."""
        return any(framer.seen["PUBACK"] for framer in list(self.clean))
