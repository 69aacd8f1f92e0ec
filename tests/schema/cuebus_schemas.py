# SPDX-License-Identifier: Apache-2.0
"""The schemas of `schemas/`, registered by $id, ready to validate with."""

import json
import pathlib

import jsonschema

try:
    import referencing  # jsonschema from 4.18 on; its RefResolver loses its place there
except ImportError:
    referencing = None

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCHEMAS = ROOT / "schemas"
URN = "urn:cuebus:schema:1:"


def _no_duplicates(pairs):
    keys = [key for key, _ in pairs]
    if len(keys) != len(set(keys)):
        raise ValueError(f"duplicate key in {keys}")
    return dict(pairs)


def strict_loads(text):
    """JSON without duplicate keys, NaN or Infinity."""

    def refuse(word):
        raise ValueError(f"{word} is no JSON")

    return json.loads(text, object_pairs_hook=_no_duplicates, parse_constant=refuse)


def load_all():
    """name -> schema, of every file."""
    found = {}
    for path in sorted(SCHEMAS.glob("*.schema.json")):
        found[path.name[: -len(".schema.json")]] = strict_loads(path.read_text("utf-8"))
    return found


def references(schema, by_id):
    """The registry in which a validator of `schema` finds the others."""
    if referencing is None:
        return {"resolver": jsonschema.RefResolver(schema["$id"], schema, store=by_id)}
    resources = ((urn, referencing.Resource.from_contents(s)) for urn, s in by_id.items())
    return {"registry": referencing.Registry().with_resources(resources)}


def _absolute(node, base):
    """The schema with its `#/…` references made absolute: jsonschema 4.10 does not join
    them to a URN once another schema has led there."""
    if isinstance(node, dict):
        return {key: base + part if key == "$ref" and part.startswith("#") else _absolute(part, base)
                for key, part in node.items()}
    return [_absolute(part, base) for part in node] if isinstance(node, list) else node


class Registry:
    """Validators by schema name; formats are checked too."""

    def __init__(self):
        self.schemas = load_all()
        by_id = {s["$id"]: _absolute(s, s["$id"]) for s in self.schemas.values()}
        self._validators = {
            name: jsonschema.Draft202012Validator(
                by_id[schema["$id"]], format_checker=jsonschema.FormatChecker(),
                **references(by_id[schema["$id"]], by_id)
            )
            for name, schema in self.schemas.items()
        }

    def errors(self, name, instance):
        """The instance's errors as texts; empty if it is valid."""
        found = self._validators[name].iter_errors(instance)
        return [f"{name}: /{'/'.join(map(str, e.absolute_path))}: {e.message}" for e in found]
