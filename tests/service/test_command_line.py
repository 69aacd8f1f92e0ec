# SPDX-License-Identifier: Apache-2.0
"""Shared behaviour of all subcommands."""

import os
import pathlib
import re
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from time_limits import limit_s  # noqa: E402

CUEBUS = os.environ["CUEBUS"]
COMMANDS = ("run", "check", "simulate", "healthcheck", "schema")


def run(*args):
    return subprocess.run([CUEBUS, *args], capture_output=True, text=True, timeout=limit_s(60))


class CommandLine(unittest.TestCase):
    def test_usage_lines_are_alike(self):
        self.assertTrue(run("--help").stdout.startswith("usage: cuebus COMMAND"))
        for name in COMMANDS:
            self.assertTrue(run(name, "--help").stdout.startswith(f"usage: cuebus {name}"), name)

    def test_messages_begin_with_the_command(self):
        for name in COMMANDS:
            with self.subTest(name):
                result = run(name, "--nonsense")
                self.assertEqual((result.returncode, result.stdout), (os.EX_USAGE, ""))
                self.assertTrue(result.stderr.startswith(f"cuebus {name}: "), result.stderr)
        self.assertTrue(run("schema", "nonsense").stderr.startswith("cuebus schema: "))

    def test_help_and_version_take_no_arguments(self):
        for name in ("--help", "-h", "help", "--version", "-V"):
            with self.subTest(name):
                self.assertEqual(run(name).returncode, 0)
                result = run(name, "extra")
                self.assertEqual((result.returncode, result.stdout), (os.EX_USAGE, ""))
                self.assertIn(f"{name} takes no arguments", result.stderr)

    def test_help_has_every_exit_code(self):
        def codes(text):
            return set(re.findall(r"\b\d+\b", text[text.index("Exit code"):]))

        told = codes(run("--help").stdout)
        for name in COMMANDS:
            self.assertLessEqual(codes(run(name, "--help").stdout), told, name)


if __name__ == "__main__":
    unittest.main()
