# SPDX-License-Identifier: Apache-2.0
"""A name server that does not answer, for any time: the loop stays on time, one message names the
cause, nothing spins, and the gateway ends on SIGTERM."""

import re
import socket
import subprocess
import time
import unittest

import namespace
from connection import FAILED, ConnectionTest, most_attempts
from harness import CUEBUS, P, SLOW, TIMEOUT_S, Client, check_sequence, until
from name_server import NameServer

TICKS, INTERVAL_MS = 1000, 4
TRY_S = 6  # time that the library waits for each answer
# 2 addresses for each name, each asked for up to 2 times.
QUERIES_PER_LOOKUP = 4
LOOKUPS_PER_ATTEMPT = 1
WAITING = re.compile(rb"STATUS=.* (\d+) messages waiting")


class Resolver(ConnectionTest):
    def setUp(self):
        namespace.enter()
        super().setUp()
        self.broker = self.new_broker("broker", "allow_anonymous true", "max_queued_messages 0")
        self.watcher = Client(self.broker)
        self.addCleanup(self.watcher.close)
        self.watcher.subscribe(P + "/bus/#").subscribe(P + "/status")
        self.server = NameServer()
        self.addCleanup(self.server.close)
        self.cover("resolv.conf", self.resolv_conf(TRY_S))
        self.cover("nsswitch.conf", "hosts: dns\n")
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.manager.close)
        self.manager.bind(str(self.directory / "notify"))
        self.manager.settimeout(TIMEOUT_S)

    def resolv_conf(self, try_s):
        return f"nameserver {self.server.address}\noptions timeout:{try_s} attempts:2\n"

    def shorten(self):
        """For tests in which only the number of attempts counts: a shorter timeout."""
        (self.directory / "resolv.conf").write_text(self.resolv_conf(1))

    def cover(self, name, text):
        path = self.directory / name
        path.write_text(text)
        namespace.cover(f"/etc/{name}", path)
        self.addCleanup(subprocess.run, ["umount", f"/etc/{name}"], check=True)

    def begin(self, state_dir=None):
        """Its first event, the door's state, starts a run."""
        config = self.config(f"mqtt://broker.test:{self.broker.port}")
        config["inputs"] = {"door": {"driver": "sim", "kind": "switch", "event": "door.changed"}}
        config["playlists"] = {"ticks": {"trigger": "door.changed", "steps": [
            {"emit": "a.tick", "repeat": TICKS, "interval": f"{INTERVAL_MS}ms"}]}}
        if state_dir:
            config["gateway"]["state_dir"] = str(state_dir)
        self.start(config, {"NOTIFY_SOCKET": str(self.directory / "notify")})

    def wait_for_run(self):
        """All events of the run wait to be sent. The loop reports this to its service manager:
        there is no broker."""
        deadline = time.monotonic() + 4 * TIMEOUT_S
        while time.monotonic() < deadline:
            news = self.manager.recv(4096)
            found = WAITING.search(news)
            # Each tick twice (`emitted`), the door, created and stopped.
            if found and int(found.group(1)) >= 2 * TICKS + 3:
                return
        raise AssertionError("the run does not end")

    def check_run(self, before_us):
        """The run kept its times while no server answered."""
        events = self.watcher.events()
        self.assertEqual(check_sequence(events), [])
        self.assertEqual(events[0]["seq"], 1)
        emitted = [e for e in events if e["event_type"] == "event.playlist.emitted"]
        ticks = [e for e in events if e["event_type"] == "a.tick"]
        self.assertEqual(len(ticks), TICKS)
        self.assertEqual([e["data"]["offset"] for e in emitted],
                         [round(k * INTERVAL_MS / 1000, 3) for k in range(TICKS)])
        for event in ticks:
            self.assertLess(event["monotonic_us"], before_us, "emitted after the answer")
        # On its time line, whatever happens elsewhere: deadlines are absolute.
        start = ticks[0]["monotonic_us"]
        for k, event in enumerate(ticks):
            self.assertEqual(event["monotonic_us"] - start, k * INTERVAL_MS * 1000)
        late = sorted(e["data"]["late_us"] for e in emitted)
        print(f"late_us: p50 {late[TICKS // 2]}, p99 {late[TICKS * 99 // 100]}, "
              f"max {late[-1]}", flush=True)
        # A loop that waits for a lookup is late by both its tries.
        self.assertLess(late[-1], TRY_S * 1000000 * SLOW)

    def one_message(self):
        lines = [line for line in self.gateway.log().splitlines() if FAILED.search(line)]
        self.assertEqual(len(lines), 1, self.gateway.log())
        return lines[0]

    def stopped(self):
        self.watcher.event("event.playlist.stopped")

    def monotonic_us(self):
        return time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000

    # ---- the tests ----

    def test_the_loop_goes_on(self):
        self.begin()
        self.wait_for_run()
        self.log_has("no connection to the broker")
        self.assertIn("'broker.test' can't be resolved", self.one_message())
        self.assertIn("name server (DNS): it does not answer", self.one_message())
        before_us = self.monotonic_us()
        self.server.answers = True
        self.stopped()
        self.check_run(before_us)
        self.gateway.stop()

    def test_a_connect_takes_one_lookup(self):
        """The name server answers once and never again: paho gets the address."""
        self.server.answers = True
        self.server.to_answer = 2  # IPv4 and IPv6
        self.begin()
        self.stopped()
        self.assertEqual(self.server.to_answer, 0)
        self.assertNotIn("no connection", self.gateway.log())
        self.gateway.stop()

    def test_nothing_spins(self):
        self.shorten()
        self.begin()
        self.wait_for_run()
        self.log_has("no connection to the broker")
        first, begin_s, begin_cpu_s = self.server.queries, time.monotonic(), self.cpu_s()
        until("further attempts", lambda: self.server.queries > first + 2 * QUERIES_PER_LOOKUP,
              4 * TIMEOUT_S, self.gateway.process)
        elapsed_s, cpu_s = time.monotonic() - begin_s, self.cpu_s() - begin_cpu_s
        print(f"{cpu_s:.2f} s of CPU in {elapsed_s:.1f} s", flush=True)
        # A loop that spins uses a whole CPU: this is a tenth of one.
        self.assertLess(cpu_s, 1 + elapsed_s / 10)
        since_start_s = time.monotonic() - self.started
        self.assertLessEqual(self.server.queries, QUERIES_PER_LOOKUP * LOOKUPS_PER_ATTEMPT
                             * most_attempts(since_start_s))
        self.one_message()
        self.gateway.stop()

    def test_sigterm_while_it_hangs(self):
        """It leaves the thread that hangs behind; what waits is on disk and is sent later."""
        state = self.folder("state")
        self.begin(state)
        self.wait_for_run()
        until("a lookup", lambda: self.server.queries > 0)
        self.gateway.stop()  # exit code 0, in time
        self.assertIn("kept on disk", self.gateway.log())
        before_us = self.monotonic_us()
        self.server.answers = True
        self.gateway.start()
        self.stopped()
        self.watcher.event("a.tick")
        boot = self.watcher.events()[0]["boot_id"]
        until("all of it", lambda: sum(e["boot_id"] == boot for e in self.watcher.events("a.tick"))
              >= TICKS)
        ticks = [e for e in self.watcher.events("a.tick") if e["boot_id"] == boot]
        self.assertEqual(len(ticks), TICKS)
        self.assertLess(ticks[-1]["monotonic_us"], before_us)
        self.gateway.stop()
        self.assertEqual(check_sequence(self.watcher.events()), [])

    def test_healthcheck_ends(self):
        self.shorten()
        self.begin()
        result = subprocess.run([CUEBUS, "healthcheck", "-c", str(self.gateway.path), "-t", "2s"],
                                capture_output=True, text=True, timeout=2 * TIMEOUT_S)
        self.assertEqual(result.returncode, 69, result)
        self.assertIn("it does not answer", result.stdout)
        self.gateway.stop()


if __name__ == "__main__":
    unittest.main()
