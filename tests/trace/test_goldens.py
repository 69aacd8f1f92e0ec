# SPDX-License-Identifier: Apache-2.0
"""`cuebus simulate` prints the same bytes on every machine: for each example those beside it, for
each golden trace its expected lines.

run_traces replays the traces with the library; this test uses the program as a user does. Traces
with directives, which only run_traces knows, are skipped. With CUEBUS_SUMS=FILE the checksum of
each output is written there, for scripts/test-platforms to compare.
"""

import hashlib
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from time_limits import limit_s  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
EXAMPLES = HERE.parents[1] / "docs" / "examples"
CUEBUS = os.environ["CUEBUS"]
DIRECTIVE = re.compile(r"^([\d.]+ +)?@", re.M)


class Goldens(unittest.TestCase):
    maxDiff = None
    sums = {}

    @classmethod
    def tearDownClass(cls):
        if "CUEBUS_SUMS" in os.environ:
            pathlib.Path(os.environ["CUEBUS_SUMS"]).write_text(
                "".join(f"{digest}  {name}\n" for name, digest in sorted(cls.sums.items())))

    def simulate(self, name, config, trace, *options):
        done = subprocess.run([CUEBUS, "simulate", config, "--input", trace, *options],
                              capture_output=True, timeout=limit_s(60))
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.sums[name] = hashlib.sha256(done.stdout).hexdigest()
        return done.stdout.decode()

    def test_examples(self):
        traces = sorted(EXAMPLES.glob("*.trace"))
        self.assertGreaterEqual(len(traces), 5)
        for trace in traces:
            with self.subTest(trace.name):
                self.assertEqual(self.simulate(trace.name, trace.with_suffix(".jsonc"), trace),
                                 trace.with_suffix(".expected").read_text("utf-8"))

    def test_golden_traces(self):
        n = 0
        for path in sorted(HERE.glob("*.trace")):
            head, _, expected = path.read_text("utf-8").partition("\n\n")
            if DIRECTIVE.search(head):
                continue
            n += 1
            config = HERE / re.search(r"^# config: (\S+)", head, re.M)[1]
            until = re.search(r"^# until: (\S+)", head, re.M)
            with self.subTest(path.name), tempfile.NamedTemporaryFile("w", suffix=".trace") as trace:
                trace.write(head + "\n")
                trace.flush()
                self.assertEqual(self.simulate(path.name, config, trace.name, "--replies",
                                               *(["--until", until[1]] if until else [])), expected)
        self.assertGreaterEqual(n, 40)


if __name__ == "__main__":
    unittest.main()
