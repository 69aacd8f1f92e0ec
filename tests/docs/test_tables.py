# SPDX-License-Identifier: Apache-2.0
"""The hand-written tables of docs/ are complete: each rule of the configuration's findings, each
event of the gateway's own, each limit with its counter."""

import json
import os
import pathlib
import re
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from time_limits import limit_s  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "gateway").rglob("*.c"))
# What makes a finding, and which of its arguments is the rule.
FINDERS = {"diag_add": 3, "config_finding": 3, "config_key_finding": 3}
# Passed on by a function of the same file, whose callers name it.
PASSED_ON = {"refuse": 3, "tell_predicate": 2}
PASS_ON_THEMSELVES = {"config_reader.c", "config_read.c", "config_read_json.c", "config_read_text.c"}
# The data of inputs depends on their kind.
ELSEWHERE = {"input.button", "input.counter", "input.rotary", "input.switch"}

OTHER_TESTS = {"check.configs": "check/check_configs.py", "docs.docker": "docker/test_files.py"}


def arguments(text, start):
    """Of the call whose `(` is before `start`: its arguments, strings left whole."""
    found, depth, argument = [], 1, ""
    for token in re.finditer(r'"(?:[^"\\]|\\.)*"|.', text[start:], re.S):
        token = token[0]
        depth += (token in "([{") - (token in ")]}")
        if depth == 0:
            return [*found, argument.strip()]
        if token == "," and depth == 1:
            found.append(argument.strip())
            argument = ""
        else:
            argument += token
    raise AssertionError("a call without end")


def calls(text, finders):
    """[(name, argument that is the rule)], without declarations and definitions."""
    for call in re.finditer(rf"\b({'|'.join(finders)})\(", text):
        given = arguments(text, call.end())
        rule = given[finders[call[1]]] if len(given) > finders[call[1]] else ""
        if not rule.startswith("const char *"):
            yield call[1], rule


def rules_of_the_code():
    found = set()
    for path in SOURCES:
        text = re.sub(r"/\*.*?\*/", "", path.read_text("utf-8"), flags=re.S)
        for name, rule in [*calls(text, FINDERS), *calls(text, PASSED_ON)]:
            literal = re.fullmatch(r'"([a-z-]+)"', rule)
            if literal:
                found.add(literal[1])
            elif name in FINDERS and not (rule == "rule" and path.name in PASS_ON_THEMSELVES):
                raise AssertionError(f"{path.name}: {name}() with the rule {rule}: not known here")
    return found


def table(document, heading):
    """First cells of the rows below a heading, the names in them."""
    text = (ROOT / "docs" / document).read_text("utf-8")
    part = re.search(rf"^## {heading}\n(.*?)(?=^## )", text, re.M | re.S)[1]
    rows = re.findall(r"^\| ([^|]+) \|", part, re.M)
    return [name for row in rows for name in re.findall(r"`([^`]+)`", row)]


def limits_rows():
    """Cells of the rows of "Limits" in operations.md, the head left out."""
    text = (ROOT / "docs" / "operations.md").read_text("utf-8")
    part = re.search(r"^## Limits\n(.*?)(?=^## |\Z)", text, re.M | re.S)[1]
    return [[cell.strip() for cell in row.split("|")[1:-1]]
            for row in re.findall(r"^\|.*\|$", part, re.M)][2:]


def has_counter(schema, name):
    for key in name.split("."):
        schema = schema.get("properties", {}).get(key)
        if schema is None:
            return False
    return True


class Tables(unittest.TestCase):
    maxDiff = None

    def test_rules(self):
        rules = rules_of_the_code()
        self.assertGreater(len(rules), 40)
        self.assertEqual(sorted(table("configuration.md", "Findings")), sorted(rules))

    def test_events(self):
        """Each that has a schema; what gestures emit has a document of its own."""
        names = subprocess.run([os.environ["CUEBUS"], "schema"], capture_output=True, text=True,
                               timeout=limit_s(60), check=True).stdout.split()
        own = [n for n in names if re.match(r"(event\.playlist|gateway|input|gesture\.near_miss)", n)]
        self.assertIn("event.playlist.stopped", own)
        self.assertEqual(sorted(table("topics.md", "Events of the gateway")),
                         sorted(set(own) - ELSEWHERE))

    def test_limits(self):
        """Each is in the table of what can grow, and each counter there is in P/health."""
        rows = limits_rows()
        self.assertGreater(len(rows), 20)
        bounds = {name for row in rows for name in re.findall(r"`limits\.(\w+)`", row[1])}
        schema = json.loads((ROOT / "schemas" / "config.schema.json").read_text("utf-8"))
        limits = schema["$defs"]["limits"]["properties"]
        self.assertEqual(sorted(bounds), sorted(limits))
        health = json.loads((ROOT / "schemas" / "health.schema.json").read_text("utf-8"))
        counters = {name for row in rows for name in re.findall(r"`([^`]+)`", row[3])}
        self.assertIn("bus.state_refused", counters)
        self.assertEqual([], sorted(name for name in counters if not has_counter(health, name)))

    def test_threats(self):
        """Each names a test that there is, and what is said to be the default is it."""
        text = (ROOT / "docs" / "security.md").read_text("utf-8")
        part = text.split("## Threat by threat\n")[1].split("\n## ")[0]
        rows = re.findall(r"^\| .* \|(.*)\|$", part, re.M)[1:]
        self.assertGreater(len(rows), 15)
        for row in rows:
            if set(row) <= {"-"}:
                continue
            names = re.findall(r"`(\w+)\.(\w+)`", row)
            self.assertTrue(names, row)
            for kind, name in names:
                path = OTHER_TESTS.get(f"{kind}.{name}", f"{kind}/test_{name}." + (
                    "c" if kind == "unit" else "py"))
                self.assertTrue((ROOT / "tests" / path).exists(), f"{kind}.{name}")
        schema = json.loads((ROOT / "schemas" / "config.schema.json").read_text("utf-8"))
        remote = schema["$defs"]["remote"]["properties"]
        self.assertEqual({key: value["default"] for key, value in remote.items()},
                         {"emit": True, "inputs": False, "cmd": "use"})


if __name__ == "__main__":
    unittest.main()
