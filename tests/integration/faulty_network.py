# SPDX-License-Identifier: Apache-2.0
"""A TCP proxy between gateway and broker that breaks the connection on purpose."""

import socket
import struct
import threading


class Proxy:
    """Forwards to target_port until a fault is set.

    hang: nothing is read any more, so the sender's socket fills up; what was
    accepted stays open. reset_after: the connection is reset after that many
    bytes from the gateway, in the middle of a packet if it comes so.
    mute: connections are accepted, but nothing is ever forwarded.
    swallow_answers: what the broker answers is lost, as if it were on its way
    when the connection breaks (which the test must see to); `swallowed` bytes so far.
    target_port may be changed: it is for connections to come.
    """

    def __init__(self, target_port, receive_buffer=4096, at=("127.0.0.1", 0)):
        """at: where it listens. receive_buffer: a small one fills up within a test, but with messages that don't
        fit into it some dozen times the sender is slow; None is the system's."""
        self.target_port = target_port
        self.receive_buffer = receive_buffer
        self.mute = False
        self.reset_after = None
        self.swallow_answers = False
        self.swallowed = 0
        self.bytes_per_read = 65536
        self.connections = 0
        self._running = threading.Event()
        self._running.set()
        self._lock = threading.Lock()
        self._sockets = set()
        self._listener = socket.create_server(
            at, family=socket.AF_INET6 if ":" in at[0] else socket.AF_INET)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            if self.receive_buffer:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.receive_buffer)
            with self._lock:
                self._sockets.add(client)
            threading.Thread(target=self._serve, args=(client, self.mute), daemon=True).start()

    def _serve(self, client, mute):
        if mute:
            return
        try:
            broker = socket.create_connection(("127.0.0.1", self.target_port))
        except OSError:
            self._close(client)
            return
        with self._lock:
            self._sockets.add(broker)
        threading.Thread(target=self._pump, args=(broker, client, False), daemon=True).start()
        self._pump(client, broker, True)

    def _pump(self, source, sink, from_gateway):
        try:
            while True:
                self._running.wait()
                data = source.recv(self.bytes_per_read)
                self._running.wait()
                if not data:
                    break
                if not from_gateway and self.swallow_answers:
                    self.swallowed += len(data)
                    continue
                if from_gateway:
                    data = self.from_gateway(data, source)
                if from_gateway and self.reset_after is not None:
                    self.reset_after -= len(data)
                    if self.reset_after <= 0:
                        sink.sendall(data[:len(data) + self.reset_after])
                        self.reset_after = None
                        break
                sink.sendall(data)
        except OSError:
            pass
        self._close(source)
        self._close(sink)

    def from_gateway(self, data, gateway):
        """For who inherits: may answer to the socket `gateway` in the broker's place.
        What it returns goes on to the broker."""
        return data

    def _close(self, s):
        """With a reset: what is on its way is lost, as when a peer dies."""
        with self._lock:
            self._sockets.discard(s)
        try:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            s.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        s.close()

    def inject(self, data):
        """Bytes to the gateway that no broker sent."""
        with self._lock:
            gateways = [s for s in self._sockets if s.getsockname()[1] == self.port]
        for s in gateways:
            s.sendall(data)

    def hang(self):
        self._running.clear()

    def resume(self):
        self._running.set()

    def drop_all(self):
        with self._lock:
            sockets = list(self._sockets)
        for s in sockets:
            self._close(s)

    def close(self):
        self._listener.close()
        self._running.set()
        self.drop_all()
