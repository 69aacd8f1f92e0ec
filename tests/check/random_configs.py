# SPDX-License-Identifier: Apache-2.0
"""Random configurations from the schema: valid ones, and ones with a small fault.

They follow schemas/config.schema.json: each value has its type and is often at the edge of its
range. Then something may be changed: a key is dropped or misspelt, a value gets another type, a
number is one too large.
"""

import json
import string

TYPES = ["a.b", "lamp.set", "button.press", "e.f.g", "x"]
BAD_TYPES = ["event.x", "gateway.gap", "A.b", "a..b", "a.*", "", "a" * 129, "a.b.c.d.e.f.g.h.i"]
DURATIONS = ["1s", "1000ms", "1.0s"]
EDGE_DURATIONS = ["0s", "1us", "20ms", "1.5s", "2m", "1h", "87600h", "87601h", "10ms", "99ms", "100ms", "1s",
                  "65535s", "65536s", "24h", "86401s", "0.0001us", "1", "-1s", "1 s", "1e3ms", "10s", "10.1s"]
NAMES = ["one", "two", "three", "porch", "a b", "ä", "x-no"]
BAD_NAMES = ["", "$SYS", "a/b", "a+b", "a#", "\u0085", "\ufffe", "\U0001fffe", "n" * 129, "é" * 65]
SCALARS = [None, True, False, 0, 1, -1, 0.5, 7.0, 1e400, 2**32, 2**64, "", "x", [], {}, [1], {"a": 1}]
SCALARS = [s for s in SCALARS if s != float("inf")]


class Generator:
    def __init__(self, schema, rng):
        self.schema = schema
        self.rng = rng

    def make(self):
        value = self.value(self.schema, 0)
        value.setdefault("gateway", {"id": "g"})
        if self.rng.random() < 0.8:
            value.pop("limits", None)
        for _ in range(self.rng.choice((0, 0, 0, 1, 2))):
            value = self.mutate(value)
        return value

    # ---- from the schema ----

    def resolve(self, schema):
        while "$ref" in schema:
            target = self.schema["$defs"][schema["$ref"].rsplit("/", 1)[1]]
            schema = {**target, **{k: v for k, v in schema.items() if k != "$ref"}}
        return schema

    def value(self, schema, depth):
        name = schema.get("$ref", "").rsplit("/", 1)[-1]
        special = getattr(self, "make_" + name, None) if name else None
        if special:
            return special(depth)
        schema = self.resolve(schema)
        if "enum" in schema:
            return self.rng.choice(schema["enum"])
        if "const" in schema:
            return schema["const"]
        if "oneOf" in schema:
            return self.value(self.rng.choice(schema["oneOf"]), depth)
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = self.rng.choice(kind)
        return getattr(self, "type_" + (kind or "any"))(schema, depth)

    def type_any(self, _schema, _depth):
        return self.rng.choice(SCALARS)

    def type_boolean(self, _schema, _depth):
        return self.rng.random() < 0.5

    def type_integer(self, schema, _depth):
        low, high = schema.get("minimum", 0), schema.get("maximum", 1000)
        pick = self.rng.random()
        if pick < 0.1:
            return low
        if pick < 0.2:
            return high
        if pick < 0.3:
            return float(low)
        return self.rng.randint(low, min(high, low + 50))

    type_number = type_integer

    def type_string(self, schema, _depth):
        pattern = schema.get("pattern", "")
        if "mqtts?" in pattern:
            return self.rng.choice(["mqtt://localhost", "mqtts://a.b:8883", "mqtt://[::1]:1883"] * 4
                                   + ["mqtt://h:0", "mqtt://h:65535", "mqtt://h:65536", "mqtt://h:99999"])
        if "~[01]" in pattern:
            return self.rng.choice(["", "/on", "/a/0", "/a~1b"])
        if "noun" in pattern or "[a-z]+(/" in pattern:
            return self.rng.choice(["ping", "playlist/start", "use", "admin"])
        if "[a-z0-9_-]" in pattern:
            return self.rng.choice(TYPES + ["a.*"])
        length = max(schema.get("minLength", 0), self.rng.choice((1, 3, 8)))
        if self.rng.random() < 0.05 and schema.get("maxLength", 9999) < 1000:
            length = schema["maxLength"]
        letters = string.ascii_lowercase if self.rng.random() < 0.95 else "äé€"
        return "".join(self.rng.choice(letters) for _ in range(length))

    def type_array(self, schema, depth):
        low = schema.get("minItems", 0)
        count = self.rng.choice((low, low + 1, low + 2))
        return [self.value(schema.get("items", {}), depth + 1) for _ in range(count)]

    def type_null(self, _schema, _depth):
        return None

    def type_object(self, schema, depth):
        properties = schema.get("properties", {})
        required = schema.get("required", [])
        result = {}
        for key, part in properties.items():
            if key in required or self.rng.random() < (0.5 if depth < 1 else 0.25):
                result[key] = self.value(part, depth + 1)
        extra = schema.get("additionalProperties")
        if isinstance(extra, dict):
            names = self.rng.sample(NAMES[:6], self.rng.choice((0, 1, 1, 2)))
            for name in names:
                result[name] = self.value(extra, depth + 1)
        if self.rng.random() < 0.03 and "^x-" in schema.get("patternProperties", {}):
            result["x-free"] = self.rng.choice(SCALARS)
        self.settle(result, schema)
        return result

    def settle(self, result, schema):
        """Give what `if`/`then` of the chosen variant asks for, most of the time."""
        if self.rng.random() < 0.1:
            return
        for rule in schema.get("allOf", []):
            if "then" not in rule or not self.applies(rule["if"], result):
                continue
            then = rule["then"]
            for option in then.get("anyOf", [{}])[:1]:
                for key in option.get("required", []) + then.get("required", []):
                    if key not in result:
                        result[key] = self.value(schema["properties"][key], 2)
            for key, part in then.get("properties", {}).items():
                if part is False:
                    result.pop(key, None)
                elif key in result and "minItems" in part:
                    result[key] = [self.value(schema["properties"][key]["items"], 2)
                                   for _ in range(part["minItems"])]

    @staticmethod
    def applies(condition, value):
        for key in condition.get("required", []):
            if key not in value:
                return False
        for key, part in condition.get("properties", {}).items():
            if key not in value:
                continue
            if "const" in part and value[key] != part["const"]:
                return False
            if "enum" in part and value[key] not in part["enum"]:
                return False
            if "minimum" in part and not (isinstance(value[key], (int, float))
                                          and value[key] >= part["minimum"]):
                return False
        return True

    # ---- parts that a pattern describes ----

    def make_duration(self, _depth):
        return self.rng.choice(DURATIONS if self.rng.random() < 0.95 else EDGE_DURATIONS)

    def make_event_type(self, _depth):
        return self.rng.choice(TYPES + ["event.playlist.stopped"] if self.rng.random() < 0.995 else BAD_TYPES)

    def make_open_event_type(self, _depth):
        return self.rng.choice(TYPES if self.rng.random() < 0.995 else BAD_TYPES)

    def make_name(self, _depth):
        return self.rng.choice(NAMES if self.rng.random() < 0.995 else BAD_NAMES)

    def make_topic(self, _depth):
        return self.rng.choice(["cuebus", "a/b", "home/1/x"] if self.rng.random() < 0.95 else
                               ["a//b", "/a", "a/", "t" * 257, "é" * 129] + BAD_NAMES)

    def make_topic_prefix(self, depth):
        return self.make_topic(depth) + self.rng.choice(("", "", "/"))

    def make_line(self, _depth):
        if self.rng.random() < 0.03:
            return self.rng.choice([4, 7.0, 0, "", -1, 2**32])
        return f"GPIO{self.rng.randrange(1000)}"

    def make_match(self, depth):
        result = {}
        for _ in range(self.rng.choice((0, 1, 1, 2))):
            key = self.rng.choice(["a", "b", "/a/0", "/a~1", ""] * 8 + ["/a~2"])
            result[key] = self.operand(depth)
        return result

    def operand(self, _depth):
        pick = self.rng.random()
        if pick < 0.35:
            return self.rng.choice(SCALARS)
        if pick < 0.37:
            return {self.rng.choice(["gte", "x", "in ", "equals", "EQ"]): 1}
        operator = self.rng.choice(["eq", "ne", "lt", "le", "gt", "ge", "in", "exists", "truthy"])
        good = {"in": [1, "a"], "exists": True, "truthy": False}.get(operator, 5)
        result = {operator: good if self.rng.random() < 0.95 else self.rng.choice(SCALARS)}
        if self.rng.random() < 0.05:
            result[self.rng.choice(["lt", "gt", "foo"])] = self.rng.choice([1, "a", True])
        return result

    def make_when(self, depth):
        pick = self.rng.random()
        if depth > 6 or pick < 0.6:
            atom = {"state": self.make_event_type(depth)}
            if self.rng.random() < 0.3:
                atom["producer_id"] = self.rng.choice([0, 7.0, 2**32 - 1] * 5 + [2**32, -1, 0.5])
            if self.rng.random() < 0.4:
                atom["match"] = self.make_match(depth)
            elif self.rng.random() < 0.4:
                atom["truthy"] = self.rng.random() < 0.5
            return atom
        if pick < 0.7:
            return {"not": self.make_when(depth + 1)}
        return {self.rng.choice(["all", "any"]):
                [self.make_when(depth + 1) for _ in range(self.rng.choice((0,) + (1, 2) * 9))]}

    # ---- with a small fault ----

    def places(self, value, path=()):
        if path:
            yield path
        if isinstance(value, dict):
            for key in list(value):
                if not key.startswith("x-"):
                    yield from self.places(value[key], path + (key,))
        elif isinstance(value, list):
            for i, item in enumerate(value):
                yield from self.places(item, path + (i,))

    def mutate(self, value):
        value = json.loads(json.dumps(value))
        places = list(self.places(value))
        if not places:
            return value
        path = self.rng.choice(places)
        parent = value
        for part in path[:-1]:
            parent = parent[part]
        pick = self.rng.random()
        if pick < 0.4:
            parent[path[-1]] = self.rng.choice(SCALARS)
        elif pick < 0.6 and isinstance(parent, dict):
            del parent[path[-1]]
        elif pick < 0.75 and isinstance(parent, dict):
            parent[self.rng.choice(("X", "ofset", "event", "x-y", "name", "ä"))] = parent.pop(path[-1])
        elif isinstance(parent[path[-1]], str):
            parent[path[-1]] = self.rng.choice(BAD_TYPES + BAD_NAMES + EDGE_DURATIONS)
        elif isinstance(parent[path[-1]], (int, float)) and not isinstance(parent[path[-1]], bool):
            parent[path[-1]] += self.rng.choice((-1, 1, 0.5, 1e9, -1e9))
        return value
