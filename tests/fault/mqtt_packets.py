# SPDX-License-Identifier: Apache-2.0
"""MQTT 3.1.1 and 5 packets as bytes, for a scripted broker: reads what a client sends, and writes
valid and invalid packets."""

import dataclasses
import struct

(CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBSCRIBE, SUBACK, UNSUBSCRIBE,
 UNSUBACK, PINGREQ, PINGRESP, DISCONNECT, AUTH) = range(1, 16)

# MQTT 5 properties: identifier and the format of their value.
PROPERTIES = {
    "payload_format": (0x01, "B"), "message_expiry": (0x02, ">I"), "content_type": (0x03, "s"),
    "response_topic": (0x08, "s"), "correlation": (0x09, "s"), "subscription_id": (0x0B, "v"),
    "session_expiry": (0x11, ">I"), "assigned_client_id": (0x12, "s"),
    "server_keep_alive": (0x13, ">H"), "auth_method": (0x15, "s"), "auth_data": (0x16, "s"),
    "problem_info": (0x17, "B"), "will_delay": (0x18, ">I"), "response_info_wanted": (0x19, "B"),
    "response_info": (0x1A, "s"), "server_reference": (0x1C, "s"), "reason": (0x1F, "s"),
    "receive_maximum": (0x21, ">H"), "topic_alias_maximum": (0x22, ">H"),
    "topic_alias": (0x23, ">H"), "maximum_qos": (0x24, "B"), "retain_available": (0x25, "B"),
    "maximum_packet_size": (0x27, ">I"), "wildcards": (0x28, "B"),
    "subscription_ids": (0x29, "B"), "shared": (0x2A, "B"),
}
NAMES = {number: (name, form) for name, (number, form) in PROPERTIES.items()}


def varint(n):
    out = b""
    while True:
        n, low = divmod(n, 128)
        out += bytes([low | (128 if n else 0)])
        if not n:
            return out


def text(data):
    data = data.encode() if isinstance(data, str) else data
    return struct.pack(">H", len(data)) + data


def packet(kind, body=b"", flags=0):
    return bytes([kind << 4 | flags]) + varint(len(body)) + body


def properties(values):
    out = b""
    for name, value in (values or {}).items():
        number, form = PROPERTIES[name]
        out += bytes([number])
        out += text(value) if form == "s" else varint(value) if form == "v" \
            else struct.pack(form, value)
    return varint(len(out)) + out


def connack(is_v5, code=0, values=None, session_present=0):
    return packet(CONNACK, bytes([session_present, code]) + (properties(values) if is_v5 else b""))


def ack(kind, number, code=0, flags=0):
    """PUBACK and its like; a code of 0 is left out, as MQTT 5 allows."""
    return packet(kind, struct.pack(">H", number) + (bytes([code]) if code else b""), flags)


def suback(is_v5, number, codes):
    return packet(SUBACK, struct.pack(">H", number) + (b"\0" if is_v5 else b"") + bytes(codes))


def disconnect(code, values=None):
    return packet(DISCONNECT, bytes([code]) + properties(values))


def publish(is_v5, topic, payload, qos=0, number=1, values=None, retain=False):
    body = text(topic) + (struct.pack(">H", number) if qos else b"")
    return packet(PUBLISH, body + (properties(values) if is_v5 else b"") + payload,
                  qos << 1 | retain)


@dataclasses.dataclass
class Packet:
    """One that was read; the fields that its kind does not have are left as they are."""
    kind: int
    flags: int
    body: bytes
    size: int             # header included
    topic: str = ""
    payload: bytes = b""
    qos: int = 0
    retain: bool = False
    number: int = 0
    values: dict = dataclasses.field(default_factory=dict)
    is_v5: bool = False
    client_id: str = ""
    keep_alive: int = 0
    will: "Packet" = None
    filters: list = dataclasses.field(default_factory=list)


class Reader:
    def __init__(self, data):
        self.data = data

    def take(self, n):
        out, self.data = self.data[:n], self.data[n:]
        if len(out) != n:
            raise ValueError("packet too short")
        return out

    def number(self, form=">H"):
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def text(self):
        return self.take(self.number())

    def varint(self):
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def properties(self):
        inner, out = Reader(self.take(self.varint())), {}
        while inner.data:
            name, form = NAMES[inner.take(1)[0]]
            out[name] = inner.text() if form == "s" else inner.varint() if form == "v" \
                else inner.number(form)
        return out


def read_packet(read, is_v5):
    """@p read gives exactly so many bytes or raises. is_v5: of the session, once it is known."""
    head = read(1)[0]
    length = shift = 0
    size = 1
    while True:
        byte = read(1)[0]
        size += 1
        length |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            break
    body = read(length) if length else b""
    return parse(Packet(head >> 4, head & 15, body, size + length), is_v5)


def parse(p, is_v5):
    r = Reader(p.body)
    if p.kind == CONNECT:
        r.text()
        p.is_v5 = r.number("B") == 5
        flags, p.keep_alive = r.number("B"), r.number()
        p.values = r.properties() if p.is_v5 else {}
        p.client_id = r.text().decode()
        if flags & 4:
            values = r.properties() if p.is_v5 else {}
            p.will = Packet(PUBLISH, 0, b"", 0, r.text().decode(), r.text(), flags >> 3 & 3,
                            bool(flags & 32), values=values)
    elif p.kind == PUBLISH:
        p.qos, p.retain = p.flags >> 1 & 3, bool(p.flags & 1)
        p.topic = r.text().decode()
        p.number = r.number() if p.qos else 0
        p.values = r.properties() if is_v5 else {}
        p.payload = r.data
    elif p.kind == SUBSCRIBE:
        p.number = r.number()
        p.values = r.properties() if is_v5 else {}
        while r.data:
            p.filters.append((r.text().decode(), r.number("B")))
    elif p.kind in (PUBACK, PUBREC, PUBREL, PUBCOMP, UNSUBSCRIBE):
        p.number = r.number()
    return p
