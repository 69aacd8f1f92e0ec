# SPDX-License-Identifier: Apache-2.0
"""Bad input by the table, on a real gateway: each gets one clear error, nothing
crashes, nothing leaks, and the counters in `P/health` agree with what was sent."""

import json
import os
import pathlib
import random
import struct
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from faulty_network import Proxy  # noqa: E402
from harness import IS_V5, P, IntegrationTest, base_config, strict_loads, until  # noqa: E402

CODES = {"invalid_json", "invalid_request", "unknown_command", "not_found", "busy", "limit",
         "refused", "stale"}
STEP = {"emit": "lamp.set"}
MUTATIONS = int(os.environ.get("CUEBUS_MUTATIONS", "10000"))
# Replies awaited at a time: below what the inbox holds.
BATCH = 100
# A definition, reply and key are remembered for 60 s (16 MiB at most), and an allocator keeps some.
RSS_GROWTH_KIB = 32 * 1024
SANITIZED = "san" in os.environ["CUEBUS"] or "CUEBUS_WRAPPER" in os.environ


def define(**members):
    return {"name": "made", "definition": {"steps": [STEP], **members}}


def step(**members):
    return define(steps=[{**STEP, **members}])


def raw(text):
    return text if isinstance(text, bytes) else text.encode()


# command, payload, code; a payload of bytes is sent as it is.
COMMANDS = [
    ("playlist/start", b'{"playlist":"%s"}' % (b"x" * 5000), "limit"),  # oversized
    ("ping", b" " * 5000, "limit"),
    ("playlist/start", b'{"playlist":' + b"[" * 40 + b"]" * 40 + b"}", "limit"),  # depth
    ("playlist/define", b'{"name":"a","definition":' + b'{"x":' * 40 + b"1" + b"}" * 41, "limit"),
    # UTF-8 that is none: a lone continuation, overlong, a surrogate, above U+10FFFF, cut short
    *(("playlist/start", b'{"playlist":"' + bad + b'"}', "invalid_json")
      for bad in (b"\x80", b"\xc0\xaf", b"\xe0\x80\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80",
                  b"\xff", b"\xe2\x82")),
    ("playlist/start", b'{"playlist":"\\ud800"}', "invalid_json"),
    ("playlist/start", b"\xef\xbb\xbf{}", "invalid_json"),
    # NUL, as it is and escaped
    ("playlist/start", b'{"playlist":"a\0b"}', "invalid_json"),
    ("playlist/start", b'{"playlist":"a"}\0', "invalid_json"),
    ("playlist/start", b"\0", "invalid_json"),
    ("playlist/start", b'{"playlist":"flash\\u0000x"}', "invalid_json"),
    ("playlist/start", b'{"playlist\\u0000":"flash"}', "invalid_json"),
    ("event/emit", b'{"event_type":"a\\u0000"}', "invalid_json"),
    ("event/emit", b'{"event_type":"a","producer_id":%s}' % (b"9" * 400), "invalid_json"),
    # JSON that is none
    *(("playlist/start", bad, "invalid_json")
      for bad in (b"{", b"{]", b"}", b'{"a"}', b'{"a":}', b'{"a":1,}', b"{'a':1}", b'{"a":01}',
                  b'{"a":+1}', b'{"a":.5}', b'{"a":1.}', b'{"a":NaN}', b'{"a":Infinity}',
                  b'{"a":1e}', b'{"a":"\n"}', b'{"a":"\\x"}', b"// x\n{}", b"{} {}", b"\x0c{}")),
    ("playlist/start", b'{"playlist":"flash","playlist":"long"}', "invalid_json"),  # twice
    ("playlist/start", b'{"playlist":"flash","pl\\u0061ylist":"long"}', "invalid_json"),
    ("playlist/start", b'{"request_id":1,"request_id":2,"playlist":"flash"}', "invalid_json"),
    ("event/emit", b'{"event_type":"a","data":{"b":1,"b":1}}', "invalid_json"),
    # not an object; not what it takes
    *(("playlist/start", bad, "invalid_request") for bad in (b"[]", b"3", b'"x"', b"null", b"true")),
    ("playlist/start", b"", "invalid_request"),
    ("playlist/start", {"playlist": "x" * 257}, "invalid_request"),
    ("playlist/start", {"playlist": "flash", "constructor": {}}, "invalid_request"),
    ("playlist/start", {"playlist": "no such"}, "not_found"),
    ("playlist/stop", {}, "invalid_request"),
    ("playlist/stop", {"run": "../../etc/passwd"}, None),
    ("playlist/stop", {"run": "0" * 32}, None),
    ("ping", b'{"request_id":{}}', "invalid_request"),
    ("ping", b'{"request_id":"%s"}' % (b"r" * 300), "invalid_request"),
    # wildcard and control characters in names
    *(("playlist/define", dict(define(), name=name), "invalid_request")
      for name in ("+", "#", "a/#", "a/b", "$SYS", "", "a\tb", "a\x7f", "x" * 129)),
    *(("gesture/define", {"name": name, "definition": {
        "type": "double_tap", "source": "a", "window": "1s", "emit": "b"}}, "invalid_request")
      for name in ("a/+", "#")),
    *(("event/emit", {"event_type": kind}, "invalid_request")
      for kind in ("a/b", "+", "a.#", "A", "a..b", ".", "a.", "x" * 129, ".".join("abcdefghi"), "ä",
                   "a b")),
    *(("event/emit", {"event_type": kind}, "refused")
      for kind in ("event.playlist.stopped", "gateway.gap", "gesture.x", "input.failed")),
    # huge and odd numbers
    *(("event/emit", b'{"event_type":"a","producer_id":%s}' % number, "invalid_request")
      for number in (b"-1", b"4294967296", b"1e400", b"-1e400", b"0.5", b"9" * 60,
                     b'"1"', b"null", b"1e999999999", b"-0.0000001")),
    *(("playlist/define", json.dumps(step(repeat=2, interval="1s")).replace(
        '"repeat": 2', f'"repeat": {number}').encode(), "invalid_request")
      for number in ("0", "-1", "1e20", "1.5", "9" * 60, "18446744073709551616", '"2"', "1e400")),
    *(("playlist/define", define(max_runs=number), "invalid_request") for number in (0, -1, 10**20)),
    *(("input/set", {"input": "pad", "value": value}, "invalid_request")
      for value in (2, -1, "1", 0.5, None, 1e300)),
    # durations: negative, overflowing, without a unit, of another type
    *(("playlist/define", step(offset=text), "invalid_request")
      for text in ("-1s", "99999999999999999999h", "1e30s", "1", "", "s", "1 s", "1d", "0x1s", "1.s",
                   ".5s", "1,5s", "88000h", "+1s", "1s1s", "9223372036854775807ms", 5, -1, None, {})),
    ("playlist/define", step(repeat=3, interval="0s"), "invalid_request"),
    ("playlist/define", step(repeat=3), "invalid_request"),
    ("playlist/define", step(repeat=4294967295, interval="87600h"), "invalid_request"),
    ("gesture/define", {"name": "g", "definition": {"type": "double_tap", "source": "a",
                                                    "window": "-5ms", "emit": "b"}},
     "invalid_request"),
    ("gesture/define", {"name": "g", "definition": {"type": "sequence", "timeout": "1s", "emit": "b",
                                                    "steps": []}}, "invalid_request"),
    ("gesture/define", {"name": "g", "definition": {"type": "nonsense"}}, "invalid_request"),
    # definitions
    ("playlist/define", define(steps=[]), "invalid_request"),
    ("playlist/define", define(steps=[{}]), "invalid_request"),
    ("playlist/define", define(steps="x"), "invalid_request"),
    ("playlist/define", step(emit="event.playlist.created"), "invalid_request"),
    ("playlist/define", define(metdata={}), "invalid_request"),
    ("playlist/define", define(mode="sometimes"), "invalid_request"),
    ("playlist/define", {"name": "a", "definition": []}, "invalid_request"),
    ("playlist/define", define(interrupts=[{"event": "a", "match": {"b": {"gt": {}}}}]),
     "invalid_request"),
    ("playlist/remove", {"playlist": "../state"}, "not_found"),
    ("gesture/remove", {"gesture": "#"}, "not_found"),
    # nouns and verbs that are none
    *((name, {}, "unknown_command")
      for name in ("playlist", "playlist/", "playlist/begin", "nothing/at/all", "PING", "ping/",
                   "ping/ping", "playlist//start", "a" * 200, "ä/ö", "playlist/start ", "-", "%s%n")),
]

EMITS = [
    ("a", b"{", "invalid_json"),
    ("a", b"\xff", "invalid_json"),
    ("a", b"1\0", "invalid_json"),
    ("a", b'{"b":1,"b":2}', "invalid_json"),
    ("a", b"[" * 33 + b"]" * 33, "limit"),
    ("a", b'"' + b"x" * 4095 + b'"', "limit"),
    ("A", b"1", "invalid_request"),
    ("a//b", b"1", "invalid_request"),
    ("a/", b"1", "invalid_request"),
    ("a.b", b"1", "invalid_request"),
    ("ä", b"1", "invalid_request"),
    ("a b", b"1", "invalid_request"),
    ("/".join("abcdefghi"), b"1", "invalid_request"),
    ("x" * 129, b"1", "invalid_request"),
    ("event/playlist/stopped", b"1", "refused"),
    ("gateway/gap", b"1", "refused"),
    ("gesture/near_miss", b"1", "refused"),
    ("input/failed", b"1", "refused"),
]

GOOD = [
    ("playlist/start", {"playlist": "flash", "trigger_data": {"a": [1, 2.5, None]}}),
    ("playlist/stop", {"playlist": "flash"}),
    ("playlist/list", {}),
    ("playlist/runs", {"playlist": "long"}),
    ("playlist/define", {"name": "mutant.playlist", "definition": {
        "interrupts": ["stop.sequence", {"event": "heart.rate", "match": {"bpm": {"gt": 180}}}],
        "completion": "mutant.done", "metadata": {"k": "v"}, "mode": "queued", "max_runs": 4,
        "steps": [{"emit": "lamp.set", "data": {"on": True}, "offset": "10ms", "repeat": 3,
                   "interval": "20ms"}]}}),
    ("playlist/remove", {"playlist": "mutant.playlist"}),
    ("gesture/define", {"name": "mutant.gesture", "definition": {
        "type": "sequence", "timeout": "800ms", "emit": "mutant.fired", "steps": [
            {"event": "key.press", "match": {"code": "up"}}, {"event": "key.press"}]}}),
    ("gesture/remove", {"gesture": "mutant.gesture"}),
    ("gesture/list", {}),
    ("event/emit", {"event_type": "some.thing", "producer_id": 7, "data": {"x": -1.5e-3, "y": "ä"}}),
    ("state/get", {"event_type": "some.thing", "producer_id": 7}),
    ("input/set", {"input": "pad", "value": 1}),
    ("config/check", {"version": 1, "gateway": {"id": "x"}, "playlists": {"p": {"steps": [STEP]}}}),
    ("config/get", {}),
    ("ping", {}),
]
FRAGMENTS = [b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"\\u0000", b"\0", b"\xff", b"-", b"1e999",
             b"99999999999999999999", b"null", b"true", b'"-1s"', b'"99999999999h"', b"+", b"#", b"/",
             b"\xc3", b'"event.x"', b"%n%s", b"\n", b" ", b"0", b"."]


def mutate(rng, text):
    """One to four changes of a good payload."""
    data = bytearray(text)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(data) + 1)
        kind = rng.randrange(7)
        if kind == 0 and data:
            data[rng.randrange(len(data))] = rng.randrange(256)
        elif kind == 1 and data:
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        elif kind == 2:
            data[at:at] = rng.choice(FRAGMENTS)
        elif kind == 3:
            del data[at:at + rng.randint(1, 8)]
        elif kind == 4:
            piece = data[at:at + rng.randint(1, 32)]
            data[at:at] = piece * rng.randint(1, 20)
        elif kind == 5:
            del data[at:]
        else:
            a, b = sorted((at, rng.randrange(len(data) + 1)))
            data[a:b] = rng.choice(FRAGMENTS)
    return bytes(data)


class BadInput(IntegrationTest):
    @classmethod
    def config(cls):
        config = base_config(cls.broker.port, cls.state_dir)
        config["limits"] = {"payload_bytes": 4096, "commands_per_second": 1000000,
                            "definitions": 200, "active_runs": 200, "state_entries": 1000}
        return config

    def health(self):
        """What is counted up to now: two snapshots, the second begun after this call."""
        since = self.watcher.mark()
        self.watcher.wait("two health messages", lambda: len(
            [m for m in self.watcher.messages[since:] if m.topic == f"{P}/health"]) >= 2)
        return [m for m in self.watcher.messages[since:] if m.topic == f"{P}/health"][-1].json

    def answered(self, counters):
        commands = counters["commands"]
        return commands["ok"] + commands["failed"] + commands["repeated"]

    def rss_kib(self):
        status = pathlib.Path(f"/proc/{self.gateway.process.pid}/status").read_text()
        return int(next(l for l in status.splitlines() if l.startswith("VmRSS")).split()[1])

    def is_fine(self, health):
        self.assertEqual(health["bus"]["handler_failures"], 0)
        self.assertEqual(health["mqtt"]["inbox_dropped"], 0)
        self.assertTrue(health["mqtt"]["connected"])
        for word in ("Sanitizer", "runtime error", "impossible", "a handler failed"):
            self.assertNotIn(word, self.gateway.log())

    def test_commands(self):
        before = self.health()
        failed = 0
        for command, payload, code in COMMANDS:
            with self.subTest(command=command[:60], payload=str(payload)[:120]):
                reply = self.control.request_raw(command, payload)
                error = reply.get("error")
                self.assertFalse(reply["ok"] and code, reply)
                if code:
                    failed += 1
                    self.assertEqual(error["code"], code, error)
                if error:
                    self.assertGreater(len(error["message"]), 5)
                    self.assertLess(len(error["message"]), 600)
        after = self.health()
        self.is_fine(after)
        self.assertEqual(self.answered(after) - self.answered(before), len(COMMANDS))
        self.assertGreaterEqual(after["commands"]["failed"] - before["commands"]["failed"], failed)
        self.assertEqual(after["commands"]["store_error"], None)
        # Nothing of it was defined.
        names = {p["name"] for p in self.ok("playlist/list")["playlists"]}
        self.assertNotIn("made", names)

    def test_emits(self):
        before, since = self.health(), self.watcher.mark()
        for topic, payload, _ in EMITS:
            self.control.publish(f"{P}/emit/{topic}", payload)
        # One a second at most is told, with how many there were besides; so one by one the
        # last of each is seen.
        told = 0

        def all_told():
            nonlocal told
            events = self.watcher.events("gateway.refused", since)
            told = sum(1 + e["data"]["suppressed"] for e in events)
            return told >= len(EMITS)
        self.watcher.wait("all refusals told or counted", all_told)
        self.assertEqual(told, len(EMITS))
        after = self.health()
        self.is_fine(after)
        self.assertEqual(after["mqtt"]["refused"] - before["mqtt"]["refused"], len(EMITS))
        self.assertEqual([e for e in self.watcher.events(since=since)
                          if e["event_type"] not in ("gateway.refused", "test.fence")], [])

    def test_emits_say_why(self):
        for topic, payload, code in EMITS[::3]:
            with self.subTest(topic=topic, payload=payload[:40]):
                since = self.watcher.mark()
                until("told", lambda: self.told(topic, payload, code, since))

    def told(self, topic, payload, code, since):
        self.control.publish(f"{P}/emit/{topic}", payload)
        try:
            event = self.watcher.event("gateway.refused", lambda e: e["data"]["topic"]
                                       == f"{P}/emit/{topic}", since, timeout_s=1.2)
        except AssertionError:
            return False
        self.assertEqual(event["data"]["code"], code)
        self.assertGreater(len(event["data"]["message"]), 5)
        return True

    def test_topics_without_a_name(self):
        """`P/cmd` and `P/emit` themselves match the subscriptions."""
        before = self.health()
        for topic in ("cmd", "emit", "cmd/", "emit/"):
            self.control.publish(f"{P}/{topic}", b"{}")
        self.ok("ping")
        after = self.health()
        self.is_fine(after)
        counted = (after["mqtt"]["refused"] - before["mqtt"]["refused"]
                   + self.answered(after) - self.answered(before))
        self.assertEqual(counted, 4 + 1)

    def test_far_too_large(self):
        """Over MQTT 5 the broker has been told not to send such a one; either way nothing breaks."""
        for topic in ("emit/far/too/large", "cmd/ping"):
            self.control.publish(f"{P}/{topic}", b'"' + b"x" * 3_000_000 + b'"')
        self.ok("ping")
        self.is_fine(self.health())

    def mutations(self, rng, n, seed):
        """Send them, in batches; each is answered exactly once by valid JSON."""
        topic = f"{P}/reply/{self.control.name}/mutants"
        self.control.subscribe(topic)
        for begin in range(0, n, BATCH):
            since, sent = self.control.mark(), {}
            for k in range(begin, min(begin + BATCH, n)):
                command, payload = rng.choice(GOOD)
                data = mutate(rng, json.dumps(payload).encode())
                if rng.random() < 0.02:
                    command = command.replace(rng.choice(command), rng.choice("abc/_ 0Z"), 1)
                token = b"%d-%d" % (seed, k)
                sent[token] = (command, data)
                self.control.publish(f"{P}/cmd/{command}", data, response=topic, correlation=token)
            replies = {}

            def all_answered():
                replies.clear()
                for m in self.control.messages[since:]:
                    if m.topic == topic:
                        replies.setdefault(m.correlation, []).append(m)
                return len(replies) >= len(sent)
            try:
                self.control.wait("all replies", all_answered)
            except AssertionError:
                missing = [sent[t] for t in sent if t not in replies]
                self.fail(f"seed {seed}: no reply to {missing[:5]}; {self.gateway.log()[-2000:]}")
            for token, messages in replies.items():
                self.assertEqual(len(messages), 1, (seed, sent[token]))
                self.is_reply(messages[0], (seed, sent[token]))

    def is_reply(self, message, what):
        reply = strict_loads(message.payload.decode("utf-8"))
        if reply["ok"]:
            self.assertIn("result", reply, what)
            return
        self.assertIn(reply["error"]["code"], CODES, what)
        self.assertGreater(len(reply["error"]["message"]), 5, what)

    @unittest.skipUnless(IS_V5, "replies are told apart by correlation data")
    def test_mutations(self):
        seed = int(os.environ.get("CUEBUS_SEED", random.randrange(2**32)))
        print(f"seed {seed}: repeat with CUEBUS_SEED={seed}", file=sys.stderr)
        rng = random.Random(seed)
        before = self.health()
        self.mutations(rng, MUTATIONS // 4, seed)
        rss = self.rss_kib()
        self.mutations(rng, MUTATIONS - MUTATIONS // 4, seed + 1)
        grown = self.rss_kib() - rss
        self.ok("playlist/stop", {"all": True})
        after = self.health()
        self.is_fine(after)
        self.assertEqual(self.answered(after) - self.answered(before), MUTATIONS + 1)
        self.assertEqual(after["commands"]["rate_limited"], 0)
        self.assertEqual(after["commands"]["store_error"], None)
        print(f"RSS grew by {grown} KiB over the last {MUTATIONS - MUTATIONS // 4}", file=sys.stderr)
        if not SANITIZED:
            self.assertLess(grown, RSS_GROWTH_KIB)


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
    """What only a broker that is broken, or not one at all, would send."""

    @classmethod
    def config(cls):
        cls.proxy = Proxy(cls.broker.port)
        cls.addClassCleanup(cls.proxy.close)
        config = base_config(cls.broker.port, cls.state_dir)
        config["mqtt"]["url"] = f"mqtt://127.0.0.1:{cls.proxy.port}"
        # What ends the wait for a packet of 256 MiB that never comes.
        config["mqtt"]["keepalive"] = "2s"
        return config

    def survives(self, data):
        """The gateway goes on, if need be over a new connection."""
        self.proxy.inject(data)
        until("an answer", self.answers, process=self.gateway.process)

    def answers(self):
        try:
            return self.control.request("ping", timeout_s=2)["ok"]
        except AssertionError:
            return False

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
        """The broker counts the seconds down; one that arrives with none left is not run."""
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
