# SPDX-License-Identifier: Apache-2.0
"""`cuebus schema` prints the files of schemas/, byte for byte."""

import os
import pathlib
import subprocess
import sys
import unittest

from cuebus_schemas import SCHEMAS, load_all

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from time_limits import limit_s  # noqa: E402

CUEBUS = os.environ["CUEBUS"]


def run(*args):
    return subprocess.run([CUEBUS, "schema", *args], capture_output=True, timeout=limit_s(60))


class SchemaCommand(unittest.TestCase):
    def test_names(self):
        result = run()
        self.assertEqual(result.returncode, 0, result.stderr)
        expected = set(load_all()) | {"asyncapi"}
        self.assertEqual(set(result.stdout.decode().split()), expected | {"config"})

    def test_files(self):
        for name in load_all():
            with self.subTest(name):
                result = run(name)
                self.assertEqual(result.returncode, 0, result.stderr)
                path = SCHEMAS / (name + ".schema.json")
                self.assertEqual(result.stdout, path.read_bytes())

    def test_asyncapi(self):
        self.assertEqual(run("asyncapi").stdout, (SCHEMAS / "asyncapi.yaml").read_bytes())

    def test_unknown_name(self):
        result = run("no.such.schema")
        self.assertEqual(result.returncode, 64)
        self.assertIn(b"no.such.schema", result.stderr)
        self.assertEqual(result.stdout, b"")


if __name__ == "__main__":
    unittest.main()
