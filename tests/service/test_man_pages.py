# SPDX-License-Identifier: Apache-2.0
"""The man pages: groff has no warning, the generated parts are up to date, every option of --help
is there, and the examples work."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from man_pages import MAN, PAGES, ROOT, generated, tables

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from time_limits import limit_s  # noqa: E402

CUEBUS = os.environ["CUEBUS"]


def output(*command):
    return subprocess.run(command, capture_output=True, timeout=limit_s(60), check=True,
                          env=dict(os.environ, LC_ALL="C.UTF-8")).stdout.decode()


def plain(page):
    """The page as plain text, without line breaks in paragraphs or justification."""
    return output("groff", "-man", "-Kutf8", "-Tutf8", "-P-c", "-P-b", "-P-o", "-P-u", "-rLL=2000n",
                  str(MAN / page))


def commands():
    return re.findall(r"^  ([a-z]+) ", output(CUEBUS, "--help"), re.M)


def options(text):
    """Of a --help text: those at the beginning of a line."""
    found = set()
    for line in re.findall(r"^ +(-.*)", text, re.M):
        found |= set(re.findall(r"(?<![\w-])--?[A-Za-z][\w-]*", re.split(r"\s{2,}", line)[0]))
    return found


class ManPages(unittest.TestCase):
    def test_all_are_there(self):
        self.assertEqual([p.name for p in PAGES], ["cuebus-topics.7", "cuebus.1", "cuebus.json.5"])

    def test_no_warnings(self):
        for page in PAGES:
            with self.subTest(page.name):
                result = subprocess.run(["groff", "-ww", "-man", "-Kutf8", "-Tutf8", "-z", str(page)],
                                        capture_output=True, text=True, timeout=limit_s(60))
                self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""))

    def test_man_db_reads_them(self):
        """As `man` prints it, and whatis finds it."""
        for page in PAGES:
            with self.subTest(page.name):
                env = dict(os.environ, LC_ALL="C.UTF-8", MANROFFSEQ="", MANWIDTH="80")
                result = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z",
                                         str(page)], capture_output=True, timeout=limit_s(60), env=env)
                self.assertEqual((result.returncode, result.stderr), (0, b""))
                name = page.stem
                self.assertIn(f'"{name} - ', output("lexgrog", str(page)))

    def test_generated_parts(self):
        for page in PAGES:
            with self.subTest(page.name):
                text = page.read_text("utf-8")
                self.assertEqual(text, generated(CUEBUS, text), "update it with "
                                 "tests/service/man_pages.py CUEBUS --update")

    def test_keys_are_in_json_5(self):
        text = plain("cuebus.json.5")
        keys = re.findall(r"^\| `([^`]+)` \|", output(CUEBUS, "schema", "--markdown"), re.M)
        self.assertGreater(len(keys), 50)
        for key in keys:
            self.assertRegex(text, rf"(?m)^ +{re.escape(key)} \(")

    def test_tables_are_in_topics_7(self):
        text = plain("cuebus-topics.7")
        for heading, rows in tables().items():
            for row in rows[1:]:
                name = re.sub(r"`", "", row[0]).replace("…", "...")
                with self.subTest(heading, name=name):
                    self.assertRegex(text, rf"(?m)^ +{re.escape(name)}(\s|$)")

    def test_every_option_of_help(self):
        text = plain("cuebus.1")
        part = text[text.index("COMMANDS"):text.index("SIGNALS")]
        names = commands()
        self.assertIn("run", names)
        sections = dict(zip([*names, "General options"], [None] * (len(names) + 1)))
        for name in sections:
            found = re.search(rf"^   {name}\n(.*?)(?=^   \S|\Z)", part, re.M | re.S)
            self.assertIsNotNone(found, f"there is no subsection {name}")
            told = options(found[1])
            text = output(CUEBUS, "--help") if name == "General options" \
                else output(CUEBUS, name, "--help")
            expected = options(text)
            if name == "General options":
                expected |= {"-h", "-V"}
            elif not expected:
                expected = {"-h", "--help"}
            self.assertEqual(told, expected, f"cuebus(1) and cuebus {name} --help")

    def test_exit_codes_of_help(self):
        text = plain("cuebus.1")
        part = text[text.index("EXIT STATUS"):text.index("ENVIRONMENT")]
        told = set(re.findall(r"^ +(\d+)", part, re.M))
        for name in commands():
            help_text = output(CUEBUS, name, "--help")
            codes = re.findall(r"\b\d+\b", help_text[help_text.index("Exit code"):])
            self.assertLessEqual(set(codes), told, name)

    def test_version(self):
        version = re.search(r"project\(cuebus VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text())[1]
        for page in PAGES:
            self.assertRegex(page.read_text("utf-8"), rf'(?m)^\.TH .* "cuebus {re.escape(version)}"')

    def test_example_configuration(self):
        text = (MAN / "cuebus.json.5").read_text("utf-8")
        example = re.search(r"^\.EX\n(.*?)^\.EE", text[text.index(".SH EXAMPLES"):], re.M | re.S)[1]
        example = example.replace(r"\(dq", '"').replace(r"\-", "-")
        self.assertNotIn("\\", example)
        directory = pathlib.Path(tempfile.mkdtemp(prefix="cuebus-man-"))
        self.addCleanup(shutil.rmtree, directory)
        (directory / "cuebus.json").write_text(example)
        result = subprocess.run([CUEBUS, "check", str(directory / "cuebus.json")],
                                capture_output=True, text=True, timeout=limit_s(60))
        self.assertEqual((result.returncode, result.stdout), (0, ""))

    def test_cross_references(self):
        """Each page of ours that another page names exists."""
        ours = {f"{p.stem}({p.suffix[1:]})" for p in PAGES}
        for page in PAGES:
            for name in re.findall(r"\bcuebus[\w.-]*\(\d\)", plain(page.name).split("SEE ALSO")[1]):
                self.assertIn(name, ours)
            self.assertIn("SEE ALSO", plain(page.name))


if __name__ == "__main__":
    unittest.main()
