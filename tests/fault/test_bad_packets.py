# SPDX-License-Identifier: Apache-2.0
"""Packets of every type at the wrong time, malformed, cut short and huge: the gateway continues, if
necessary with another session, and every lost event is named by a gap."""

import unittest

from broker_cases import BUSY, IN_A_ROW, LOST, BrokerCases, Case, once
from harness import P  # after what finds it
from mqtt_packets import CONNACK, SUBACK, UNSUBACK, UNSUBSCRIBE, connack, packet, publish, text, varint
from scripted_broker import say
from test_answers import FAILED, IN_DOUBT

# Texts that may be logged when a packet ends the session; never that a message is dropped.
ENDS = (FAILED, LOST, IN_A_ROW, IN_DOUBT, "no answer (-")
OVERRUN = "acknowledges messages that were not sent"


def wrong_packets(is_v5):
    """One or more of each type that the broker has no reason to send."""
    none = b"\0" if is_v5 else b""
    topic = f"{P}/emit/a"
    yield "type 0", packet(0)
    yield "type 0 with a body", packet(0, b"abc")
    yield "CONNECT", packet(1, text("MQTT") + b"\4\2\0\x3c" + text("x"))
    yield "CONNACK", connack(is_v5)
    yield "CONNACK that refuses", connack(is_v5, 0x87 if is_v5 else 5)
    for kind, name, flags in ((4, "PUBACK", 0), (5, "PUBREC", 0), (6, "PUBREL", 2), (7, "PUBCOMP", 0)):
        for number in (0, 1, 0x7FFF, 0xFFFF):
            yield f"{name} {number}", packet(kind, number.to_bytes(2, "big"), flags)
        yield f"{name} with an error", packet(kind, b"\x7f\xff" + (b"\x92\0" if is_v5 else b""), flags)
        yield f"{name} without an id", packet(kind, b"", flags)
        yield f"{name} with half an id", packet(kind, b"\0", flags)
        yield f"{name} with wrong flags", packet(kind, b"\0\1", 15)
    yield "SUBSCRIBE", packet(8, b"\0\1" + none + text("#") + b"\1", 2)
    yield "SUBACK", packet(9, b"\x7f\xff" + none + b"\0")
    yield "SUBACK without codes", packet(9, b"\x7f\xff" + none)
    yield "SUBACK of id 0", packet(9, b"\0\0" + none + b"\0")
    yield "SUBACK of nothing", packet(9)
    yield "UNSUBSCRIBE", packet(10, b"\0\1" + none + text("#"), 2)
    yield "UNSUBACK", packet(11, b"\x7f\xff" + none + (b"\0" if is_v5 else b""))
    yield "UNSUBACK of nothing", packet(11)
    yield "PINGREQ", packet(12)
    yield "PINGRESP", packet(13)
    yield "PINGRESP with a body", packet(13, b"abc")
    yield "DISCONNECT", packet(14)
    yield "AUTH", packet(15, b"\x18\0" if is_v5 else b"")
    yield "PUBLISH of QoS 3", publish(is_v5, topic, b"1", qos=3)
    yield "PUBLISH of id 0", publish(is_v5, topic, b"1", qos=1, number=0)
    yield "PUBLISH, no UTF-8", publish(is_v5, b"cuebus/1/it/emit/\xff\xfe", b"1")
    yield "PUBLISH, a surrogate", publish(is_v5, b"cuebus/1/it/emit/\xed\xa0\x80", b"1")
    yield "PUBLISH, NUL", publish(is_v5, b"cuebus/1/it/emit/a\0b", b"1")
    yield "PUBLISH without a topic", publish(is_v5, "", b"1")
    yield "PUBLISH of nothing", packet(3)
    yield "PUBLISH, half a length", packet(3, b"\0")
    yield "PUBLISH, topic beyond the packet", packet(3, b"\xff\xffabc")
    yield "PUBLISH, no room for the id", packet(3, text(topic) + b"\0", 2)
    yield "five bytes of length", b"\x30\xff\xff\xff\xff\x01"
    yield "a length without end", b"\x30" + 20 * b"\xff"
    for kind in range(1, 16):
        yield f"type {kind} with a body of 0xff", packet(kind, 40 * b"\xff")
        yield f"type {kind} with all flags", packet(kind, b"\0\1", 15)


def wrong_properties():
    """PUBLISH over MQTT 5."""
    topic = text(f"{P}/emit/a")
    for name, data in (
            ("beyond the packet", varint(1000)), ("unknown", b"\2\x7e\1"),
            ("twice", b"\4\1\0\1\0"), ("of a CONNACK", b"\3\x21\0\1"),
            ("cut short", b"\2\x08\0"), ("text beyond them", b"\4\x08\xff\xffx"),
            ("length of five bytes", b"\xff\xff\xff\xff\1"), ("topic alias 0", b"\3\x23\0\0"),
            ("topic alias", b"\3\x23\0\7"), ("huge", varint(50000) + b"\x26\0\1k\0\1v" * 100)):
        yield f"PUBLISH, properties {name}", packet(3, topic + data + b"1")


def wrong_connacks(is_v5):
    ok = b"\0\0"
    yield "of nothing", packet(2)
    yield "of one byte", packet(2, b"\0")
    yield "with wrong flags", packet(2, ok + (b"\0" if is_v5 else b""), 15)
    yield "with reserved bits", packet(2, b"\xfe\0" + (b"\0" if is_v5 else b""))
    yield "with a tail", packet(2, ok + (b"\0" if is_v5 else b"") + b"tail")
    if not is_v5:
        return
    yield "without properties", packet(2, ok)
    for name, data in (
            ("beyond the packet", b"\x7f"), ("unknown", b"\2\x7e\1"),
            ("twice", b"\6\x21\0\1\x21\0\2"), ("Receive Maximum 0", b"\3\x21\0\0"),
            ("Maximum Packet Size 0", b"\5\x27\0\0\0\0"), ("Maximum QoS 7", b"\2\x24\7"),
            ("Retain Available 9", b"\2\x25\x09"), ("cut short", b"\1\x21"),
            ("of a PUBLISH", b"\3\x23\0\1"), ("no UTF-8", b"\5\x1f\0\2\xff\xfe"),
            ("text beyond them", b"\4\x1f\xff\xffx"), ("length of five bytes", b"\xff\xff\xff\xff\1")):
        yield f"with properties {name}", packet(2, ok + data)


def wrong_subacks(is_v5):
    """Instead of a SUBACK; n: the packet's id."""
    none = b"\0" if is_v5 else b""
    yield "SUBACK with a tail", lambda n: packet(9, n + none + b"\1\1\1\1")
    yield "SUBACK of another id", lambda n: packet(9, b"\x7f\xff" + none + b"\1")
    yield "SUBACK with an unknown code", lambda n: packet(9, n + none + b"\x7e")
    yield "SUBACK without codes", lambda n: packet(9, n + none)
    yield "SUBACK of nothing", lambda n: packet(9)
    yield "SUBACK, half an id", lambda n: packet(9, b"\0")
    yield "UNSUBACK", lambda n: packet(11, n + none + b"\0")
    yield "PUBACK", lambda n: packet(4, n)
    if not is_v5:
        yield "CONNACK", lambda n: connack(is_v5)
    else:
        yield "SUBACK, properties beyond it", lambda n: packet(9, n + b"\x7f\1")


def wrong_unsubacks(is_v5):
    """Instead of an UNSUBACK; n: the packet's id."""
    none = b"\0" if is_v5 else b""
    yield "UNSUBACK with a tail", lambda n: packet(11, n + none + b"\0\0\0\0")
    yield "UNSUBACK of another id", lambda n: packet(11, b"\x7f\xff" + none + none)
    yield "UNSUBACK with an unknown code", lambda n: packet(11, n + none + b"\x7e")
    yield "UNSUBACK without codes", lambda n: packet(11, n + none)
    yield "UNSUBACK of nothing", lambda n: packet(11)
    yield "UNSUBACK, half an id", lambda n: packet(11, b"\0")
    yield "SUBACK", lambda n: packet(9, n + none + b"\1")
    yield "SUBACK without codes", lambda n: packet(9, n + none)
    yield "PUBACK", lambda n: packet(4, n)
    if not is_v5:
        yield "CONNACK", lambda n: connack(is_v5)
    else:
        yield "UNSUBACK, properties beyond it", lambda n: packet(11, n + b"\x7f\0")


def in_session(name, data):
    def misbehave(test):
        if data[0] >> 4 in (CONNACK, SUBACK, UNSUBACK):
            # Not while paho waits for an answer: see docs/security.md.
            test.wait("the end of the sweep", lambda: sum(
                p.kind == UNSUBSCRIBE for p in test.broker.session.packets) == 3)
            test.probe("after the sweep")
        test.broker.session.send(data)
    return Case(name, misbehave, (), (*ENDS, OVERRUN), connects=False)


def instead_of(handler, name, data, may_say=ENDS):
    return Case(name, once(handler, lambda s, p: say(data)), (), may_say)


class Both:
    @staticmethod
    def cases_in_a_session(is_v5):
        return [in_session(*case) for case in wrong_packets(is_v5)]

    @staticmethod
    def cases_instead_of_connack(is_v5):
        return [instead_of("on_connect", name, data) for name, data in wrong_packets(is_v5)
                if not name.startswith("CONNACK") and " " not in name]

    @staticmethod
    def cases_before_connack(is_v5):
        return [Case(name + ", then CONNACK", accepts_after(data), (), ENDS)
                for name, data in wrong_packets(is_v5) if " " not in name]

    @staticmethod
    def cases_connack(is_v5):
        return [Case(f"CONNACK {name}", accepts_with(data), (), ENDS, lasts=True)
                for name, data in wrong_connacks(is_v5)]

    @staticmethod
    def cases_publishes_right_after_connack(is_v5):
        """Many times: paho empties its queue of messages at that moment."""
        return [Case(f"CONNACK, then {count} PUBLISH", once(
            "on_connect", lambda s, p, count=count: connack(s.is_v5) + publishes(s.is_v5, count)),
            (), (*ENDS, BUSY), lasts=True) for count in (1, 2, 10, 100, 1000) * 4]

    @staticmethod
    def cases_instead_of_suback(is_v5):
        return [Case(name, once("on_subscribe", lambda s, p, data=data: say(
            data(p.number.to_bytes(2, "big")))), (), (*ENDS, "subscription to"), lasts=True)
            for name, data in wrong_subacks(is_v5)]

    @staticmethod
    def cases_instead_of_unsuback(is_v5):
        """At the end of the sweep."""
        return [Case(name, once("on_unsubscribe", lambda s, p, data=data: say(
            data(p.number.to_bytes(2, "big")))), (), ENDS, lasts=True)
            for name, data in wrong_unsubacks(is_v5)]

    @staticmethod
    def cases_cut_short_and_huge(is_v5):
        """The rest never comes: the keep alive ends the wait."""
        return [in_session(name, data) for name, data in (
            ("256 MiB", b"\x30\xff\xff\xff\x7f"), ("a length cut short", b"\x30\xff"),
            ("a byte", b"\x30"), ("half a PUBLISH", publish(is_v5, f"{P}/emit/a", b"1" * 900)[:400]))]


def publishes(is_v5, count):
    """Topics without a subscription so far."""
    return b"".join(publish(is_v5, f"{P}/emit/a", b"%d" % n) for n in range(count))


def accepts_after(data):
    return once("on_connect", lambda s, p: data + connack(s.is_v5))


def accepts_with(data):
    return once("on_connect", lambda s, p: data)


class V5(Both, BrokerCases):
    @staticmethod
    def cases_properties(_):
        return [in_session(*case) for case in wrong_properties()]


class V311(Both, BrokerCases):
    protocol = "3.1.1"


if __name__ == "__main__":
    unittest.main()
