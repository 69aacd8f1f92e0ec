#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The configuration's JSON Schema accepts what `cuebus check` accepts, and refuses what it refuses,
except faults that no such schema can express (listed below: the schema must accept these, so that
the list stays true)."""

import json
import re
import sys

import jsonschema

import jsonc
from check_configs import ENVIRONMENT, HERE, cases

# No JSON to look at, several files, or an environment.
APART = ("syntax-", "key-duplicate", "conf.d-", "environment-")
# Sums and comparisons of values, predicates, ranges of durations.
BEYOND = {
    "duration-debounce", "duration-health", "duration-just-over", "duration-overflow",
    "duration-too-fine", "duration-too-long", "interval-overflow", "limit-config-bytes",
    "limit-definitions", "limit-json-depth", "limit-payload-bytes", "line-in-use",
    "line-in-use-by-output", "line-in-use-by-two-outputs", "line-in-use-within",
    "output-value", "rotary-range",
    "match-near-operator", "when-too-deep", "step-rate", "step-rate-limits", "text-cut-in-character",
}


def substitute(node):
    if isinstance(node, dict):
        return {k: v if k.startswith("x-") else substitute(v) for k, v in node.items()}
    if isinstance(node, list):
        return [substitute(v) for v in node]
    if isinstance(node, str):
        return re.sub(r"\$?\$\{(\w+)\}", lambda m: m[0][1:] if m[0][1] == "$" else
                      ENVIRONMENT[m[1]], node)
    return node


def main():
    schema = json.loads((HERE.parents[1] / "schemas/config.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    failed = total = 0
    for kind in ("bad", "warn", "good"):
        for name, path in cases(kind):
            if (kind == "bad" and name.startswith(APART)) or path.endswith("/main.json"):
                continue
            value = substitute(jsonc.loads((HERE / kind / path).read_text("utf-8")))
            faults = [e.message for e in validator.iter_errors(value)]
            total += 1
            if bool(faults) != (kind == "bad" and name not in BEYOND):
                failed += 1
                print(f"{kind}/{name}: the schema {'refuses' if faults else 'takes'} it", faults[:2])
    for path in sorted((HERE.parents[1] / "docs/examples").glob("*.jsonc")):
        total += 1
        for error in validator.iter_errors(jsonc.loads(path.read_text("utf-8"))):
            failed += 1
            print(f"{path.name}: {error.message}")
    print(f"{total} configurations, {failed} failed")
    sys.exit(1 if failed or total < 100 else 0)


if __name__ == "__main__":
    main()
