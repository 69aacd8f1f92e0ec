# SPDX-License-Identifier: Apache-2.0
"""A hostile client against a gateway with default limits and rights: 100,000 messages of a fixed
seed and as many of a random one. Meanwhile and afterwards the gateway answers a ping, an input's
edge reaches the bus, memory stays bounded, SIGTERM ends the gateway, the next start connects, and
the broker's password is in no message, no log line and no file but its own. Then some thousands
of messages from a client with all rights: it defines playlists and gestures that trigger each
other without end.

The seed is printed; CUEBUS_HOSTILE_SEED repeats it."""

import os
import pathlib
import subprocess
import time
import unittest

from connection import ConnectionTest
from counting import SANITIZED, scaled
from harness import TIMEOUT_S, Client, P, find_program, limit_s, until
from hostile_messages import Messages
from mqtt_wire import Publisher, Scanner

MESSAGES = scaled(100000, 100000)
# Each of them may start an endless storm.
ADMIN_MESSAGES = scaled(10000, 2000)
CHECK_EVERY = 5000
FIXED_SEED = 8
SECRET = "hostile-S3cr3t-5f1c9a"
USER = ("porch", SECRET)
GUEST = ("guest", "guest")
RSS_KIB = 128 * 1024
# What an administrator defines may fill every limit at once.
ADMIN_RSS_KIB = 256 * 1024
ADMIN_LIMITS = {"active_runs": 10000, "outbox_memory_bytes": 2**24, "queue_bytes": 2**24,
                "state_bytes": 2**22, "trigger_bytes": 2**22}
REPORTS = ("Sanitizer", "runtime error:", "impossible", "Assertion")


class Hostile(ConnectionTest):
    storms = False

    def setUp(self):
        super().setUp()
        passwords = self.directory / "passwords"
        for number, (user, password) in enumerate((USER, GUEST)):
            subprocess.run([find_program("mosquitto_passwd"), *(["-c"] if number == 0 else []), "-b",
                            str(passwords), user, password], check=True, stderr=subprocess.DEVNULL)
        # What the broker would filter is not tried: its own limits are off.
        self.broker = self.new_broker("broker", "allow_anonymous false", f"password_file {passwords}",
                                      "max_queued_messages 0", "max_inflight_messages 0")
        self.state_dir = self.folder("state")
        self.password = self.folder("credentials") / "mqtt"
        self.password.write_text(SECRET + "\n")
        self.password.chmod(0o600)

    def start_gateway(self, remote, limits, **mqtt):
        config = self.config(f"mqtt://127.0.0.1:{self.broker.port}", username="porch", remote=remote,
                             **mqtt)
        config["gateway"]["state_dir"] = str(self.state_dir)
        config["limits"] = limits
        config["inputs"] = {
            "pad": {"driver": "sim", "kind": "button", "producer_id": 7, "event": "pad.pressed"},
            "witness": {"driver": "sim", "kind": "switch", "producer_id": 8, "event": "witness.changed"}}
        config["playlists"] = {"blink": {"trigger": "pad.pressed", "steps": [
            {"emit": "lamp.set", "data": {"on": True}}]}}
        config["gestures"] = {"taps": {"type": "double_tap", "source": "pad.pressed",
                                       "window": "300ms", "emit": "pad.twice"}}
        self.environment = {"HOSTILE_PW": SECRET, "CREDENTIALS_DIRECTORY": str(self.password.parent)}
        self.start(config, self.environment)
        self.log_has("connected to mqtt://")

    def rss_kib(self):
        status = pathlib.Path(f"/proc/{self.gateway.process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])

    # ---- checks ----

    def is_alive(self, timeout_s):
        """A ping is answered within this time."""
        self.assertIsNone(self.gateway.process.poll(), self.gateway.log()[-4000:])
        self.assertTrue(self.control.request_raw("ping", timeout_s=timeout_s)["ok"])

    def comes_to_answer(self):
        """A ping is answered in the end: in a flood one may be over a limit, or dropped with it."""
        def answered():
            self.assertIsNone(self.gateway.process.poll(), self.gateway.log()[-4000:])
            try:
                return self.control.request_raw("ping", timeout_s=limit_s(1))["ok"]
            except AssertionError:
                return False
        until("a ping is answered", answered)

    def edge_reaches_the_bus(self, value):
        since = self.control.mark()
        reply = self.control.request_raw("input/set", {"input": "witness", "value": value})
        self.assertTrue(reply["ok"], reply)
        # In a storm that lasts the event waits for its turn among those of the storm.
        topic, key = (f"{P}/input/witness", "value") if self.storms else (f"{P}/bus/witness/changed", "data")
        self.control.message("the edge", lambda m: m.topic == topic
                             and m.json[key]["state"] == bool(value), since)

    def is_well(self):
        log = self.gateway.log()
        for word in REPORTS:
            self.assertNotIn(word, log)
        rss = self.rss_kib()
        self.most_kib = max(self.most_kib, rss)
        # A sanitizer's shadow and quarantine take several times what the program does.
        if not SANITIZED:
            self.assertLess(rss, self.rss_max_kib)

    def no_secret(self, count):
        self.assertFalse(self.scanner.closed, "the scanner lost its connection")
        self.assertEqual(self.scanner.found, [])
        self.assertGreater(self.scanner.messages, count // 10)
        files = [*self.directory.glob("cuebus-*.log"), *self.state_dir.rglob("*")]
        for path in files:
            if path.is_file():
                self.assertNotIn(SECRET.encode(), path.read_bytes(), path)

    def stops_in_time(self):
        self.gateway.process.terminate()
        begin = time.monotonic()
        # Waiting messages are sent for 5 s, and in a storm some always wait.
        self.gateway.process.wait(limit_s(7 if self.storms else 2))
        self.assertEqual(self.gateway.process.returncode, 0, self.gateway.log()[-4000:])
        return time.monotonic() - begin

    # ---- the attack ----

    def attack(self, seed, count):
        messages = Messages(seed, P)
        publisher = Publisher(self.broker.port, "hostile", GUEST, TIMEOUT_S)
        try:
            for number in range(count):
                publisher.publish(*next(messages))
                if (number + 1) % min(CHECK_EVERY, count // 5) == 0:
                    self.comes_to_answer()
                    self.is_well()
        finally:
            publisher.close()
        return publisher.evictions

    def survives(self, seed, remote, count=MESSAGES, limits=None, rss_max_kib=RSS_KIB, **mqtt):
        seed = int(os.environ.get("CUEBUS_HOSTILE_SEED", seed))
        print(f"\nseed {seed}", flush=True)
        self.most_kib, self.rss_max_kib = 0, rss_max_kib
        self.scanner = Scanner(self.broker.port, GUEST, SECRET.encode(), TIMEOUT_S)
        self.addCleanup(self.scanner.close)
        self.start_gateway(remote, limits or {}, **mqtt)
        self.control = Client(self.broker, "control", user=GUEST)
        self.control.subscribe(f"{P}/bus/witness/#").subscribe(f"{P}/input/witness")
        self.addCleanup(self.control.close)
        begin = time.monotonic()
        evictions = self.attack(seed, count)
        seconds = time.monotonic() - begin
        self.comes_to_answer()  # the broker has given it everything now
        self.is_alive(limit_s(1))
        self.edge_reaches_the_bus(1)
        self.edge_reaches_the_bus(0)
        self.is_well()
        stop_s = self.stops_in_time()
        self.gateway.start(self.environment)
        self.log_has("connected to mqtt://")
        self.comes_to_answer()
        self.edge_reaches_the_bus(1)
        self.is_well()
        self.stops_in_time()
        self.no_secret(count)
        print(f"{count} messages in {seconds:.0f} s, the publisher evicted {evictions} times, "
              f"{self.scanner.messages} seen; RSS at most {self.most_kib} KiB; ended in {stop_s:.2f} s")

    # The default rights, and input/set: without it nothing could push an input.
    def test_fixed_seed(self):
        self.survives(FIXED_SEED, {"cmd": ["use", "input/set"]}, password_env="HOSTILE_PW")

    def test_random_seed(self):
        self.survives(time.time_ns() % 2**32, {"cmd": ["use", "input/set"]},
                      password_file="${CREDENTIALS_DIRECTORY}/mqtt")

    def test_with_all_rights(self):
        self.storms = True
        self.survives(FIXED_SEED, {"cmd": "admin"}, ADMIN_MESSAGES, ADMIN_LIMITS, ADMIN_RSS_KIB,
                      password_env="HOSTILE_PW")


if __name__ == "__main__":
    unittest.main()
