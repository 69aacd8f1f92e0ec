# SPDX-License-Identifier: Apache-2.0
"""Commands of every kind, valid and slightly invalid, with the expected reply.

Names and fields come from schemas/cmd.*.schema.json, so a new command is covered without an entry
here.
"""

import json
import pathlib
import re
import sys

from environment import P
from mqtt_client import REGISTRY, strict_loads

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "fault"))
from bad_messages import GOOD, mutate  # noqa: E402

COMMANDS = sorted(name[4:].replace(".", "/") for name in REGISTRY.schemas if name.startswith("cmd."))
UNKNOWN = ["playlist", "playlist/begin", "playlist/start/now", "PING", "ping/ping", "x", "a" * 250,
           "a" + "é" * 120, "playlist/st\u00e4rt", "%s%n", "-", " ping"]
WRONG = [None, True, False, 0, 1, -1, 0.5, 2, 2**32, 2**53 + 1, 1e300, "", "x", " ", "a/b", "+", "#", "\u00e9" * 128,
         "\u00e9" * 129, "n" * 256, "n" * 257, "a.*", "a.b", "event.x", "0" * 32, "\U0001f514", "\uffff", "\x7f",
         [], {}, [1], {"a": 1}, "pad", "dial", "flash", "long", "lamp.set"]
# As written in the payload.
REQUEST_IDS = ['1', '-7', '1.5', '1e3', '0.10', '12345678901234567890', '""', '"id"', '"\\u00e4"', '"ä"',
               '"%s"' % ("r" * 254), '"%s"' % ("r" * 255), '"%s"' % ("ä" * 127), '"%s"' % ("ä" * 128),
               "null", "true", "[]", "{}", '"\\u0000"', '"\\ud800"', "01"]
ID_AS_WRITTEN = re.compile(rb'"request_id"\s*:\s*("(?:\\.|[^"\\])*"|[^,}\s]+)')
STRING = re.compile(rb'"(?:\\.|[^"\\])*"')
LONG_NUMBER = re.compile(rb"[-+.0-9eE]{64}")
PREFIX = "clients/"
RESPONSES = [f"{P}/reply/me", f"{P}/reply/a/b/c", PREFIX + "me", PREFIX + "a/b", PREFIX + "x" * 248,
             PREFIX + "a/" * 30 + "a"]
REFUSED_RESPONSES = [f"{P}/bus/a", f"{P}/cmd/ping", f"{P}/status", f"{P}/reply", f"{P}/reply/", f"{P}/reply//a",
                     "other/topic", "$SYS/a", "client", "clientsx/a", PREFIX + "x" * 249, PREFIX + "a/" * 31 + "a",
                     PREFIX + "a//b", PREFIX, f"{P}x/reply/a"]
LIMITS = {"payload_bytes": 4096, "json_depth": 32}


class Command:
    def __init__(self, name, payload, response=None, correlation=None):
        self.name = name
        self.payload = payload
        self.response = response
        self.correlation = correlation

    @property
    def reply_topic(self):
        return self.response if self.response in RESPONSES else f"{P}/reply/{self.name}"

    @property
    def key(self):
        """Where the reply comes, and by what it is known."""
        return self.reply_topic, self.correlation, repr(self.request_id())

    def body(self):
        """The request, or None where there is none."""
        try:
            value = strict_loads(self.payload.decode("utf-8") or "{}")
            json.dumps(value, ensure_ascii=False).encode("utf-8")  # no half of a surrogate pair
        except (ValueError, RecursionError):
            return None
        if LONG_NUMBER.search(STRING.sub(b"", self.payload)):
            return None
        return value if isinstance(value, dict) and "\\u0000" not in json.dumps(value) else None

    def request_id(self):
        """What the reply gives back."""
        body = self.body()
        given = body.get("request_id") if body and len(self.payload) <= LIMITS["payload_bytes"] else None
        if isinstance(given, bool) or not isinstance(given, (str, int, float)):
            return None
        written = ID_AS_WRITTEN.search(self.payload)
        return None if written and len(written[1].strip(b'"')) > 254 else given

    def is_request(self):
        """By its schema; None where the payload is none of JSON's objects."""
        body = self.body()
        if body is None or self.name not in COMMANDS:
            return None
        return not REGISTRY.errors("cmd." + self.name.replace("/", "."), body)

    def __repr__(self):
        return f"{self.name} {self.payload[:300]!r} to {self.response} ({self.correlation})"


class Generator:
    def __init__(self, rng, is_v5):
        self.rng = rng
        self.is_v5 = is_v5
        self.n = 0
        self.good = {name: [body for n, body in GOOD if n == name] for name in COMMANDS}
        for name in COMMANDS:
            schema = REGISTRY.schemas["cmd." + name.replace("/", ".")]
            self.good[name] += [{k: v for k, v in e.items() if k != "request_id"}
                                for e in schema.get("examples", [])]

    def make(self):
        self.n += 1
        name = COMMANDS[self.n % len(COMMANDS)]
        payload = self.with_id(self.text(self.body(name)))
        if self.rng.random() < 0.15:
            payload = mutate(self.rng, payload)
        elif self.rng.random() < 0.05:
            payload = self.odd(payload)
        if self.rng.random() < 0.04:
            name = self.rng.choice(UNKNOWN)
        if not self.is_v5:
            return Command(name, payload)
        return Command(name, payload, self.response(), self.correlation())

    def fields(self, name):
        return REGISTRY.schemas["cmd." + name.replace("/", ".")].get("properties", {})

    def body(self, name):
        body = dict(self.rng.choice(self.good[name] or [{}]))
        pick, fields = self.rng.random(), [f for f in self.fields(name) if f != "request_id"]
        if pick < 0.35 and fields:
            body[self.rng.choice(fields)] = self.rng.choice(WRONG)
        elif pick < 0.45 and body:
            del body[self.rng.choice(sorted(body))]
        elif pick < 0.55:
            body[self.rng.choice(("x-free", "playlst", "Name", "", "ä", "request-id"))] = self.rng.choice(WRONG)
        elif pick < 0.65 and isinstance(body.get("definition"), dict):
            body["definition"] = self.definition(body["definition"])
        return body

    def definition(self, definition):
        changed = dict(definition)
        key = self.rng.choice([*changed, "steps", "emit", "window", "nothing"])
        changed[key] = self.rng.choice([*WRONG, "1s", "-1s", [{"emit": "lamp.set"}], {"event": "a"}])
        return changed

    def text(self, body):
        return json.dumps(body, separators=(",", ":"), ensure_ascii=self.rng.random() < 0.5).encode()

    def with_id(self, payload):
        pick = self.rng.random()
        if pick < 0.2:
            return payload
        written = b'"t%d"' % self.n if pick < 0.8 else self.rng.choice(REQUEST_IDS).encode()
        comma = b"" if payload == b"{}" else b","
        if self.rng.random() < 0.5:
            return b'{"request_id":' + written + comma + payload[1:]
        return payload[:-1] + comma + b'"request_id":' + written + b"}"

    def odd(self, payload):
        return self.rng.choice([
            b"", b" ", b"null", b"[]", b"3", b'"x"', b"{", b"\xff\xfe", b"\xef\xbb\xbf{}", payload + payload,
            payload + b" " * 5000, b'{"a":"' + b"x" * 5000 + b'"}', b"[" * 40 + b"]" * 40,
            b'{"data":' + b"[" * 40 + b"]" * 40 + b"}", payload.replace(b"{", b"{\n// x\n", 1)])

    def response(self):
        pick = self.rng.random()
        if pick < 0.3:
            return None
        return self.rng.choice(RESPONSES if pick < 0.8 else REFUSED_RESPONSES)

    def correlation(self):
        pick = self.rng.random()
        if pick < 0.15:
            return None
        return b"c%d" % self.n + (b"\0\xff" * 1000 if pick < 0.2 else b"")
