# SPDX-License-Identifier: Apache-2.0
"""Claims of the documents about the configuration: keys, defaults, ranges, choices, rules."""

import json
import os
import re
import subprocess

from claims import SOURCES, code_names
from time_limits import limit_s

SECTIONS = {"The file": None, "gateway": "gateway", "limits": "limits", "mqtt": "mqtt", "mqtt.remote": "remote",
            "outbox": "outbox", r"inputs.\<name\>": "input", r"outputs.\<name\>": "output",
            r"gestures.\<name\>": "gesture", r"playlists.\<name\>": "playlist",
            r"playlists.\<name\>.steps[]": "step"}
UNITS = {"us": 1, "ms": 1000, "s": 1000000, "m": 60000000, "h": 3600000000}
# An object of each kind for a key whose range is tried.
GESTURE = {"type": "simultaneous", "source": "a.b", "window": "1s", "emit": "c"}
AROUND = {
    "gateway": {"id": "g"}, "input": {"driver": "sim", "kind": "rotary", "event": "a.b"},
    "output": {"driver": "sim", "on_event": "l.s"}, "gesture": GESTURE, "playlist": {"steps": [{"emit": "l.s"}]},
    "step": {"emit": "l.s"},
}
# A key that belongs to one type of gesture only.
GESTURES_OF = {"count": {"type": "multi_tap", "source": "a.b", "window": "1s", "emit": "c"},
               "idle_reset": {"type": "cycle", "source": "a.b", "values": [1, 2], "emit": "c"},
               "timeout": {"type": "sequence", "steps": ["a", "b"], "emit": "c"},
               "output_producer_id": {"type": "gated_mirror", "gate": "a", "mirror": "b"}}
# Of the whole numbers in between not all are taken; or another key must go with it.
SOME_ONLY = {("input", "steps_per_detent")}


def microseconds(text):
    number, unit = re.fullmatch(r"(\d+)([a-z]+)", text).groups()
    return int(number) * UNITS[unit]


class ConfigClaims:
    def __init__(self, claims, documents, cuebus):
        self.claims = claims
        self.documents = documents
        self.document = documents["docs/configuration.md"]
        self.schema = json.loads(subprocess.run([cuebus, "schema", "config"], capture_output=True, check=True,
                                                timeout=limit_s(60)).stdout)
        self.tries = []  # (place, claim, configuration, whether it is taken)

    def table(self, name):
        return self.schema if name is None else self.schema["$defs"][name]

    def check(self):
        for heading, name in SECTIONS.items():
            rows = list(self.document.rows(heading))
            keys = [code_names(row.cells[0])[0] for row in rows]
            self.claims.check(self.document.find(f"### {heading}") or self.document.name, f"the keys of {heading}",
                              keys == list(self.table(name)["properties"]), str(keys))
            for row, key in zip(rows, keys):
                self.reference(row, name, key)
        self.try_all()
        self.defaults_in_prose()
        self.names_in_prose()
        self.rules()

    # ---- the reference ----

    def reference(self, row, name, key):
        """One row: its default, what is required, and where a range is named what is taken."""
        part = self.table(name)["properties"].get(key, {})
        kind, default = row.cells[1], row.cells[2]
        required = key in self.table(name).get("required", [])
        self.claims.check(row.place, f"{name or 'file'}.{key} is required or not",
                          required == (default == "**required**"))
        if not required:
            said = code_names(default)
            known = json.dumps(part["default"]).strip('"') if "default" in part else None
            self.claims.check(row.place, f"default of {name or 'file'}.{key}", said == ([known] if known else []),
                              f"{said}, the program has {known}")
        numbers = re.fullmatch(r"integer, (-?\d+) to (\d+)", kind)
        if numbers:
            self.range(row, name, key, *map(int, numbers.groups()), lambda n: n)
        durations = re.fullmatch(r"duration, (\S+) to (\S+)", kind)
        if durations:
            self.range(row, name, key, *map(microseconds, durations.groups()), lambda n: f"{n}us")
        choices = code_names(kind)
        if choices and "enum" in part and key not in ("protocol", "version"):
            self.claims.check(row.place, f"choices of {name}.{key}", choices == part["enum"], str(part["enum"]))

    def range(self, row, name, key, low, high, written):
        claim = f"{name}.{key} is from {written(low)} to {written(high)}"
        edges = [(low, True), (high, True), (high + 1, False)]
        if low > 0 or written(0) == 0:
            edges.append((low - 1, False))
        for value, taken in edges:
            if (name, key) in SOME_ONLY or self.is_bound_elsewhere(name, key, value):
                continue
            self.tries.append((row.place, claim, self.configuration(name, key, written(value)), taken))

    @staticmethod
    def is_bound_elsewhere(name, key, value):
        """The most that one key takes is too much together with the step's rate or duration."""
        return name == "step" and key in ("repeat", "interval", "offset") and value > 1000

    @staticmethod
    def configuration(name, key, value):
        content = {**AROUND.get(name, {}), key: value}
        if name == "gesture" and key in GESTURES_OF:
            content = {**GESTURES_OF[key], key: value}
        if name == "step" and key == "repeat":
            content["interval"] = "1s"
        config = {"gateway": {"id": "g"}}
        if name == "step":
            config["playlists"] = {"p": {"steps": [content]}}
        elif name in ("input", "output", "gesture", "playlist"):
            config[name + "s"] = {"n": content}
        else:
            config[name] = content
        return config

    def try_all(self):
        text = "".join(json.dumps(config) + "\n" for _, _, config, _ in self.tries)
        result = subprocess.run([os.environ["VERDICTS"]], input=text.encode(), capture_output=True, check=True,
                                timeout=limit_s(120))
        said = [line for line in result.stdout.decode().splitlines() if line.startswith("= ")]
        for (place, claim, config, taken), line in zip(self.tries, said, strict=True):
            self.claims.check(place, claim, (line == "= taken") == taken, f"{json.dumps(config)} is {line[2:]}")

    # ---- prose ----

    def defaults_in_prose(self):
        """Values of the forms `limits.NAME` (10,000) and `KEY` (default VALUE)."""
        for document in self.documents.values():
            for number, line in document.prose:
                for name, value in re.findall(r"`limits\.(\w+)`\s+\((\d[\d,]*\w*)\)", line):
                    known = self.table("limits")["properties"].get(name, {}).get("default")
                    self.claims.check(document.place(number), f"limits.{name} is {value} by default",
                                      str(known) == value.replace(",", ""), f"it is {known}")
                for key, value in re.findall(r"`(\w+)` \(default `?(\d\w*|true|false)`?\)", line):
                    known = {str(part["default"]).lower() for table in [self.schema, *self.schema["$defs"].values()]
                             for k, part in table.get("properties", {}).items() if k == key and "default" in part}
                    self.claims.check(document.place(number), f"{key} is {value} by default", value in known,
                                      f"it is {known}")

    def names_in_prose(self):
        """Every `section.key` is a key."""
        sections = {"gateway": "gateway", "limits": "limits", "mqtt": "mqtt"}
        for document in self.documents.values():
            for place, span in document.spans():
                name = re.fullmatch(r"(gateway|limits|mqtt)((?:\.\w+)+)(?:: .*)?", span)
                if not name:
                    continue
                path = name[2][1:].split(".")
                known = self.table(sections[name[1]])["properties"]
                if path[0] == "remote" and len(path) > 1:
                    known, path = self.table("remote")["properties"], path[1:]
                self.claims.check(place, f"{span} is a key, a counter or an event",
                                  path[0] in known or self.is_elsewhere(span))

    def is_elsewhere(self, span):
        """A field of P/health or an event's type has the same form."""
        from claims_wire import EVENTS, has_field
        return has_field(span) or span in EVENTS

    # ---- findings ----

    def rules(self):
        """Each rule, with the severities that the code gives it."""
        text = "\n".join(path.read_text("utf-8") for path in SOURCES)
        for row in self.document.rows("Findings"):
            for rule in code_names(row.cells[0]):
                self.claims.check(row.place, f"rule {rule}", f'"{rule}"' in text)
