# SPDX-License-Identifier: Apache-2.0
"""Each check of scripts/lint finds what it is there for, and the hook refuses such a commit."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import lint
import sizes

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOOD = "/* SPDX-License-Identifier: Apache-2.0 */\nint answer(void)\n{\n\treturn 42;\n}\n"
LONG_FUNCTION = "int answer(void)\n{\n" + 60 * "\tanswer();\n" + "}\n"
MANY_PARAMETERS = "int answer(int a, int b, int c,\n           int (*d)(int, int), int e, int f)\n{\n}\n"
# Check, file, what is wrong with it, and what of that is said.
WRONG = (
    ("format", "a.c", "int answer(void) { return 42; }\n", "scripts/lint --fix a.c"),
    ("columns", "a.c", f"\t/* {'x' * 90} */\n", "a.c:1: 104 columns"),
    ("sizes", "a.c", LONG_FUNCTION, "a.c:1: answer() has 63 lines"),
    ("sizes", "gateway/a.c", MANY_PARAMETERS, "gateway/a.c:1: answer() has 6 parameters"),
    ("sizes", "a.h", 501 * "\n", "a.h:1: the file has 501 lines"),
    ("shell", "run", "#!/bin/sh\nrm $1\n", "run:2:"),
    ("spelling", "a.md", "It reci" + "eves it.\n", "a.md:1:"),
    ("spelling", "a.c", "/* " + "gat" + "way */\n", "a.c:1:"),
    ("python", "a.py", "import os\n", "a.py:1:1: F401"),
)


def look(check, path, text):
    """What the check says of a tree with this one file."""
    with tempfile.TemporaryDirectory() as directory:
        shutil.copy(ROOT / ".clang-format", directory)
        (pathlib.Path(directory) / path).parent.mkdir(exist_ok=True)
        (pathlib.Path(directory) / path).write_text(text, "utf-8")
        return lint.CHECKS[check](lint.Tree(directory, [path]), None)


class Findings(unittest.TestCase):
    def test_each_check_finds_it(self):
        for check, path, text, said in WRONG:
            with self.subTest(check=check, path=path):
                try:
                    self.assertIn(said, look(check, path, text))
                except lint.Missing as missing:
                    self.skipTest(str(missing))

    def test_nothing_is_found_where_nothing_is_wrong(self):
        for check in ("format", "columns", "sizes", "spelling"):
            with self.subTest(check=check):
                try:
                    self.assertEqual(look(check, "a.c", GOOD), "")
                except lint.Missing as missing:
                    self.skipTest(str(missing))

    def test_a_function_is_measured_from_its_signature(self):
        text = "int a;\n\nstatic int first(int a,\n                 int b)\n{\n\treturn a;\n}\n" + GOOD
        self.assertEqual([tuple(f) for f in sizes.functions(text)], [("first", 3, 5, 2), ("answer", 9, 4, 0)])

    def test_parameters_are_counted(self):
        for signature, count in (("int f(void)", 0), ("int f()", 0), ("int f(int a)", 1),
                                 ("int f(const char *format, ...)", 1),
                                 ("int f(int (*a)(int, int), int b[2])", 2)):
            with self.subTest(signature=signature):
                self.assertEqual(sizes.parameters(signature), count)

    def test_no_exception_is_left_behind(self):
        for exception in (*sizes.LONG_FUNCTIONS, *sizes.MANY_PARAMETERS):
            path, name = exception.split(":")
            with self.subTest(exception=exception):
                text = (ROOT / path).read_text("utf-8")
                self.assertIn(name, [f.name for f in sizes.functions(text)])


class Hook(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.tree = pathlib.Path(self.directory.name)
        for path in (".clang-format", ".flake8", ".githooks/pre-commit", "scripts/lint", "tests/lint/lint.py",
                     "tests/lint/sizes.py", "tests/lint/words", "tests/lint/misspelt"):
            (self.tree / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, self.tree / path)
        self.git("init", "-q")
        self.git("config", "core.hooksPath", ".githooks")
        self.git("add", ".")
        self.assertEqual(self.git("commit", "-q", "-m", "begin").returncode, 0)

    def git(self, *arguments):
        # Not those of a hook that this test itself runs in.
        env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
        env.update(GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_NOSYSTEM="1", GIT_AUTHOR_NAME="a",
                   GIT_AUTHOR_EMAIL="a@b", GIT_COMMITTER_NAME="a", GIT_COMMITTER_EMAIL="a@b")
        return subprocess.run(["git", *arguments], cwd=self.tree, env=env, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def commit(self, text):
        (self.tree / "a.c").write_text(text, "utf-8")
        self.git("add", "a.c")
        return self.git("commit", "-q", "-m", "a")

    def test_a_commit_in_another_form_is_refused_and_the_way_to_mend_it_works(self):
        try:
            lint.clang_tool("clang-format")
        except lint.Missing as missing:
            self.skipTest(str(missing))
        refused = self.commit("int answer(void) { return 42; }\n")
        self.assertEqual(refused.returncode, 1, refused.stdout)
        self.assertIn("mend: scripts/lint --fix a.c", refused.stdout)
        subprocess.run(["scripts/lint", "--fix", "a.c"], cwd=self.tree, check=True)
        self.assertEqual((self.tree / "a.c").read_text("utf-8"), "int answer(void)\n{\n\treturn 42;\n}\n")
        self.git("add", "a.c")
        taken = self.git("commit", "-q", "-m", "a")
        self.assertEqual(taken.returncode, 0, taken.stdout)

    def test_what_is_staged_counts_and_not_what_lies_in_the_tree(self):
        (self.tree / "a.c").write_text(f"/* {'x' * 100} */\n", "utf-8")
        self.git("add", "a.c")
        (self.tree / "a.c").write_text(GOOD, "utf-8")
        refused = self.git("commit", "-q", "-m", "a")
        self.assertEqual(refused.returncode, 1, refused.stdout)
        self.assertIn("a.c:1: 106 columns", refused.stdout)


if __name__ == "__main__":
    program = unittest.main(exit=False)
    if not program.result.wasSuccessful():
        sys.exit(1)
    sys.exit(77 if program.result.skipped else 0)
