# SPDX-License-Identifier: Apache-2.0
"""docs/cookbook.md: each task is short, has nothing to be warned of, and does what its trace says.

A ```trace block belongs to the ```jsonc block before it. Its lines: `> ` and a line of a trace, or
`<seconds> <event type> [data]`, which must come of it; `…` for any data. Left out are the events of
inputs and those that the trace itself brings, and event.playlist.*.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

from test_documents import BLOCKS, completed

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "check"))
import jsonc  # noqa: E402

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from time_limits import limit_s  # noqa: E402

CUEBUS = os.environ["CUEBUS"]
LINES_MAX = 15  # of a task's configuration, besides inputs and outputs
TASKS = 11


def tasks():
    """(configuration, trace) by the place of the first."""
    found, config = {}, None
    for block in BLOCKS:
        if not block.place.startswith("docs/cookbook.md:"):
            continue
        if block.language == "jsonc":
            config = block
        elif block.language == "trace":
            found[config.place] = (config.text, block.text)
    return found


def without(text, key):
    """The text without a top-level part."""
    begin = re.search(rf'"{key}": \{{', text)
    if not begin:
        return text
    depth, at = 1, begin.end()
    while depth:
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        at += 1
    return text[:begin.start()] + text[at:].lstrip(",")


def run(*args):
    return subprocess.run([CUEBUS, *map(str, args)], capture_output=True, text=True, timeout=limit_s(60),
                          stdin=subprocess.DEVNULL)


class Cookbook(unittest.TestCase):
    maxDiff = None

    def test_there_are_so_many(self):
        self.assertEqual(len(tasks()), TASKS)

    def test_each_is_short(self):
        for place, (config, _) in tasks().items():
            with self.subTest(place):
                rest = without(without(config, "inputs"), "outputs")
                lines = [line for line in rest.splitlines() if line.strip()]
                self.assertLessEqual(len(lines), LINES_MAX)

    def test_each_does_what_it_says(self):
        for place, (config, trace) in tasks().items():
            with self.subTest(place), tempfile.TemporaryDirectory() as folder:
                self.do(pathlib.Path(folder), completed(config), trace.splitlines())

    def do(self, folder, config, lines):
        (folder / "task.json").write_text(config)
        checked = run("check", folder / "task.json")
        self.assertEqual((checked.returncode, checked.stdout), (0, ""))
        brought = [line[2:] for line in lines if line.startswith("> ")]
        (folder / "task.trace").write_text("\n".join(brought) + "\n")
        result = run("simulate", folder / "task.json", "--input", folder / "task.trace")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        expected = [line for line in lines if not line.startswith("> ")]
        self.assertEqual(self.came(result.stdout, jsonc.loads(config), brought, expected),
                         expected)

    def came(self, output, config, brought, expected):
        """What came, in the form of the document."""
        inputs = config.get("inputs", {}).values()
        known = {line.split()[1] for line in brought} | {i[k] for i in inputs for k in ("event", "release_event")
                                                         if k in i}
        any_data = {line.rsplit(" ", 1)[0] for line in expected if line.endswith(" …")}
        found = []
        for event in map(json.loads, output.splitlines()):
            if event["event_type"] in known or event["event_type"].startswith("event.playlist."):
                continue
            line = f"{event['monotonic_us'] / 1e6:g} {event['event_type']}"
            if line in any_data:
                line += " …"
            elif event["data"] is not None:
                line += " " + json.dumps(event["data"], separators=(",", ":"), ensure_ascii=False)
            found.append(line)
        return found


if __name__ == "__main__":
    unittest.main()
