# SPDX-License-Identifier: Apache-2.0
"""Every schema is valid 2020-12, its examples validate, and broken variants fail."""

import copy
import json
import unittest

import jsonschema

from cuebus_schemas import URN, Registry

REGISTRY = Registry()

RUN = {
    "playlist_id": "9f0c1d7a44b24ad09c5d4bd1a8e3f6b2",
    "definition_id": "3b1f0aa04ce0d6b0a2f1f7f0f8b0d9c4",
    "playlist_name": "color.cycle",
}
EVENT = {"event_type": "stop.sequence", "producer_id": 0, "data": None}
STOPPED = dict(RUN, reason="completed", detail=None, emitted_count=1)
ENVELOPE = {
    "event_type": "button.press",
    "producer_id": 1,
    "timestamp": "2026-11-23T11:03:55.938124Z",
    "data": None,
    "boot_id": "7f3a9c21",
    "seq": 1,
    "monotonic_us": 0,
    "cause_seq": None,
}


def without(value, key):
    return {k: v for k, v in value.items() if k != key}


# Payloads beyond the schemas' own examples. (schema, instance)
GOOD = [
    ("event.playlist.stopped", STOPPED),
    ("event.playlist.stopped", dict(STOPPED, reason="cancelled", detail="shutdown")),
    ("event.playlist.stopped", dict(STOPPED, reason="interrupted", interrupt_event=EVENT)),
    ("event.playlist.stopped", dict(STOPPED, skipped_count=3)),
    ("event.playlist.stopped", dict(STOPPED, reason="interrupted",
                                    interrupt_event=dict(EVENT, data_omitted="size"))),
    ("event.playlist.stopped", dict(STOPPED, trigger_event=without(EVENT, "data"))),
    ("event.playlist.created", dict(RUN, steps=[{
        "event_type": "horn.beep", "offset": 2.5, "repeat": 1, "interval": 0,
        "producer_id": 0, "data": [1, {"a": None}]}],
        expected_duration=2.5, cause="command", request_id="a")),
    ("completion", RUN),
    ("envelope", ENVELOPE),
    ("envelope", dict(ENVELOPE, event_type="event.playlist.stopped", data=STOPPED)),
    ("envelope", dict(ENVELOPE, event_type="events.of.mine")),
    ("envelope", dict(ENVELOPE, event_type="gateway.output_failed",
                      data={"output": "lamp", "error": "the line is gone: No such device"})),
    ("envelope", dict(ENVELOPE, event_type="event")),
    ("cmd.event.emit", {"event_type": "input"}),
    ("envelope", dict(ENVELOPE, data={"any": ["thing", 1.5, None]}, cause_seq=1)),
    ("input.switch", {"input": "estop", "state": True, "place": "hall"}),
    ("view.input", {"name": "pad", "kind": "button", "driver": "sim", "producer_id": 7,
                    "value": None, "timestamp": None}),
    ("view.output", {"name": "lamp", "driver": "sim", "level": None, "why": "failed",
                     "timestamp": "2026-11-23T11:03:55.938124Z"}),
    ("cmd.playlist.stop", {"all": True, "request_id": 3}),
    ("reply.ping", {"ok": False, "request_id": None,
                    "error": {"code": "limit", "message": "too many"}}),
    ("reply.event.emit", {"ok": True, "request_id": "x", "result": {"seq": None}}),
]

BAD = [
    ("view.output", {"name": "lamp", "driver": "sim", "level": True, "why": "event",
                     "timestamp": "2026-11-23T11:03:55.938124Z"}),
    ("view.output", {"name": "lamp", "driver": "sim", "level": 1, "why": "told",
                     "timestamp": "2026-11-23T11:03:55.938124Z"}),
    ("event.playlist.stopped", dict(STOPPED, trigger_event=EVENT)),
    ("event.playlist.stopped", dict(STOPPED, reason="interrupted",
                                    interrupt_event=dict(EVENT, data_omitted="other"))),
    ("event.playlist.stopped", without(STOPPED, "detail")),
    ("event.playlist.stopped", without(STOPPED, "playlist_id")),
    ("event.playlist.stopped", dict(STOPPED, reason="done")),
    ("event.playlist.stopped", dict(STOPPED, reason="interrupted")),
    ("event.playlist.stopped", dict(STOPPED, interrupt_event=EVENT)),
    ("event.playlist.stopped", dict(STOPPED, reason="interrupted",
                                    interrupt_event=without(EVENT, "data"))),
    ("event.playlist.stopped", dict(STOPPED, playlist_id="9F0C")),
    ("event.playlist.stopped", dict(STOPPED, emitted_count=-1)),
    ("event.playlist.created", dict(RUN, steps=[], expected_duration=0, cause="trigger")),
    ("event.playlist.created", dict(RUN, steps=[{"event_type": "a"}], expected_duration=0,
                                    cause="trigger")),
    ("event.playlist.rejected", dict(RUN, reason="full", detail=None, cause="trigger")),
    ("completion", dict(RUN, reason="completed")),
    ("envelope", without(ENVELOPE, "cause_seq")),
    ("envelope", dict(ENVELOPE, extra=1)),
    ("envelope", dict(ENVELOPE, seq=0)),
    ("envelope", dict(ENVELOPE, seq=1.5)),
    ("envelope", dict(ENVELOPE, cause_seq=0)),
    ("envelope", dict(ENVELOPE, producer_id=4294967296)),
    ("envelope", dict(ENVELOPE, boot_id="7F3A9C21")),
    ("envelope", dict(ENVELOPE, timestamp="2026-11-23T11:03:55Z")),
    ("envelope", dict(ENVELOPE, timestamp="2026-13-23T11:03:55.938124Z")),
    ("envelope", dict(ENVELOPE, event_type="Button.Press")),
    ("envelope", dict(ENVELOPE, event_type="a.b.c.d.e.f.g.h.i")),
    ("envelope", dict(ENVELOPE, event_type="gateway.unheard.of")),
    ("envelope", dict(ENVELOPE, event_type="event.playlist.stopped", data=None)),
    ("envelope", dict(ENVELOPE, event_type="input.resync", data={"input": "a"})),
    ("gesture.taps", {"events": [], "virtual_peripheral": {}}),
    ("gesture.mirror", {"value": 1}),
    ("input.button", {"input": "a", "pressed": False}),
    ("input.button", {"input": "a", "pressed": True, "held_ms": 3}),
    ("input.rotary", {"input": "a", "position": 1, "delta": 2}),
    ("input.counter", {"input": "a", "count": 0, "interval_ms": 0}),
    ("status", "up"),
    ("cmd.playlist.stop", {}),
    ("cmd.playlist.stop", {"all": True, "playlist": "a"}),
    ("cmd.playlist.stop", {"all": False}),
    ("cmd.playlist.start", {"name": "a"}),
    ("cmd.event.emit", {"event_type": "gateway.gap"}),
    ("cmd.input.set", {"input": "pad", "value": 2}),
    ("reply.ping", {"ok": True, "request_id": 1}),
    ("reply.ping", {"ok": False, "request_id": 1, "result": {}}),
    ("reply.error", {"ok": False, "request_id": 1, "error": {"code": "no", "message": "x"}}),
    ("gateway.refused", {"topic": "t", "code": "refused", "message": "m"}),
    ("gateway.output_restored", {"output": "lamp", "attempts": 0}),
    ("envelope", dict(ENVELOPE, event_type="gateway.output_failed", data={"output": "lamp"})),
]


def refs(node):
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value
            else:
                yield from refs(value)
    elif isinstance(node, list):
        for value in node:
            yield from refs(value)


def objects(node):
    """Every schema of an object with named properties, with its place."""
    if isinstance(node, dict):
        if node.get("type") == "object" and "properties" in node:
            yield node
        for value in node.values():
            yield from objects(value)
    elif isinstance(node, list):
        for value in node:
            yield from objects(value)


class Schemas(unittest.TestCase):
    def test_are_valid_2020_12(self):
        for name, schema in REGISTRY.schemas.items():
            with self.subTest(name):
                jsonschema.Draft202012Validator.check_schema(schema)
                self.assertEqual(
                    schema["$schema"], "https://json-schema.org/draft/2020-12/schema"
                )
                self.assertEqual(schema["$id"], URN + name)

    def test_refs_resolve(self):
        ids = {schema["$id"]: schema for schema in REGISTRY.schemas.values()}
        for name, schema in REGISTRY.schemas.items():
            for ref in refs(schema):
                with self.subTest(name, ref=ref):
                    base, _, pointer = ref.partition("#")
                    node = ids[base] if base else schema
                    for part in filter(None, pointer.split("/")):
                        node = node[part.replace("~1", "/").replace("~0", "~")]

    def test_every_field_is_described_or_a_reference(self):
        for name, schema in REGISTRY.schemas.items():
            if name == "config":
                continue  # its table has a test of its own
            for node in objects(schema):
                self.assertEqual(
                    set(node.get("required", [])) - set(node["properties"]), set(), name
                )
            with self.subTest(name):
                self.assertTrue(schema["title"])
                self.assertTrue(schema["description"])

    def test_examples_validate(self):
        exceptions = {"common", "health", "config", "cmd.config.check"}
        for name, schema in REGISTRY.schemas.items():
            with self.subTest(name):
                if name not in exceptions:
                    self.assertTrue(schema.get("examples"))
                for example in schema.get("examples", []):
                    self.assertEqual(REGISTRY.errors(name, example), [])

    def test_examples_lose_what_is_required(self):
        """Each required key of an example, taken away, is missed; each unknown
        key in a closed object is found."""
        for name, schema in REGISTRY.schemas.items():
            for example in schema.get("examples", []):
                if not isinstance(example, dict):
                    continue
                for key in schema.get("required", []):
                    with self.subTest(name, without=key):
                        self.assertNotEqual(REGISTRY.errors(name, without(example, key)), [])
                if schema.get("additionalProperties") is False:
                    with self.subTest(name, added="unheard_of"):
                        broken = dict(copy.deepcopy(example), unheard_of=1)
                        self.assertNotEqual(REGISTRY.errors(name, broken), [])

    def test_good(self):
        for name, instance in GOOD:
            with self.subTest(name, instance=json.dumps(instance)):
                self.assertEqual(REGISTRY.errors(name, instance), [])

    def test_bad(self):
        for name, instance in BAD:
            with self.subTest(name, instance=json.dumps(instance)):
                self.assertNotEqual(REGISTRY.errors(name, instance), [])

    def test_commands_and_replies_pair_up(self):
        commands = {n[4:] for n in REGISTRY.schemas if n.startswith("cmd.")}
        replies = {n[6:] for n in REGISTRY.schemas if n.startswith("reply.")} - {"error"}
        self.assertEqual(commands, replies)


if __name__ == "__main__":
    unittest.main()
