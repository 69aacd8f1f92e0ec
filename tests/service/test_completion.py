# SPDX-License-Identifier: Apache-2.0
"""Completion for bash offers the program's subcommands and options."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from time_limits import limit_s  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMPLETION = ROOT / "packaging" / "cuebus.bash"
CUEBUS = os.environ["CUEBUS"]


def output(*command):
    return subprocess.run(command, capture_output=True, timeout=limit_s(60), check=True).stdout.decode()


class Completion(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="cuebus-completion-"))
        self.addCleanup(shutil.rmtree, self.directory)
        for name in ("one file.json", "other.json"):
            (self.directory / name).touch()

    def complete(self, *words):
        """What is offered for the last of the words after `cuebus`."""
        script = ('set -u; source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1));'
                  ' _cuebus; printf "%s\\n" "${COMPREPLY[@]+"${COMPREPLY[@]}"}"')
        result = subprocess.run(
            ["bash", "--norc", "-c", script, "bash", str(COMPLETION), CUEBUS, *words],
            cwd=self.directory, capture_output=True, text=True, timeout=limit_s(60))
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return {line for line in result.stdout.splitlines() if line}

    def commands(self):
        return set(re.findall(r"^  ([a-z]+) ", output(CUEBUS, "--help"), re.M))

    def test_is_registered(self):
        self.assertIn("_cuebus cuebus",
                      output("bash", "--norc", "-c", f'source "{COMPLETION}"; complete -p cuebus'))

    def test_commands(self):
        self.assertEqual(self.complete(""), self.commands() | {"--version", "--help", "-V", "-h"})
        self.assertEqual(self.complete("s"), {"simulate", "schema"})
        self.assertEqual(self.complete("--v"), {"--version"})
        self.assertEqual(self.complete("nothing", "-"), set())

    def test_options_are_those_of_help(self):
        for name in self.commands():
            with self.subTest(name):
                expected = set(re.findall(r"^ .*?(--[a-z][a-z-]*)", output(CUEBUS, name, "--help"),
                                          re.M)) | {"--help"}
                self.assertEqual(self.complete(name, "-"), expected)

    def test_files(self):
        files = {"one file.json", "other.json"}
        self.assertEqual(self.complete("check", ""), files)
        self.assertEqual(self.complete("check", "ot"), {"other.json"})
        for option in ("-c", "--config"):
            self.assertEqual(self.complete("run", option, ""), files)
            self.assertEqual(self.complete("healthcheck", option, "one"), {"one file.json"})
        self.assertEqual(self.complete("simulate", "other.json", "--input", ""), files)

    def test_values(self):
        self.assertEqual(self.complete("run", "--log-format", ""), {"text", "json"})
        self.assertEqual(self.complete("run", "--log-format", "="), {"text", "json"})
        self.assertEqual(self.complete("run", "--log-format", "=", "j"), {"json"})
        self.assertEqual(self.complete("run", "--config", "=", "ot"), {"other.json"})
        self.assertEqual(self.complete("simulate", "other.json", "--until", "="), set())
        self.assertEqual(self.complete("schema", ""), set(output(CUEBUS, "schema").split()))
        self.assertEqual(self.complete("schema", "asy"), {"asyncapi"})
        self.assertEqual(self.complete("simulate", "--until", ""), set(), "a duration")


if __name__ == "__main__":
    unittest.main()
