# SPDX-License-Identifier: Apache-2.0
"""Claims of the documents about the wire: topics, events and their fields, commands, replies, the
counters of P/health."""

import itertools
import re
import sys

import yaml

from claims import ROOT, code_names

sys.path.insert(0, str(ROOT / "tests" / "schema"))
from cuebus_schemas import load_all  # noqa: E402

SCHEMAS = load_all()
ASYNCAPI = yaml.safe_load((ROOT / "schemas" / "asyncapi.yaml").read_text("utf-8"))
EVENTS = {name for name in SCHEMAS if name.startswith(("event.", "gateway.", "input."))} - {"event"}
EVENTS.add("gesture.near_miss")  # the others beginning with gesture. are not types
HEALTH_PARTS = set(SCHEMAS["health"]["properties"])


def has_field(path):
    part = SCHEMAS["health"]
    for key in path.split("."):
        part = part.get("properties", {}).get(key)
        if part is None:
            return False
    return True


def properties(schema):
    """Names of all properties, those of what it refers to and of each case too."""
    found = set(schema.get("properties", {}))
    ref = schema.get("$ref", "")
    if ref.startswith("urn:cuebus:schema:1:"):
        name, _, pointer = ref[len("urn:cuebus:schema:1:"):].partition("#")
        target = SCHEMAS[name]
        for part in filter(None, pointer.split("/")):
            target = target[part]
        found |= properties(target)
    for case in [*schema.get("allOf", []), *schema.get("oneOf", []), *schema.get("anyOf", [])]:
        found |= properties(case)
    return found


def words(schema):
    """All that it may say, in what it refers to as well."""
    if isinstance(schema, dict):
        found = set().union(*map(words, schema.values())) if schema else set()
        ref = schema.get("$ref", "")
        if isinstance(ref, str) and ref.startswith("urn:cuebus:schema:1:common#/$defs/"):
            found |= words(SCHEMAS["common"]["$defs"][ref.rsplit("/", 1)[1]])
        return found
    if isinstance(schema, list):
        return set().union(*map(words, schema)) if schema else set()
    return set(re.findall(r"`(\w+)`", schema)) | {schema} if isinstance(schema, str) else set()


class WireClaims:
    def __init__(self, claims, documents):
        self.claims = claims
        self.documents = documents
        self.topics = documents["docs/topics.md"]

    def check(self):
        self.topic_names()
        self.event_names()
        self.event_fields()
        self.commands()
        self.codes()
        self.counters()
        self.choices()

    # ---- topics ----

    def topic_names(self):
        """Every topic below P has a channel."""
        addresses = [c["address"].partition("/1/{gateway}/")[2] for c in ASYNCAPI["channels"].values()]
        for document in self.documents.values():
            for place, span in document.spans():
                if not re.match(r"P/[a-z]", span) or " " in span.replace("dots as slashes", ""):
                    continue
                self.claims.check(place, f"topic {span}",
                                  any(self.is_below(a, span[2:].rstrip("/")) for a in addresses))

    @staticmethod
    def is_below(address, span):
        """Whether the channel is what the span names, or below it; `<…>`, `{…}`, `+` and `#` are any level."""
        for level, named in itertools.zip_longest(address.split("/"), re.sub("<[^>]*>", "<>", span).split("/")):
            if named in ("#", None):
                return True
            if level is None:
                return address.endswith("}")  # an event's type is several levels
            if level != named and not level.startswith("{") and named not in ("<>", "+"):
                return False
        return True

    # ---- events ----

    def event_names(self):
        """Every type of the gateway's own that is named has a schema."""
        for document in self.documents.values():
            for place, span in document.spans():
                if not re.fullmatch(r"(event\.playlist|gateway|input|gesture)\.[a-z_.]+", span) or span.endswith("."):
                    continue
                keys = load_all()["config"]["$defs"]["gateway"]["properties"]
                if span.split(".")[0] == "gateway" and span.split(".")[1] in keys:
                    continue
                self.claims.check(place, f"event {span}", span in EVENTS)

    def event_fields(self):
        """The fields of the table are the schema's."""
        for row in self.topics.rows("Events of the gateway"):
            for event in code_names(row.cells[0]):
                if event not in SCHEMAS:
                    continue  # said by event_names()
                known, values = properties(SCHEMAS[event]), words(SCHEMAS[event])
                text = re.sub(r"\([^()]*\)", "", row.cells[1])
                for field in code_names(text):
                    if re.fullmatch(r"[a-z_]+", field) and field not in ("stopped", "safe_value", "killed"):
                        self.claims.check(row.place, f"{event} has {field}", field in known)
                for value in code_names(" ".join(re.findall(r"\(([^()]*)\)", row.cells[1]))):
                    if re.fullmatch(r"[a-z_]+", value) and "outbox" not in value and value != "when_away":
                        self.claims.check(row.place, f"{event} may say {value}",
                                          value in values or value in known, str(values))

    # ---- commands ----

    def commands(self):
        rows = list(self.topics.rows("Commands"))
        names = {n[4:].replace(".", "/") for n in SCHEMAS if n.startswith("cmd.")}
        listed = {code_names(row.cells[0])[0] for row in rows}
        self.claims.check(self.topics.find("| command | request | result |"), "all commands are listed",
                          names == listed, str(names ^ listed))
        for row in rows:
            command = code_names(row.cells[0])[0].replace("/", ".")
            if "cmd." + command not in SCHEMAS:
                continue
            self.request(row, SCHEMAS["cmd." + command], command)
            self.result(row, SCHEMAS["reply." + command], command)

    def request(self, row, schema, command):
        known = set(schema.get("properties", {})) - {"request_id"}
        said = {}
        for field, optional in re.findall(r"`\"?(\w+)\"?(?:: true)?`(\?)?", row.cells[1]):
            said[field] = not optional
        if "itself" in row.cells[1]:
            return
        self.claims.check(row.place, f"fields of {command}", set(said) == known, f"{said}, the schema has {known}")
        if "one of" not in row.cells[1]:
            required = {field for field, must in said.items() if must}
            self.claims.check(row.place, f"required fields of {command}", required == set(schema["required"]),
                              str(schema["required"]))

    def result(self, row, schema, command):
        good = next(case for case in schema["oneOf"] if "properties" in case)
        known = properties(good["properties"]["result"])
        for field in code_names(row.cells[2].split(":")[0].split(";")[0]):
            self.claims.check(row.place, f"result of {command} has {field}", field in known, str(known))

    def codes(self):
        said = {code_names(row.cells[0])[0] for row in self.topics.rows("Replies")}
        known = set(SCHEMAS["reply.error"]["$defs"]["code"]["enum"])
        self.claims.check(self.topics.find("| `invalid_json` |"), "the codes of replies", said == known,
                          str(said ^ known))

    # ---- health ----

    def counters(self):
        """Every `part.field` of P/health that is named is there."""
        for document in self.documents.values():
            for place, span in document.spans():
                part = re.fullmatch(r"(\w+)\.(\w+)", span)
                if part and part[1] in HEALTH_PARTS - {"mqtt", "outbox", "outputs", "inputs", "playlists", "gestures"}:
                    self.claims.check(place, f"{span} in P/health", has_field(span))
                elif part and part[1] in ("inputs", "playlists", "gestures", "outputs"):
                    self.claims.check(place, f"{span} in P/health", has_field(span))
                elif part and part[1] == "outbox" and part[2] != "db":
                    keys = SCHEMAS["config"]["$defs"]["outbox"]["properties"]
                    self.claims.check(place, f"{span} in P/health or a key", has_field(span) or part[2] in keys)
        for row in self.documents["docs/operations.md"].rows("Storms"):
            prefix = ""
            for name in code_names(row.cells[0]):
                prefix = name.rpartition(".")[0] or prefix
                path = name if "." in name or has_field(name) else f"{prefix}.{name}"
                self.claims.check(row.place, f"{path} in P/health", has_field(path))

    # ---- choices ----

    def choices(self):
        """Tables whose first column is all that a field may say."""
        config = SCHEMAS["config"]["$defs"]
        tables = (
            ("docs/playlists.md", "mode", config["playlist"]["properties"]["mode"]["enum"]),
            ("docs/playlists.md", "on_restart", config["playlist"]["properties"]["on_restart"]["enum"]),
            ("docs/playlists.md", "reason", SCHEMAS["event.playlist.stopped"]["properties"]["reason"]["enum"]),
            ("docs/topics.md", "why", SCHEMAS["view.output"]["properties"]["why"]["enum"]),
            ("docs/operations.md", "outbox.sync", config["outbox"]["properties"]["sync"]["enum"]),
            ("docs/topics.md", "kind", config["input"]["properties"]["kind"]["enum"]),
            ("docs/configuration.md", "kind", config["input"]["properties"]["kind"]["enum"]),
        )
        for name, head, known in tables:
            rows = [r for r in self.documents[name].rows() if r.head[0] in (head, f"`{head}`")
                    and r.head[1] != "type"]
            said = {code_names(row.cells[0])[0] for row in rows}
            place = rows[0].place if rows else name
            self.claims.check(place, f"what {head} may be", said == set(known), f"{said} and {set(known)}")
        operators = {n for row in self.documents["docs/gestures.md"].rows("Predicates")
                     for n in code_names(row.cells[0])}
        self.claims.check(self.documents["docs/gestures.md"].find("| operator |"), "the operators of match",
                          operators == set(config["operators"]["properties"]))
