# SPDX-License-Identifier: Apache-2.0
"""scripts/demo with the built binary: its session, --keep and --stop, Ctrl-C."""

import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from time_limits import limit_s  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEMO = str(ROOT / "scripts" / "demo")


class Demo(unittest.TestCase):
    def setUp(self):
        # Its temporary folder shows what it leaves behind.
        self.directory = tempfile.TemporaryDirectory(prefix="cuebus-demo-test-")
        self.addCleanup(self.directory.cleanup)
        self.env = dict(os.environ, TMPDIR=self.directory.name)

    def demo(self, *args):
        return subprocess.run([DEMO, *args], env=self.env, stdin=subprocess.DEVNULL, text=True,
                              capture_output=True, timeout=limit_s(120))

    def processes(self):
        """Processes with this test's temporary folder in their command line."""
        found = []
        for entry in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if self.directory.name.encode() in (entry / "cmdline").read_bytes():
                    found.append(entry.name)
            except OSError:
                pass
        return found

    def left(self):
        return os.listdir(self.directory.name)

    def check_session(self, output):
        for text in ("P/bus/button/double_tap", "P/bus/konami/activated",
                     "P/bus/event/playlist/created", "> P/emit/start/sequence",
                     '"reason": "interrupted"', "> P/cmd/playlist/start", "reply", "not_found"):
            self.assertIn(text, output)
        self.assertNotIn("\033", output)  # no colours where there is no terminal
        self.assertTrue(re.search(r"^\d\d:\d\d:\d\d\.\d{3}  P/bus/", output, re.M), output)

    def test_session(self):
        result = self.demo()
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.check_session(result.stdout)
        self.assertIn("offline", result.stdout)
        self.assertEqual((self.left(), self.processes()), ([], []))

    def test_keep_and_stop(self):
        result = self.demo("--keep")
        try:
            self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
            self.check_session(result.stdout)
            self.assertTrue(self.processes())
            again = self.demo("--keep")
            self.assertNotEqual(again.returncode, 0)
            self.assertIn("--stop", again.stderr)
            sub = re.search(r"^ +mosquitto_sub (-h \S+ -p \d+)", result.stdout, re.M)[1].split()
            pub = re.search(r"^ +mosquitto_pub .*cmd/playlist/start.*$", result.stdout, re.M)[0]
            with subprocess.Popen(["mosquitto_sub", *sub, "-t", "cuebus/1/demo/bus/event/playlist/created",
                                   "-C", "1", "-W", "60"], stdout=subprocess.PIPE) as listener:
                # Published until it is heard: there is no telling when the
                # subscription has been made.
                for _ in range(600):
                    subprocess.run(["bash", "-c", pub.replace(
                        '"request_id":1', f'"request_id":{_}')], check=True, timeout=limit_s(60))
                    try:
                        listener.wait(0.1)
                        break
                    except subprocess.TimeoutExpired:
                        continue
                self.assertIn(b"event.playlist.created", listener.stdout.read())
        finally:
            stopped = self.demo("--stop")
        self.assertEqual(stopped.returncode, 0, stopped.stderr)
        self.assertEqual((self.left(), self.processes()), ([], []))
        self.assertIn("Nothing", self.demo("--stop").stdout)

    def test_interrupt_cleans_up(self):
        with subprocess.Popen([DEMO], env=self.env, stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
            for line in process.stdout:
                if "double_tap" in line:
                    process.send_signal(signal.SIGINT)
                    break
            process.stdout.read()
            self.assertEqual(process.wait(limit_s(60)), 130)
        self.assertEqual((self.left(), self.processes()), ([], []))

    def test_unknown_option(self):
        result = self.demo("--kept")
        self.assertEqual(result.returncode, 64)
        self.assertIn("--keep", result.stderr)


if __name__ == "__main__":
    unittest.main()
