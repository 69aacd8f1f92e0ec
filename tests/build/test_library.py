# SPDX-License-Identifier: Apache-2.0
"""libcuebus as another program links it: all its symbols begin with cue_, the shared object exports
the functions of the public headers and no others, and each of these has a comment."""

import os
import pathlib
import re
import subprocess
import unittest

HEADERS = sorted(pathlib.Path(os.environ["CUEBUS_SOURCE"], "bus", "include", "cuebus").glob("*.h"))
DECLARATION = re.compile(r"^CUE_API\b[^;]*?\b(\w+)\(", re.M)


def symbols(*arguments):
    """The defined symbols with external linkage."""
    output = subprocess.run([os.environ["NM"], "--defined-only", "--format=posix", *arguments], check=True,
                            capture_output=True, text=True).stdout
    return {line.split()[0] for line in output.splitlines() if re.match(r"\S+ [A-TV-Z] ", line)}


def declared(text):
    return set(DECLARATION.findall(text))


def uncommented(text):
    """The public functions with no comment directly above."""
    return [match[1] for match in DECLARATION.finditer(text)
            if not text[:match.start()].endswith("*/\n")]


class Library(unittest.TestCase):
    def test_all_symbols_begin_with_cue(self):
        names = symbols("--extern-only", os.environ["STATIC"])
        self.assertIn("cue_bus_new", names)
        self.assertEqual([name for name in sorted(names) if not name.startswith("cue_")], [],
                         "a program that links libcuebus.a may have functions of these names")

    def test_the_shared_object_exports_the_public_functions(self):
        names = set().union(*(declared(header.read_text("utf-8")) for header in HEADERS))
        self.assertIn("cue_bus_new", names)
        self.assertEqual(symbols("--dynamic", os.environ["SHARED"]), names)

    def test_every_public_function_is_marked(self):
        for header in HEADERS:
            text = re.sub(r"/\*.*?\*/|^#.*?$|\{.*?\}", "", header.read_text("utf-8"), flags=re.S | re.M)
            for statement in text.split(";"):
                name = re.search(r"\b(cue_\w+)\(", statement)
                if name and not re.search(r"\b(typedef|static inline)\b", statement):
                    self.assertIn("CUE_API", statement, f"{header.name}: {name[1]} is not marked CUE_API")

    def test_every_public_function_has_a_comment(self):
        for header in HEADERS:
            self.assertEqual(uncommented(header.read_text("utf-8")), [],
                             f"{header.name}: no comment directly above")

    def test_a_function_without_a_comment_is_found(self):
        self.assertEqual(uncommented("/** Text. */\nCUE_API int cue_a(void);\n"
                                     "CUE_API struct cue_x *cue_b(int x,\n int y);\n"
                                     "/** Text. */\n\nCUE_API int cue_c(void);\n"), ["cue_b", "cue_c"])


if __name__ == "__main__":
    unittest.main()
