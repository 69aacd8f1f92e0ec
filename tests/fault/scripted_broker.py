# SPDX-License-Identifier: Apache-2.0
"""A scripted broker: it does what an MQTT broker does, except where the test says otherwise. One
client, no subscribers; `taken` has the messages that it accepted."""

import socket
import struct
import threading
import time

from mqtt_packets import (CONNECT, DISCONNECT, PINGREQ, PINGRESP, PUBACK, PUBCOMP, PUBLISH, PUBREC,
                          PUBREL, SUBSCRIBE, UNSUBACK, UNSUBSCRIBE, ack, connack, disconnect, packet, publish,
                          read_packet, suback)
from ports import free_port  # of tests/integration: the importer has set the path

# What to do with a packet.
TAKE = "take"            # acknowledge, as a broker does
SWALLOW = "swallow"      # as if it had never come
CLOSE = "close"          # FIN
RESET = "reset"          # RST


def refuse(code):
    """Acknowledge with an MQTT 5 reason code."""
    return ("refuse", code)


def say_disconnect(code, **values):
    """DISCONNECT with an MQTT 5 reason code, then close."""
    return ("disconnect", code, values)


def say(data, action=SWALLOW):
    """Send these bytes, whatever they are, instead of the answer, then do that."""
    return ("say", data, action)


def take_then(action):
    """Acknowledge, then take that action."""
    return ("then", action)


class Session:
    def __init__(self, broker, s):
        self.broker = broker
        self.socket = s
        self.is_v5 = True
        self.connect = None
        self.packets = []
        self.ended = False
        self.regular = False  # the client said DISCONNECT

    def read(self, n):
        data = b""
        while len(data) < n:
            more = self.socket.recv(n - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def send(self, data):
        try:
            self.socket.sendall(data)
        except OSError:
            pass

    def end(self, reset=False):
        try:
            if reset:
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                       struct.pack("ii", 1, 0))
            self.socket.shutdown(socket.SHUT_RD if reset else socket.SHUT_RDWR)
        except OSError:
            pass

    def end_read(self):
        """Close when the client has: closed before, with something on its way here, the
        client's kernel would throw away what it has not read."""
        try:
            self.socket.shutdown(socket.SHUT_WR)
            while self.socket.recv(4096):
                pass
        except OSError:
            pass

    def do(self, action, p):
        """@return whether the session goes on."""
        broker = self.broker
        if action in (CLOSE, RESET):
            self.end(action == RESET)
            return False
        if action == SWALLOW:
            return True
        if action[0] == "disconnect":
            self.send(disconnect(action[1], action[2]))
            self.end_read()
            return False
        if action[0] == "say":
            self.send(action[1])
            return self.do(action[2], p)
        if action[0] == "then":
            return self.do(TAKE, p) and self.do(action[1], p)
        if action[0] == "refuse":
            if action[1] < 0x80:  # no error
                with broker.condition:
                    broker.taken.append(p)
            self.send(ack(PUBACK, p.number, action[1]))
            return True
        assert action == TAKE, action
        if p.kind == PUBLISH:
            with broker.condition:
                broker.taken.append(p)
                broker.condition.notify_all()
            if p.qos == 1:
                self.send(ack(PUBACK, p.number))
            elif p.qos == 2:
                self.send(ack(PUBREC, p.number))
        elif p.kind == SUBSCRIBE:
            answer = broker.on_subscribe(self, p)
            if not isinstance(answer, list):
                return self.do(answer, p)
            self.send(suback(self.is_v5, p.number, answer))
        elif p.kind == UNSUBSCRIBE:
            self.send(packet(UNSUBACK, p.number.to_bytes(2, "big") + (b"\0\0" if self.is_v5 else b"")))
        return True

    def handle(self, p):
        broker = self.broker
        if p.kind == PUBLISH:
            return self.do(broker.on_publish(self, p), p)
        if p.kind == SUBSCRIBE:
            return self.do(TAKE, p)
        if p.kind == PINGREQ:
            if broker.answer_ping:
                self.send(packet(PINGRESP))
        elif p.kind == UNSUBSCRIBE:
            return self.do(broker.on_unsubscribe(self, p), p)
        elif p.kind == PUBREL:
            self.send(ack(PUBCOMP, p.number))
        elif p.kind == PUBREC:
            self.send(ack(PUBREL, p.number, flags=2))
        elif p.kind == DISCONNECT:
            self.regular = True
            return False
        return True

    def serve(self):
        broker = self.broker
        self.connect = read_packet(self.read, True)
        assert self.connect.kind == CONNECT
        self.is_v5 = self.connect.is_v5
        answer = broker.on_connect(self, self.connect)
        if answer is None:
            return
        if not isinstance(answer, bytes):
            if self.do(answer, self.connect):
                self.read(1)
            return
        self.send(answer)
        with broker.condition:
            broker.sessions.append(self)
            broker.condition.notify_all()
        while True:
            p = read_packet(self.read, self.is_v5)
            self.packets.append(p)
            if not self.handle(p):
                return


class ScriptedBroker:
    """Change the handlers at any time; each is called on the session's thread.

    on_connect(session, packet): the answer as bytes, None (close) or an action of above, with
    which the session does not begin; on_publish(session, packet): an action;
    on_subscribe(session, packet): the list of codes, or an action.
    """

    host = "127.0.0.1"

    def __init__(self):
        self.condition = threading.Condition()
        self.connections = 0
        self.connects = []   # CONNECT packets
        self.sessions = []   # that were answered
        self._open = set()
        self.taken = []      # PUBLISH packets that were taken
        self.answer_ping = True
        self.behave()
        self.port = free_port()  # which it keeps while it is dead
        self._listener = None
        self.start()

    def behave(self):
        """Answer as a correct broker does."""
        self.on_connect = lambda session, p: connack(session.is_v5)
        self.on_publish = lambda session, p: TAKE
        self.on_subscribe = lambda session, p: [min(options & 3, 2) for _, options in p.filters]
        self.on_unsubscribe = lambda session, p: TAKE
        self.answer_ping = True

    def start(self):
        self._listener = socket.create_server((self.host, self.port))
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def kill(self):
        """As by SIGKILL: stop listening, then reset all connections."""
        listener, self._listener = self._listener, None
        if listener:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        with self.condition:
            sessions = list(self._open)
        for session in sessions:
            session.end(reset=True)

    def _accept(self, listener):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.condition:
                self.connections += 1
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        session = Session(self, client)
        with self.condition:
            self._open.add(session)
        try:
            session.serve()
        except (OSError, EOFError):
            pass
        finally:
            session.ended = True
            client.close()
            with self.condition:
                self._open.discard(session)
                self.condition.notify_all()

    # ---- for tests ----

    @property
    def session(self):
        return self.sessions[-1]

    def wait(self, what, predicate, timeout_s, process=None):
        deadline = time.monotonic() + timeout_s
        with self.condition:
            while time.monotonic() < deadline:
                result = predicate()
                if result:
                    return result
                if process is not None and process.poll() is not None:
                    raise AssertionError(f"{what}: the process ended with {process.returncode}")
                self.condition.wait(0.1)
        raise AssertionError(f"timeout: {what}")

    def publish(self, topic, payload, values=None, **options):
        session = self.session
        session.send(publish(session.is_v5, topic, payload, values=values, **options))

    def on_topic(self, topic, since=0):
        return [p for p in self.taken[since:] if p.topic == topic]
