# SPDX-License-Identifier: Apache-2.0
"""Whatever code the broker answers with, and wherever it closes the connection: the log names that
cause and no other, every lost event is named by a gap, and the next session works."""

import unittest

from broker_cases import IN_A_ROW, LOST, NO_REASON, BrokerCases, Case, once
from harness import P  # after what finds it
from mqtt_packets import CONNACK, PUBACK, ack, connack, packet, properties, suback
from reason_names import UNKNOWN, V5 as NAMES
from scripted_broker import CLOSE, RESET, SWALLOW, refuse, say, say_disconnect

# Names the message in flight at the end of a session, without claiming that it is the cause.
IN_DOUBT = "the session ended without an acknowledgement of the message"
# To a SUBSCRIBE; then the end of the session is logged.
NO_ANSWER = "no answer (-"
FAILED = "no connection to the broker: 127.0.0.1:"
EVENT = f"{P}/bus/lone/event"


def connack_cases(_):
    for code in (*NAMES, 0xA3, 0xFE, 0xFF):
        says = (FAILED, NAMES.get(code, UNKNOWN), f"({code})")
        if code == 0x9A:
            says = ("the broker accepts no retained messages",)
        elif code == 0x9B:
            says = ("the broker accepts QoS 0 only",)
        yield Case(f"CONNACK {code:#x}",
                   once("on_connect", lambda s, p, code=code: connack(True, code)), says)


def puback_cases(_):
    for code in (*NAMES, 0xA3, 0xFF):
        yield Case(f"PUBACK {code:#x}", emits_lone(lambda s, p, code=code: refuse(code)),
                   ("given up: refused",
                    f"the broker refused a message to '{EVENT}': {NAMES.get(code, UNKNOWN)} "
                    f"({code:#04x})",), connects=False, after=lone_is_named("refused"))
    # "No matching subscribers" is not an error.
    yield Case("PUBACK 0x10", emits_lone(lambda s, p: refuse(0x10)), connects=False)


def emits_lone(action):
    """An event, and the answer to it."""
    def misbehave(test):
        done = once("on_publish", lambda s, p: action(s, p) if p.topic == EVENT else None,
                    in_this_session=True)(test)
        test.gaps = len(test.arrived("gateway.gap"))
        test.emit("lone.event")
        return done
    return misbehave


def lone_is_named(reason):
    def after(test):
        gap = test.wait_event("gateway.gap", test.gaps + 1)[-1]["data"]
        test.assertEqual((gap["count"], gap["reason"]), (1, reason))
    return after


def suback_cases(_):
    for code in (*NAMES, 0xA3, 0xFF):
        yield Case(f"SUBACK {code:#x}", refuses_a_subscription(code),
                   (f"subscription to '{P}/emit/#': {NAMES.get(code, UNKNOWN)} ({code}). "
                    "The gateway continues without it",), lasts=True)


def refuses_a_subscription(code):
    """P/emit is not subscribed to: the gateway is online all the same, and another session has
    it again."""
    def misbehave(test):
        sessions = len(test.broker.sessions)
        done = once("on_subscribe",
                    lambda s, p: [code] if p.filters[0][0] == f"{P}/emit/#" else None)(test)

        def online():
            return done() and any(p.payload == b"online" for s in test.broker.sessions[sessions:]
                                  for p in s.packets if p.topic == f"{P}/status")
        return online
    return misbehave


def disconnect_cases(_):
    for code in (0x00, 0x04, *NAMES, 0xA3, 0xFF):
        says, may_say = (LOST, f"{NAMES.get(code, UNKNOWN)} ({code:#04x})"), (IN_DOUBT,)
        if code == 0x00:
            says, may_say = (LOST, NO_REASON), (IN_DOUBT, IN_A_ROW)
        elif code == 0x04:  # not for brokers; MQTT has a name for it all the same
            says = (LOST, "Disconnect with Will Message (0x04)")
        elif code == 0x8E:
            says = ("another client took over the client id",)
        yield Case(f"DISCONNECT {code:#x}", emits_lone(lambda s, p, code=code: say_disconnect(code)),
                   says, may_say, connects=False, lasts=code == 0x8E)


def closing_cases(is_v5):
    """The broker closes at a packet of the client: instead of, in the middle of, or after the answer."""
    half = connack(is_v5)[:3]
    # Over MQTT 5 paho waits 5 s for a SUBACK even after the connection broke.
    for name, end, at in (("closed", CLOSE, (1,)), ("reset", RESET, (3,))):
        yield Case(f"{name} instead of CONNACK", once("on_connect", lambda s, p, end=end: end),
                   may_say=(FAILED,))
        yield Case(f"{name} after half a CONNACK",
                   once("on_connect", lambda s, p, end=end: say(half, end)), may_say=(FAILED,))
        yield Case(f"{name} after CONNACK",
                   once("on_connect", lambda s, p, end=end: say(connack(is_v5), end)),
                   may_say=(FAILED, LOST, IN_A_ROW, IN_DOUBT, NO_ANSWER))
        for n in at:
            yield Case(f"{name} at PUBLISH {n}", at_publish(n, lambda p, end=end: end),
                       (LOST,), (IN_A_ROW, IN_DOUBT, NO_ANSWER))
            yield Case(f"{name} after PUBACK {n}",
                       at_publish(n, lambda p, end=end: say(ack(PUBACK, p.number or 1), end)),
                       (LOST,), (IN_A_ROW, IN_DOUBT, NO_ANSWER))
            yield Case(f"{name} after half a PUBACK {n}",
                       at_publish(n, lambda p, end=end: say(ack(PUBACK, p.number or 1)[:3], end)),
                       (LOST,), (IN_A_ROW, IN_DOUBT, NO_ANSWER))
        yield Case(f"{name} at SUBSCRIBE", once("on_subscribe", lambda s, p, end=end: end),
                   (LOST, NO_ANSWER), (IN_A_ROW,))
        yield Case(f"{name} after half a SUBACK",
                   once("on_subscribe", lambda s, p, end=end: say(
                       suback(is_v5, p.number, [1])[:4], end)), (LOST, NO_ANSWER), (IN_A_ROW,))
    yield Case("no SUBACK", once("on_subscribe", lambda s, p: SWALLOW), (LOST, NO_ANSWER))
    yield Case("no CONNACK", once("on_connect", lambda s, p: SWALLOW), (FAILED,))


def at_publish(n, action):
    """At the n-th PUBLISH of a session."""
    return once("on_publish", lambda s, p: action(p) if n <= sum(
        q.kind == p.kind for q in s.packets) else None)


def limited(says=(), may_say=(), name=None, **values):
    """A session that has a CONNACK with these properties; everything works in it."""
    body = properties(values)
    return accepted(name or f"CONNACK {values}", packet(CONNACK, b"\0\0" + body), says, may_say)


def accepted(name, data, says=(), may_say=()):
    def misbehave(test):
        before = len(test.broker.sessions)
        test.broker.on_connect = lambda s, p: data

        def online():
            return any(p.topic == f"{P}/status" and p.payload == b"online"
                       for s in test.broker.sessions[before:] for p in s.packets)
        return online
    return Case(name, misbehave, says, may_say)


def limit_cases(_):
    yield Case("CONNACK without a window", once(
        "on_connect", lambda s, p: connack(True, 0, {"receive_maximum": 0})),
        (FAILED, "Receive Maximum is 0, which MQTT forbids"))
    for size in (0, 1, 20, 40):
        yield Case(f"CONNACK with a packet of {size} bytes at most", once(
            "on_connect", lambda s, p, size=size: connack(True, 0, {"maximum_packet_size": size})),
            (FAILED, "Maximum Packet Size is too small for the gateway's own status"))
    yield limited(receive_maximum=1)
    yield limited(receive_maximum=65535)
    yield limited(("the broker accepts QoS 0 only",), maximum_qos=0)
    yield limited(maximum_qos=1)
    yield limited(("the broker accepts no retained messages",), retain_available=0)
    yield limited(retain_available=1)
    yield limited(may_say=("the broker accepts no message of this size",), maximum_packet_size=1000)
    yield limited(maximum_packet_size=0x80000000)
    yield limited(maximum_packet_size=0xFFFFFFFF)
    yield limited(("keep alive is 1 s",), server_keep_alive=1)
    yield limited(server_keep_alive=65535)
    yield limited(topic_alias_maximum=1)
    yield limited(topic_alias_maximum=65535)
    yield limited(("no subscriptions with wildcards",), wildcards=0)
    yield limited(shared=0)
    yield limited(subscription_ids=0)
    yield limited(assigned_client_id="another")
    yield limited(reason="because")
    yield limited(server_reference="elsewhere:1883")
    yield limited(response_info="x/")
    yield limited(session_expiry=0)
    yield limited(session_expiry=0xFFFFFFFF)
    yield limited(auth_method="X", auth_data="y")
    yield limited(("keep alive is 5 s", "QoS 0 only", "no retained messages", "with wildcards"),
                  receive_maximum=1, maximum_qos=0, retain_available=0, server_keep_alive=5,
                  wildcards=0, shared=0, subscription_ids=0, topic_alias_maximum=0,
                  assigned_client_id="another", reason="r" * 1000)
    user = b"\x26\x00\x01k\x00\x01v"
    yield accepted("CONNACK with user properties",
                   packet(CONNACK, b"\0\0" + bytes([5 * len(user)]) + 5 * user))
    yield accepted("CONNACK with a session", connack(True, session_present=1))


class Both:
    cases_closing = staticmethod(closing_cases)


class V5(Both, BrokerCases):
    cases_connack = staticmethod(connack_cases)
    cases_puback = staticmethod(puback_cases)
    cases_suback = staticmethod(suback_cases)
    cases_disconnect = staticmethod(disconnect_cases)
    cases_limits = staticmethod(limit_cases)


class V311(Both, BrokerCases):
    protocol = "3.1.1"

    @staticmethod
    def cases_connack(_):
        texts = {1: "does not speak this version", 2: "refused the client id",
                 3: "the broker is unavailable", 4: "wrong user name or password",
                 5: "not authorized"}
        return [Case(f"CONNACK {code}",
                     once("on_connect", lambda s, p, code=code: connack(False, code)),
                     (FAILED, texts.get(code, "not this gateway's connect")))
                for code in (*texts, 6, 0x7F, 0x80, 0x87, 0xFF)]

    @staticmethod
    def cases_suback(_):
        return [Case(f"SUBACK {code:#x}", refuses_a_subscription(code),
                     (f"subscription to '{P}/emit/#': refused by the broker",), lasts=True)
                for code in (0x80,)]


if __name__ == "__main__":
    unittest.main()
