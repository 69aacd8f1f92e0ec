# SPDX-License-Identifier: Apache-2.0
"""On a machine that is so busy that paho's thread has not begun when a connect has failed already,
the next connect must not make a second one: both would hand the same message over."""

import os
import pathlib
import time
import unittest

from connection import ConnectionTest
from harness import until

DELAY_MS = 2500


class LateThreads(ConnectionTest):
    def paho_threads(self):
        found = 0
        for task in pathlib.Path(f"/proc/{self.gateway.process.pid}/task").iterdir():
            try:
                found += (task / "comm").read_text().strip() == "MQTTClient_run"
            except OSError:
                pass  # it has just ended
        return found

    def test_one_thread(self):
        broker = self.new_broker("late", "allow_anonymous true")
        broker.stop()
        self.start(self.config(f"mqtt://127.0.0.1:{broker.port}", protocol=5),
                   {"LD_PRELOAD": os.environ["THREAD_SHIM"], "CUEBUS_THREAD_DELAY_MS": str(DELAY_MS)})
        until("paho's thread", self.paho_threads, process=self.gateway.process)
        time.sleep(DELAY_MS / 1000 + 1)  # then a second one would be there
        self.assertEqual(self.paho_threads(), 1)
        broker.start()
        self.log_has("connected to")
        self.assertEqual(self.paho_threads(), 1)
        self.gateway.stop()


if __name__ == "__main__":
    unittest.main()
