# SPDX-License-Identifier: Apache-2.0
"""Messages of a hostile client: every command and emit, with mutated bodies from the schemas'
examples, and with topics, properties, flags and sizes of every kind. The same seed gives the same
messages."""

import json
import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "schema"))
import hostile_definitions  # noqa: E402
import hostile_json  # noqa: E402
import mqtt_wire  # noqa: E402
from bad_messages import COMMANDS, EMITS, GOOD  # noqa: E402
from cuebus_schemas import load_all  # noqa: E402

LIMIT_BYTES = 64 * 1024  # limits.payload_bytes


def examples():
    """command -> documents: the schemas' and those of bad_messages.py."""
    found = {}
    for name, schema in load_all().items():
        if name.startswith("cmd."):
            command = name.removeprefix("cmd.").replace(".", "/")
            found.setdefault(command, []).extend(schema.get("examples", [{}]))
    for command, document in GOOD:
        found.setdefault(command, []).append(document)
    # Sorted by name, so that a seed gives the same on every file system.
    return dict(sorted(found.items()))


class Messages:
    """@param prefix of the gateway's topics."""

    def __init__(self, seed, prefix):
        self.rng = random.Random(seed)
        self.prefix = prefix
        self.examples = examples()
        self.commands = list(self.examples)
        self.flood = None

    def __iter__(self):
        return self

    def __next__(self):
        """@return topic, payload, qos, retain, properties."""
        rng = self.rng
        if self.flood is None and rng.random() < 0.002:
            self.flood = [rng.randint(20, 400), self.one()]
        if self.flood:
            self.flood[0] -= 1
            message = self.flood[1]
            if self.flood[0] <= 0:
                self.flood = None
            return message
        return self.one()

    def one(self):
        rng = self.rng
        topic, payload = self.content()
        if rng.random() < 0.01:
            payload = self.sized(payload)
        qos = rng.choices([0, 1, 2], [6, 3, 1])[0]
        return topic, payload, qos, rng.random() < 0.03, self.properties()

    # ---- topic and payload ----

    def content(self):
        kind = self.rng.random()
        if kind < 0.40:
            return self.command()
        if kind < 0.55:
            return self.emit()
        if kind < 0.70:
            return self.definition()
        if kind < 0.80:
            return self.known_bad()
        if kind < 0.88:
            return self.trigger()
        if kind < 0.95:
            return self.odd_topic(), hostile_json.body(self.rng, {"a": 1})
        return self.not_for_it(), hostile_json.body(self.rng, {"state": False})

    def below(self, *levels):
        return "/".join((self.prefix, *levels))

    def command(self):
        command = self.rng.choice(self.commands)
        example = self.rng.choice(self.examples[command])
        if command == "config/check" and self.rng.random() < 0.5:
            example = self.configuration()
        return self.below("cmd", command), hostile_json.body(self.rng, example)

    def configuration(self):
        rng = self.rng
        return {"version": 1, "gateway": {"id": "x", "state_dir": "${HOSTILE_PW}"},
                "mqtt": {"url": "mqtt://${HOSTILE_PW}:1883", "password_env": "HOSTILE_PW",
                         "username": "${HOSTILE_PW}"},
                "playlists": {"p": hostile_definitions.playlist(rng)},
                "gestures": {"g": hostile_definitions.gesture(rng),
                             "h": {"type": "gated_playlist", "gate": "a.b",
                                   "playlist": "${HOSTILE_PW}"}}}

    def definition(self):
        rng = self.rng
        noun = rng.choice(["playlist", "gesture"])
        document = {"name": f"storm-{rng.randrange(60)}",
                    "definition": getattr(hostile_definitions, noun)(rng)}
        if rng.random() < 0.1:
            document["name"] = rng.choice(["blink", "taps"])  # the configuration's own
        if rng.random() < 0.2:
            document = json.loads(json.dumps(document))  # nothing of it is anybody else's
            hostile_json.change(rng, document)
        return self.below("cmd", noun, "define"), hostile_json.text(rng, document)

    def known_bad(self):
        rng = self.rng
        if rng.random() < 0.2:
            kind, payload, _ = rng.choice(EMITS)
            return self.below("emit", kind), payload
        command, payload, _ = rng.choice(COMMANDS)
        if not isinstance(payload, bytes):
            payload = json.dumps(payload).encode()
        return self.below("cmd", command), payload

    def emit(self):
        rng = self.rng
        kind = rng.choice([*hostile_definitions.TYPES, f"n{rng.randrange(100000)}.x"])
        return self.below("emit", *kind.split(".")), hostile_json.body(rng, {"v": 1, "state": True})

    def trigger(self):
        """An event that starts the definitions."""
        rng = self.rng
        if rng.random() < 0.5:
            document = {"playlist": f"storm-{rng.randrange(60)}", "trigger_data": {"v": 1}}
            return self.below("cmd", "playlist", "start"), json.dumps(document).encode()
        kind = rng.choice(hostile_definitions.TYPES)
        document = {"event_type": kind, "producer_id": rng.randrange(1000), "data": {"v": 1}}
        return self.below("cmd", "event", "emit"), json.dumps(document).encode()

    def odd_topic(self):
        rng = self.rng
        levels = rng.choice([1, 2, 3, 8, 9, 40, 190])
        words = ["a", "playlist", "start", "", "ä", "a b", "A", "$x", "event", "x" * 200, "%n%s", "..",
                 "🜂"]
        if rng.random() < 0.05:
            words += ["+", "#", "\x01", "\x7f"]  # the broker closes
        inner = "/".join(rng.choice(words) for _ in range(levels))
        return self.below(rng.choice(["cmd", "emit", "emit/a", "cmd/playlist"]), inner)[:4000]

    def not_for_it(self):
        """A topic that gateways publish on, or an unknown one."""
        kind = self.rng.choice(["status", "info", "health", "bus/estop/changed", "input/pad",
                                "playlist/blink", "reply/ping", "nothing"])
        return self.below(kind)

    def sized(self, payload):
        """Sizes up to the limits and beyond."""
        size = self.rng.choice([1000, LIMIT_BYTES - 1, LIMIT_BYTES, LIMIT_BYTES + 1, 100000])
        if payload.startswith(b"{") and payload.endswith(b"}") and len(payload) > 2:
            filler = b"z" * max(0, size - len(payload) - 7)
            return b'{"p":"' + filler + b'",' + payload[1:]
        return (payload or b" ") * (size // max(1, len(payload)))

    # ---- properties ----

    def response(self):
        rng = self.rng
        kind = rng.randrange(8)
        if kind < 3:
            return self.below("reply", rng.choice(["me", "a/b", "x" * 200]))
        return [self.below("reply", "a/" * 198 + "a"), self.below("bus", "z", "z"),
                self.below("cmd", "ping"), "other/" + "y" * rng.choice([1, 255, 5000]),
                self.below("status")][kind - 3]

    def properties(self):
        rng = self.rng
        out = b""
        if rng.random() < 0.5:
            out += mqtt_wire.response_topic(self.response())
        if rng.random() < 0.5:
            out += mqtt_wire.correlation(rng.randbytes(rng.choice([0, 1, 16, 254, 255, 256, 4000])))
        if rng.random() < 0.1:
            out += mqtt_wire.expiry(rng.choice([0, 1, 60, 2**32 - 1]))
        if rng.random() < 0.1:
            out += mqtt_wire.content_type(rng.choice(["", "application/json", "t" * 1000]))
        if rng.random() < 0.1:
            out += mqtt_wire.format_indicator(rng.choice([0, 1]))
        if rng.random() < 0.1:
            for _ in range(rng.choice([1, 5, 50])):
                out += mqtt_wire.user_property("k" * rng.randrange(30), rng.choice(["", "v", "v" * 99]))
        if rng.random() < 0.001:
            out += rng.randbytes(rng.randint(1, 9))  # malformed: the broker closes
        return out
