# SPDX-License-Identifier: Apache-2.0
"""A disk whose fsync() never returns: the gateway starts, publishes `offline` in time when it is
stopped, and ends. (The content of the outbox meanwhile: unit.outbox_disk_state.)"""

import os
import time
import unittest

from test_state_folder import StateFolder
from harness import SLOW, P, until

OFFLINE_S = 2 * SLOW
END_S = 10 * SLOW


class Hangs(StateFolder):
    def setUp(self):
        super().setUp()
        self.hangs = self.directory / "hangs"
        self.addCleanup(self.hangs.unlink, missing_ok=True)  # or nothing could end it

    def environment(self):
        return {"LD_PRELOAD": os.environ["DISK_SHIM"], "CUEBUS_DISK_HANGS": str(self.hangs)}

    def begin(self):
        since = self.watcher.mark()
        self.start(self.state_config(), self.environment())
        self.watcher.message("online", lambda m: m.topic == P + "/status"
                             and m.payload == b"online", since)

    def ends_in_time(self):
        since, process = self.watcher.mark(), self.gateway.process
        process.terminate()
        told = time.monotonic()
        self.watcher.message("offline", lambda m: m.topic == P + "/status"
                             and m.payload == b"offline", since, timeout_s=OFFLINE_S)
        until("the end", lambda: process.poll() is not None, END_S + OFFLINE_S)
        self.assertLess(time.monotonic() - told, END_S)

    def test_the_stop(self):
        self.begin()
        self.hangs.touch()
        for _ in range(10):
            self.watcher.publish(f"{P}/emit/some/news", b"1")
        self.ends_in_time()

    def test_the_start(self):
        self.hangs.touch()
        self.begin()
        self.assertEqual(self.health()["outbox"]["disk"], "memory")
        self.log_has("the disk has not answered for")
        self.watcher.publish(f"{P}/emit/some/news", b"1")
        self.watcher.event("some.news")
        self.ends_in_time()

    def test_back_again(self):
        self.hangs.touch()
        self.begin()
        self.hangs.unlink()
        until("back on disk", lambda: self.health()["outbox"]["disk"] == "ok",
              process=self.gateway.process)
        self.gateway.stop()


del StateFolder

if __name__ == "__main__":
    unittest.main()
