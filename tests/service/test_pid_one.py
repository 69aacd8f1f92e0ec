# SPDX-License-Identifier: Apache-2.0
"""The gateway as PID 1, as in a container: a SIGTERM that comes before its signal handlers are set
still stops it. Needs root, for a PID namespace."""

import errno
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from harness import CUEBUS, TIMEOUT_S, free_port, mortal, until  # noqa: E402


class PidOne(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="cuebus-pid-"))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def start(self, path):
        log = (self.directory / "log").open("wb")
        self.addCleanup(log.close)
        # mortal() below unshare would be undone by its fork.
        process = subprocess.Popen(
            mortal(["unshare", "--pid", "--fork", "--kill-child", CUEBUS, "run", "-c", str(path)]),
            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    @staticmethod
    def writer(path):
        """The FIFO's writing end, once it has a reader."""
        try:
            return os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            return None

    def test_a_stop_that_comes_early_is_not_lost(self):
        # It starts by reading its configuration, and there it waits for us.
        path = self.directory / "cuebus.json"
        os.mkfifo(path)
        process = self.start(path)
        fd = until("reads its configuration", lambda: self.writer(path), process=process)
        children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
        os.kill(int(children), signal.SIGTERM)
        with open(fd, "w", encoding="utf-8") as fifo:
            json.dump({"version": 1, "gateway": {"id": "pid-one"},
                       "mqtt": {"url": f"mqtt://127.0.0.1:{free_port()}"}}, fifo)
        try:
            code = process.wait(TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.fail("it runs on:\n" + (self.directory / "log").read_text())
        self.assertEqual(code, 0, (self.directory / "log").read_text())


if __name__ == "__main__":
    if os.geteuid() != 0:
        print("SKIPPED: needs root, for a PID namespace")
        sys.exit(77)
    unittest.main()
