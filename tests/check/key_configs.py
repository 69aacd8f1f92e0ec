# SPDX-License-Identifier: Apache-2.0
"""Each key of the configuration in turn, in an otherwise valid configuration.

every_key() takes the keys from schemas/config.schema.json, so a new key is covered without an entry
here. Each gets every edge value of its own type and some values of every other type; it is also
left out, misspelt and written twice. The texts are JSON of one line, or nearly.
"""

import json

from random_configs import BAD_NAMES, BAD_TYPES, EDGE_DURATIONS, SCALARS, TYPES

# In place of a JSON string of this form its rest is written as it is.
RAW = "@raw@"
NUMBERS = ["0", "-0", "1", "2", "7.0", "1e1", "0.1e1", "1E+0", "-1", "0.5", "1e400", "-1e400", "4294967295",
           "4294967296", "9007199254740993", "9223372036854775807", "9223372036854775808", "9" * 63, "9" * 64,
           "18446744073709551616", "1e30", "01", "+1", ".5", "1.", "NaN", "0x10"]
TEXTS = ["", " ", "x", "X", "a b", "on", "true", "5", "null", "\n", "a\x00b", "a\n", "a.b\n",
         "5s\n", "mqtt://h\n", "ping\n", "/on\n", "\na", "\x7f", "\u0085", "\ud7ff", "\ufdd0",
         "\ufeff", "\uffff", "\U0001f514", "\U0001ffff", "\U0010fffe", "e\u0301", "\u202e", "a/b", "/a", "a/",
         "a//b", "+", "#", "$SYS", "$share", ".", "..", "a.", "*", "a.*", ".*", "mqtt://h", "mqtt://h:1", "mqtt://h:0",
         "mqtt://h:65535", "mqtt://h:65536", "mqtt://u:p@h", "mqtt://", "tcp://h", "mqtt://h/x", "mqtt://[::1]",
         "mqtt://[::1", "mqtt://h:01", "MQTT://h", "/on", "/a~", "/a~0", "/a~2", "${CUEBUS_TEST_SET}",
         "$${CUEBUS_TEST_SET}", "${CUEBUS_TEST_SET", "ping", "use", "admin", "playlist/start", "playlist/",
         "a/b/c", "gateway.gap", "event.x", "event", "gesture.a.*"]
LENGTHS = [2, 63, 64, 65, 127, 128, 129, 130, 131, 255, 256, 257]
LONG = [65533, 65534, 65535, 65536]
DURATIONS = ["0us", "0.0s", "00s", "1us", "999us", "0.5us", "0.001us", "0.0001us", "999ms", "1000ms", "1001ms",
             "9999ms", "10000ms", "10001ms", "99.999ms", "100.0ms", "86400s", "86401s", "24h", "24.1h", "65535s",
             "1440m", "87600h", "87600.1h", "87601h", "99999999999999999999h", ".5s", "5.s", "5S", "5 s", " 5s",
             "5s ", "5", "s", "5d", "5ns", "5µs", "-5s", "+5s", "1e3s", "5s5ms", "0x5s", "٥s"]
MATCHES = [{}, {"a": 1}, {"a": RAW + "9" * 63}, {"a": RAW + "9" * 64}, {"a": {"in": [RAW + "9" * 64]}},
           {"a": None}, {"": 1}, {"/": 1}, {"/a~1b": 1}, {"/a~": 1}, {"/~2": 1}, {"a": {}},
           {"a": {"eq": {}}}, {"a": {"b": 1}}, {"a": {"gte": 1}}, {"a": {"==": 1}}, {"a": {"gt": None}},
           {"a": {"gt": 1, "lt": "x"}}, {"a": {"gt": {}}}, {"a": {"in": []}}, {"a": {"in": 1}}, {"a": {"in": [1]}},
           {"a": {"exists": 1}}, {"a": {"exists": True}}, {"a": {"truthy": "x"}}, {"a": {"gt": 1, "foo": 2}},
           {"a": {"foo": 2, "bar": 1}}, {"x-a": 1}, {"a": [1] * 255}, {"a": [1] * 257}, {"a": {"in": [1] * 300}}]
CONDITIONS = [{}, {"state": "a.b"}, {"state": "a.*"}, {"state": "event.x"}, {"state": 1}, {"state": "a", "truthy": 1},
              {"state": "a", "match": {}, "truthy": True}, {"state": "a", "producer_id": -1},
              {"state": "a", "producer_id": RAW + "7.0"}, {"state": "a", "x-y": 1}, {"state": "a", "all": []},
              {"all": []}, {"any": []}, {"all": {}}, {"not": []}, {"not": {}}, {"all": [{}]}, {"truthy": True},
              {"all": [{"state": "a"}], "any": [{"state": "a"}]}, {"all": [{"state": "a"}], "x-y": 1},
              {"all": [{"state": "a"}] * 100}, {"all": [{"state": "a"}] * 300}]
FILTERS = [{"event": "a.b"}, {"event": "a.*"}, {"event": "a", "match": {"b": 1}}, {"event": "a", "match": 1},
           {"match": {}}, {"event": "a", "x-y": 1}, {"event": "a", "debounce": "1s"}, {"event": "a", "debounce": 1},
           {"event": "a", "producer_id": 1}, {"event": None}, {"event": "a", "mach": {}}, ["a", {"event": "b"}],
           ["a"] * 64, ["a"] * 1000, ["a"] * 1001, [["a"]], ["a", 1], ["a", "a"], [""]]
LISTS = [["a"], ["a", "b"], ["a", "b", "c"], [1], [RAW + "1.0"], [None], ["a"] * 64, ["a"] * 65, ["a"] * 1024,
         ["a"] * 1025, ["GPIO1", 2], [1, 2], ["ping", "x/y"], ["a.*", "b"], ["event.*"]]
OBJECTS = [{"a.b": 0}, {"a.b": 1}, {"a.b": 2}, {"a.b": "off"}, {"a.b": RAW + "1.0"}, {"a.*": "OFF"}, {"A": 0},
           {".*": 0}, {"*": 0}, {"x-a": 9}, {"ON": True, "OFF": RAW + "0.0"}, {"": True}, {"é" * 129: True},
           {"é" * 128: True}, {"a": None}, {"a": "b"}, {"a": {"b": [1, {"c": None}]}}]

INPUT = {"kind": "button", "event": "a.b"}
STEP = {"emit": "l.s"}
BASES = {
    "input": [{"driver": "sim", **INPUT}, {"driver": "gpio", "line": "L", **INPUT},
              {"driver": "sim", "kind": "switch", "event": "a.b"}, {"driver": "replay", "file": "f", **INPUT},
              {"driver": "gpio", "lines": ["L", "M"], "kind": "rotary", "event": "a.b"},
              {"driver": "gpio", "chip": "c", "line": 4, "kind": "counter", "event": "a.b"}],
    "output": [{"driver": "sim", "on_event": "l.s"}, {"driver": "gpio", "line": "O", "on_event": "l.s"}],
    "gesture": [{"type": "double_tap", "source": "a.b", "window": "1s", "emit": "c"},
                {"type": "multi_tap", "count": 3, "source": "a.b", "window": "1s", "emit": "c"},
                {"type": "simultaneous", "source": "a.b", "window": "1s", "emit": "c"},
                {"type": "sequence", "steps": ["a.b", "a.c"], "emit": "c"},
                {"type": "gated_mirror", "gate": "a.b", "mirror": "a.c"},
                {"type": "gated_mirror", "when": {"state": "a.b"}, "mirror": "a.c", "emit": "c"},
                {"type": "gated_playlist", "gate": "a.b", "playlist": "p"}],
    "playlist": [{"steps": [STEP]}, {"trigger": "t", "interrupts": ["i"], "steps": [STEP, STEP]}],
    "step": [STEP, {"emit": "l.s", "repeat": 3, "interval": "1s"}],
}
SECTIONS = {"gateway": (), "limits": ("limits",), "mqtt": ("mqtt",), "remote": ("mqtt", "remote"),
            "outbox": ("outbox",)}
NAMED = {"input": "inputs", "output": "outputs", "gesture": "gestures", "playlist": "playlists"}


def text_of(value):
    """JSON; RAW parts as they are."""
    text = json.dumps(value)
    while '"' + RAW in text:
        before, _, after = text.partition('"' + RAW)
        raw, _, after = after.partition('"')
        text = before + raw + after
    return text


def nested(levels, leaf=1):
    value = leaf
    for i in range(levels):
        value = [value] if i % 2 else {"a": value}
    return value


def conditions_nested(levels):
    value = {"state": "a"}
    for _ in range(levels):
        value = {"not": value}
    return value


def texts():
    yield from TEXTS
    yield from TYPES + BAD_TYPES + BAD_NAMES + EDGE_DURATIONS + DURATIONS
    for length in LENGTHS:
        for letter in ("a", "é", "€", "\U0001f514"):
            yield letter * length
            yield letter * (length // len(letter.encode()))
    for segments in (7, 8, 9):
        yield ".".join("a" * segments)


def near(words):
    for word in words:
        yield from (word, word.upper(), word + " ", word[:-1], word[1:], word + "s", word[::-1])


def numbers_around(schema):
    for edge in (schema.get("minimum"), schema.get("maximum")):
        if edge is not None:
            for n in (edge - 1, edge, edge + 1):
                yield from (n, RAW + f"{n}.0", RAW + f"{n}.5", str(n))


def values(schema):
    """What is tried for a key of this schema: everything, and what is near its own edges."""
    yield from SCALARS
    yield from (RAW + n for n in NUMBERS)
    yield from texts()
    if schema.get("maxLength", 0) > 1000 or not schema.get("type"):
        yield from (letter * (n // len(letter.encode())) for n in LONG for letter in "aé")
    yield from near([e for e in schema.get("enum", []) if isinstance(e, str)])
    yield from (e for e in schema.get("enum", []) if not isinstance(e, str))
    yield from numbers_around(schema)
    yield from MATCHES + CONDITIONS + FILTERS + LISTS + OBJECTS
    for levels in (14, 15, 16, 17, 18, 26, 27, 28, 29, 30, 31, 32, 33):
        yield nested(levels)
        yield {"deep": nested(levels)}
        yield {"event": "a", "match": {"b": nested(levels)}}
        yield conditions_nested(levels)


def surround(kind, content):
    """A whole configuration with an object of this kind in it."""
    config = {"gateway": {"id": "g"}}
    if kind == "gateway":
        config["gateway"].update(content)
    elif kind == "file":
        config.update(content)
    elif kind in SECTIONS:
        inner = config
        for part in SECTIONS[kind]:
            inner = inner.setdefault(part, {})
        inner.update(content)
    elif kind == "step":
        config["playlists"] = {"p": {"steps": [content]}}
    else:
        config[NAMED[kind]] = {"n": content}
    return config


def misspelt(key):
    yield from (key[:-1], key[1:], key + "s", key.upper(), key.replace("_", "-"), "x-" + key, "X-" + key, key + " ",
                key[:1] + key[2:3] + key[1:2] + key[3:], " " + key, "", "x", "x-")


def of_key(kind, base, key, schema):
    for value in values(schema):
        yield surround(kind, {**base, key: value})
    good = base.get(key, 1)
    for other in misspelt(key):
        without = {k: v for k, v in base.items() if k != key}
        yield surround(kind, {**without, other: good})
    if key in base:
        yield surround(kind, {k: v for k, v in base.items() if k != key})


def twice(config, kind, key):
    """The text with this key of this object written a second time."""
    text = text_of(config)
    at = text.rfind(json.dumps(key) + ":") if kind != "file" else text.find(json.dumps(key) + ":")
    return text[:at] + json.dumps(key) + ": 1, " + text[at:]


def resolve(schema, part):
    while "$ref" in part:
        part = {**schema["$defs"][part["$ref"].rsplit("/", 1)[1]], **{k: v for k, v in part.items() if k != "$ref"}}
    return part


def names():
    """As the names of things, and as what refers to them."""
    for name in texts():
        for kind, section in NAMED.items():
            base = BASES[kind][0]
            yield {"gateway": {"id": "g"}, section: {name: base}}
        yield {"gateway": {"id": name}}
    yield from ({"gateway": {"id": "g"}, section: {f"n{i}": BASES[kind][0] for i in range(count)}}
                for kind, section in NAMED.items() for count in (0, 1, 40))


def every_key(schema):
    """Texts of configurations; always the same."""
    tables = {"file": schema, **{name: schema["$defs"][name] for name in (*SECTIONS, *BASES)}}
    for kind, table in tables.items():
        for base in BASES.get(kind, [{}]):
            for key, part in table["properties"].items():
                configs = of_key(kind, base, key, resolve(schema, part))
                yield from (text_of(c) for c in configs)
                yield twice(surround(kind, {**base, key: base.get(key, 1)}), kind, key)
    yield from (text_of(c) for c in names())
