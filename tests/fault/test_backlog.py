# SPDX-License-Identifier: Apache-2.0
"""100,000 events wait while the broker is away: only a window of them is in memory, and when the
broker returns all arrive in order; also if the gateway ends by SIGTERM meanwhile, and if it is
killed while it sends them."""

import pathlib
import re
import socket
import threading
import time
import unittest

from connection import ConnectionTest
from counting import SANITIZED, Subscriber, scaled
from harness import BROKER_LINES, P, Client, until

EVENTS = scaled(100000, 20000)
TEXT_BYTES = 500
# Two events for each occurrence, and some that are sent before the broker dies.
TICKS = EVENTS // 2 + 5000
BACKLOG = EVENTS * 3 // 4  # the rest may be at the broker before it is killed
# 5,000 events/s, which a disk follows even where others use it too: what it does not
# follow waits in memory to be written, and is no part of the backlog on disk.
CALM = "2ms" if SANITIZED else "400us"
FAST = "1ms" if SANITIZED else "100us"
# outbox.h's memory_window, a chunk that is read at a time, and what is in flight.
MEMORY_EVENTS = 1024 + 256 + 20
NOWHERE = 1  # a port that nothing listens on


class Status:
    """The gateway's messages to a service manager: the only view into it while there
    is no broker."""

    def __init__(self, path):
        self.path = str(path)
        self.waiting = 0
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.path)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        while data := self._socket.recv(4096):  # nothing: close() below
            found = re.search(rb"(\d+) messages waiting", data)
            if found:
                self.waiting = int(found[1])

    def close(self):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()


class Backlog(ConnectionTest):
    def setUp(self):
        super().setUp()
        self.broker = self.new_broker("broker", *BROKER_LINES)
        self.proxy = self.new_proxy(self.broker.port, receive_buffer=None)
        self.subscriber = Subscriber(self.broker.port)
        self.addCleanup(self.subscriber.close)
        self.tally = self.subscriber.tally
        self.status = Status(self.directory / "notify")
        self.addCleanup(self.status.close)

    def start_load(self, interval):
        config = self.config(f"mqtt://127.0.0.1:{self.proxy.port}", keepalive="60s")
        config["gateway"]["state_dir"] = str(self.directory / "state")
        config["playlists"] = {"load": {"trigger": "load.start", "steps": [
            {"emit": "load.tick", "data": {"text": "x" * TEXT_BYTES}, "repeat": TICKS,
             "interval": interval}]}}
        self.start(config, {"NOTIFY_SOCKET": self.status.path})
        self.subscriber.wait_session(1, self.gateway.process)

    def start_again(self):
        self.status.waiting = 0
        self.gateway.start({"NOTIFY_SOCKET": self.status.path})

    def rss_kib(self, name="VmRSS"):
        text = pathlib.Path(f"/proc/{self.gateway.process.pid}/status").read_text()
        return int(re.search(rf"{name}:\s+(\d+) kB", text)[1])

    def wait_for_backlog(self):
        """Wait as long as it grows."""
        reached = 0
        while reached < BACKLOG:
            until(f"more than {reached} messages to wait", lambda: self.status.waiting > reached,
                  process=self.gateway.process)
            reached = self.status.waiting

    def make_backlog(self):
        """With what was sent before the broker was killed."""
        client = Client(self.broker)
        client.publish(f"{P}/emit/load/start")
        client.close()
        self.subscriber.wait_events(100, self.gateway.process)
        self.proxy.target_port = NOWHERE
        self.broker.kill()
        self.wait_for_backlog()

    def bring_back_broker(self):
        sessions = self.tally.sessions
        self.broker.start()
        self.subscriber.reconnect(self.broker.port)
        self.proxy.target_port = self.broker.port
        self.subscriber.wait_session(sessions + 1, self.gateway.process)

    def assert_growth(self, kib, waiting):
        """Far less than what waits. Only where all of it is on disk already: what the disk
        has yet to follow is in memory. (A sanitizer's allocator keeps what was freed.)"""
        if not SANITIZED:
            self.assertLess(kib * 1024, waiting * TEXT_BYTES / 2)

    def check_all_came(self):
        run = self.subscriber.wait_stopped(self.gateway.process)
        self.tally.check(self)
        self.assertEqual(self.tally.announced, [])
        self.assertGreater(self.tally.unique(), BACKLOG)
        return self.tally.check_run(self, run)

    def test_memory_is_a_window_and_all_comes_in_order(self):
        self.start_load(CALM)
        before = self.rss_kib()
        self.make_backlog()
        waiting, with_backlog, peak = self.status.waiting, self.rss_kib(), self.rss_kib("VmHWM")
        self.tally.keep_health = True
        self.bring_back_broker()
        begin, begin_events = time.monotonic(), self.tally.events
        self.assertEqual(self.check_all_came(), TICKS)
        seconds, drained = time.monotonic() - begin, self.tally.events - begin_events
        print(f"\n{waiting} events waiting ({TEXT_BYTES} bytes of data each): RSS {before} KiB "
              f"before, {with_backlog} with them, {peak} at most, {self.rss_kib()} after; "
              f"{(peak - before) * 1024 / waiting:.0f} bytes for each; drained {drained} in {seconds:.1f} s "
              f"({drained / seconds:.0f}/s), 0 lost, {sum(self.tally.duplicates)} duplicates")
        full = [h["outbox"] for h in self.tally.health if h["outbox"]["events"] > MEMORY_EVENTS]
        self.assertGreater(len(full), 0)
        for outbox in full:
            # What the disk has not followed yet waits in memory, and is no part of the backlog.
            self.assertLessEqual(outbox["memory_events"] - outbox["unwritten_events"],
                                 MEMORY_EVENTS, outbox)
        self.gateway.stop()

    def test_across_sigterm_and_kills_in_the_middle(self):
        self.start_load(FAST)
        before = self.rss_kib()
        self.make_backlog()
        self.gateway.stop()
        self.start_again()
        self.wait_for_backlog()
        restored = self.rss_kib()
        self.assert_growth(restored - before, self.status.waiting)
        self.bring_back_broker()
        for _ in range(3):
            self.subscriber.wait_events(EVENTS // 5, self.gateway.process)
            self.gateway.kill()
            sessions = self.tally.sessions
            self.start_again()
            self.subscriber.wait_session(sessions + 1, self.gateway.process)
        occurrences = self.check_all_came()
        print(f"\n{self.tally.unique()} events of {occurrences} occurrences across SIGTERM and "
              f"3 kills while they were sent: 0 lost, {sum(self.tally.duplicates)} duplicates "
              f"(at most {max(self.tally.duplicates)} after a kill); RSS {before} KiB before, "
              f"{restored} after the start with all of them on disk")
        self.gateway.stop()


if __name__ == "__main__":
    unittest.main()
