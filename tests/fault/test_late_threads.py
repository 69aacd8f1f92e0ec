# SPDX-License-Identifier: Apache-2.0
"""On a busy machine paho's threads start late. The next connect must not start a second reading
thread, because both would deliver the same message; and a handle is not freed before the thread
that reports its end has read it."""

import os
import pathlib
import time
import unittest

from connection import ConnectionTest
from harness import until
from scripted_broker import say_disconnect
from scripted_test import ScriptedTest

DELAY_MS = 2500
NEWS_DELAY_MS = 4500  # longer than the gateway waits for it
# glibc fills what is freed with a pattern, so that who reads it does not find what was there.
FREED = {"MALLOC_PERTURB_": "85", "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"}


def late(delay_ms, **more):
    return {"LD_PRELOAD": os.environ["THREAD_SHIM"], "CUEBUS_THREAD_DELAY_MS": str(delay_ms),
            **FREED, **more}


class LateThreads(ConnectionTest):
    def paho_threads(self):
        found = 0
        for task in pathlib.Path(f"/proc/{self.gateway.process.pid}/task").iterdir():
            try:
                found += (task / "comm").read_text().strip() == "MQTTClient_run"
            except OSError:
                pass  # it has just ended
        return found

    def one_thread(self, **more):
        broker = self.new_broker("late", "allow_anonymous true")
        broker.stop()
        self.start(self.config(f"mqtt://127.0.0.1:{broker.port}", protocol=5), late(DELAY_MS, **more))
        until("paho's thread", self.paho_threads, process=self.gateway.process)
        time.sleep(DELAY_MS / 1000 + 1)  # then a second one would be there
        self.assertEqual(self.paho_threads(), 1)
        broker.start()
        self.log_has("connected to")
        self.assertEqual(self.paho_threads(), 1)
        self.gateway.stop()

    def test_a_broker_that_is_there(self):
        """No connect is said to have failed where only the thread was late."""
        broker = self.new_broker("early", "allow_anonymous true")
        self.start(self.config(f"mqtt://127.0.0.1:{broker.port}", protocol=5), late(DELAY_MS))
        self.log_has("connected to")
        self.assertNotIn("no connection", self.gateway.log())
        self.gateway.stop()

    def test_begun_late(self):
        self.one_thread()

    def test_has_a_name_and_does_not_run(self):
        """paho looks whether it runs, which comes after the name."""
        self.one_thread(CUEBUS_THREAD_DELAY_AT="name")


class LateNews(ScriptedTest):
    """MQTT 5: a DISCONNECT from the broker is reported by a thread that paho starts for it."""

    def test_disconnect(self):
        self.start(self.settings(), late(NEWS_DELAY_MS))
        self.online()
        session = self.broker.session
        self.broker.on_publish = lambda s, p: say_disconnect(0x89)
        self.emit("lone.event")
        self.wait("the end of the session", lambda: session.ended)
        # No next session in which the memory of this one is used again.
        self.broker.kill()
        time.sleep(NEWS_DELAY_MS / 1000 + 1)
        self.assertIsNone(self.gateway.process.poll(), self.gateway.log())
        self.broker.behave()
        self.broker.start()
        self.online(since=1)
        self.wait_event("lone.event")
        self.gateway.stop()


if __name__ == "__main__":
    unittest.main()
