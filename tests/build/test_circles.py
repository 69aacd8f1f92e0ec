# SPDX-License-Identifier: Apache-2.0
"""No cycle between object files, by their symbols; and each external library is called by one
room only.

Environment: that of house.py, and NM.
"""

import os
import pathlib
import subprocess
import tempfile
import unittest

from house import compiles, read_commands

NM = os.environ["NM"]
CALLERS = {"MQTTClient_": "gateway/mqtt", "SSL_": "gateway/mqtt", "X509_": "gateway/mqtt",
           "sqlite3_": "gateway/outbox", "uv_": "gateway/service", "gpiod_": "drivers/src"}


def read_symbols(path):
    """(defined, wanted) of an object file."""
    defined, wanted = set(), set()
    run = subprocess.run([NM, "-P", "-g", path], check=True, capture_output=True, text=True)
    for line in run.stdout.splitlines():
        name, kind = line.split()[:2]
        (wanted if kind in "Uvw" else defined).add(name)
    return defined, wanted


def call_graph(symbols):
    """{file: {file: names}} of {file: (defined, wanted)}."""
    where = {name: path for path, (defined, _) in symbols.items() for name in defined}
    graph = {path: {} for path in symbols}
    for path, (_, wanted) in symbols.items():
        for name in wanted:
            if where.get(name, path) != path:
                graph[path].setdefault(where[name], set()).add(name)
    return graph


def circles(graph):
    """The sets of files that lead to each other."""
    reach = {}
    for start in graph:
        seen, todo = set(), list(graph[start])
        while todo:
            path = todo.pop()
            if path not in seen:
                seen.add(path)
                todo += graph[path]
        reach[start] = seen
    found = {frozenset(b for b in graph if b in reach[a] and a in reach[b]) for a in graph}
    return sorted(sorted(circle) for circle in found if circle)


def describe(circle, graph):
    return "\n".join(f"  {a} -> {b}: {' '.join(sorted(graph[a][b]))}"
                     for a in circle for b in circle if b in graph[a])


class Circles(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        commands = read_commands()
        cls.flags = next(iter(commands.values()))[0]
        cls.symbols = {path: read_symbols(output) for path, (_, output) in commands.items()}

    def test_there_is_none(self):
        graph = call_graph(self.symbols)
        self.assertGreater(sum(len(called) for called in graph.values()), 500)
        found = [describe(circle, graph) for circle in circles(graph)]
        self.assertFalse(found, "\n\n".join(["circles:", *found]))

    def test_one_would_be_found(self):
        texts = {"a": "int b(void); int a(void); int a(void) { return b(); }",
                 "b": "int c(void); int b(void); int b(void) { return c(); }",
                 "c": "extern int (*const table[])(void); int c(void); int c(void) { return table[0](); }",
                 "d": "int a(void); extern int (*const table[])(void); int (*const table[])(void) = { a };",
                 "e": "int a(void); int e(void); int e(void) { return a(); }"}
        symbols = {}
        with tempfile.TemporaryDirectory() as folder:
            for name, text in texts.items():
                output = pathlib.Path(folder) / f"{name}.o"
                good, said = compiles(self.flags, text, "-c", "-o", str(output))
                self.assertTrue(good, said)
                symbols[name] = read_symbols(output)
        self.assertEqual(circles(call_graph(symbols)), [["a", "b", "c", "d"]])
        del symbols["d"]
        self.assertEqual(circles(call_graph(symbols)), [])

    def test_each_library_has_its_room(self):
        for path, (_, wanted) in self.symbols.items():
            room = str(pathlib.Path(path).parent)
            for prefix, caller in CALLERS.items():
                called = {name for name in wanted if name.startswith(prefix)}
                if room != caller:
                    self.assertEqual(set(), called, path)


if __name__ == "__main__":
    unittest.main()
