# SPDX-License-Identifier: Apache-2.0
"""MQTT 5 packets built by hand: packets that no library would send, at a rate that no library would
reach."""

import socket
import struct
import threading


def number(n):
    """A Variable Byte Integer."""
    out = bytearray()
    while True:
        n, digit = divmod(n, 128)
        out.append(digit | (0x80 if n else 0))
        if not n:
            return bytes(out)


def text(value):
    raw = value if isinstance(value, bytes) else value.encode()
    return struct.pack(">H", len(raw)) + raw


def packet(kind, body):
    return bytes([kind]) + number(len(body)) + body


def connect(client_id, user=None):
    flags = 0x02 | (0xC0 if user else 0)
    body = text("MQTT") + bytes([5, flags]) + struct.pack(">H", 0) + number(0) + text(client_id)
    if user:
        body += text(user[0]) + text(user[1])
    return packet(0x10, body)


def subscribe(topic_filter):
    return packet(0x82, struct.pack(">H", 1) + number(0) + text(topic_filter) + b"\0")


def publish(topic, payload, qos=0, retain=False, properties=b"", packet_id=1):
    body = text(topic) + (struct.pack(">H", packet_id) if qos else b"")
    return packet(0x30 | qos << 1 | retain, body + number(len(properties)) + properties + payload)


# Properties of a PUBLISH.
def format_indicator(byte):
    return bytes([0x01, byte])


def expiry(seconds):
    return b"\x02" + struct.pack(">I", seconds)


def content_type(value):
    return b"\x03" + text(value)


def response_topic(value):
    return b"\x08" + text(value)


def correlation(value):
    return b"\x09" + text(value)


def user_property(key, value):
    return b"\x26" + text(key) + text(value)


class Socket:
    """One connection; what comes in is split into packets and given to `on_packet`."""

    def __init__(self, port, client_id, user, on_packet, timeout_s):
        self.on_packet = on_packet
        self.closed = threading.Event()
        self.ready = threading.Event()
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=timeout_s)
        self._socket.settimeout(timeout_s)
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        self.send(connect(client_id, user))
        if not self.ready.wait(timeout_s):
            raise AssertionError(f"{client_id}: no CONNACK")

    def send(self, data):
        """@return whether it could be sent: the broker may have closed the connection."""
        try:
            with self._lock:
                self._socket.sendall(data)
            return True
        except OSError:
            self.closed.set()
            return False

    def _read(self):
        buffer = bytearray()
        try:
            while data := self._socket.recv(1 << 16):
                buffer += data
                self._split(buffer)
        except TimeoutError:
            pass  # nothing to read within this time
        except OSError:
            pass
        self.closed.set()
        self.ready.set()

    def _split(self, buffer):
        at = 0
        while True:
            length, shift, end = 0, 0, at + 1
            while end < len(buffer):
                digit = buffer[end]
                length |= (digit & 0x7F) << shift
                shift += 7
                end += 1
                if digit < 0x80:
                    break
            else:
                break
            if end + length > len(buffer):
                break
            self._take(buffer[at], bytes(buffer[end:end + length]))
            at = end + length
        del buffer[:at]

    def _take(self, kind, body):
        if kind >> 4 == 2:
            self.ready.set()
        elif kind >> 4 == 5:  # PUBREC: QoS 2 goes on
            self.send(packet(0x62, body[:2]))
        self.on_packet(kind, body)

    def close(self):
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._thread.join()
        self._socket.close()


class Publisher:
    """Sends any bytes; reconnects when the broker closes the connection."""

    WINDOW = 1000  # QoS 1 and 2 without their acknowledgement

    def __init__(self, port, client_id, user, timeout_s):
        self.port, self.client_id, self.user, self.timeout_s = port, client_id, user, timeout_s
        self.evictions = 0
        self._condition = threading.Condition()
        self._connect()

    def _connect(self):
        self._flying = 0
        self._id = 0
        self._socket = Socket(self.port, self.client_id, self.user, self._on_packet, self.timeout_s)

    def _on_packet(self, kind, body):
        if kind >> 4 in (4, 7) or (kind >> 4 == 5 and len(body) > 2 and body[2] >= 0x80):
            with self._condition:
                self._flying -= 1
                self._condition.notify()

    def _room(self):
        """Wait for the packet. @return False: the connection broke."""
        with self._condition:
            while self._flying >= self.WINDOW and not self._socket.closed.is_set():
                self._condition.wait(0.1)
            self._flying += 1
        return not self._socket.closed.is_set()

    def publish(self, topic, payload, qos, retain, properties):
        if self._socket.closed.is_set():
            self.evictions += 1
            self.close()
            self._connect()
        if qos and not self._room():
            return
        self._id = self._id % 65535 + 1
        self._socket.send(publish(topic, payload, qos, retain, properties, self._id))

    def close(self):
        self._socket.close()


class Scanner:
    """Subscribes to everything and looks for `secret` in all that comes, byte by byte."""

    def __init__(self, port, user, secret, timeout_s):
        self.messages = 0
        self.found = []
        self._secret = secret
        self._acked = threading.Event()
        self._socket = Socket(port, "scanner", user, self._on_packet, timeout_s)
        self._socket._socket.settimeout(None)
        self._socket.send(subscribe("#"))
        if not self._acked.wait(timeout_s):
            raise AssertionError("scanner: no SUBACK")

    def _on_packet(self, kind, body):
        if kind >> 4 == 9:
            self._acked.set()
        elif kind >> 4 == 3:
            self.messages += 1
            if self._secret in body:
                self.found.append(body[:300])

    @property
    def closed(self):
        return self._socket.closed.is_set()

    def close(self):
        self._socket.close()
