# SPDX-License-Identifier: Apache-2.0
"""Shared by the tests of connecting: one gateway, brokers of every kind, and what must hold after
each failure."""

import math
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from faulty_network import Proxy  # noqa: E402
from harness import CUEBUS, GATEWAY_ID, IS_V5, Broker, Gateway, limit_s, until  # noqa: E402

FAILED = re.compile(r"no connection to the broker")
# The shortest first delays: half of 100 ms, doubling each time up to 30 s (backoff.h).
FIRST_DELAY_S, LONGEST_DELAY_S = 0.05, 15
# One of paho's, one for TCP and TLS, and one each for both versions of MQTT and for TLS.
CONNECTIONS_PER_ATTEMPT = 5


def most_attempts(elapsed_s):
    """Number of attempts to connect that fit into this time."""
    doubling_s = LONGEST_DELAY_S - FIRST_DELAY_S
    if elapsed_s < doubling_s:
        return 2 + math.log2(1 + elapsed_s / FIRST_DELAY_S)
    return 12 + elapsed_s / LONGEST_DELAY_S


class ConnectionTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="cuebus-fault-"))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.gateway = None

    def folder(self, name):
        path = self.directory / name
        path.mkdir()
        return path

    def new_broker(self, name, *lines, environment=None):
        broker = Broker(self.folder(name), lines, environment)
        self.addCleanup(broker.stop)
        return broker.start()

    def new_proxy(self, port, **options):
        proxy = Proxy(port, **options)
        self.addCleanup(proxy.close)
        return proxy

    def config(self, url, **mqtt):
        return {
            "version": 1,
            "gateway": {"id": GATEWAY_ID, "health_interval": "500ms"},
            "mqtt": {"url": url, "protocol": 5 if IS_V5 else "3.1.1", "keepalive": "5s", **mqtt},
        }

    def start(self, config, environment=None):
        self.gateway = Gateway(self.directory, config)
        self.addCleanup(self.gateway.kill)
        self.started = time.monotonic()
        return self.gateway.start(environment)

    def until(self, what, condition):
        """As until(), with the gateway's log if it fails."""
        try:
            return until(what, condition, process=self.gateway.process)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.gateway.log()}") from None

    def log_has(self, text):
        self.until(f"'{text}' in the log", lambda: text in self.gateway.log())

    def becomes_healthy(self, environment=None):
        """Connected is said before it has subscribed to what the healthcheck asks. An address that
        swallows what is sent to it costs 5 s."""
        def healthy():
            return subprocess.run([CUEBUS, "healthcheck", "-c", str(self.gateway.path), "-t", "20s"],
                                  check=False, capture_output=True, timeout=limit_s(60),
                                  env=os.environ | (environment or {})).returncode == 0
        self.until("a healthcheck that is content", healthy)

    def cpu_s(self):
        fields = pathlib.Path(f"/proc/{self.gateway.process.pid}/stat").read_text()
        fields = fields.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def fails_once_and_quietly(self, config, says, proxy, environment=None, attempts=4):
        """Started with `config` it does not connect, says why in one line however often it
        tries, tries no more often than its backoff allows, and ends on SIGTERM.
        attempts: 0 where it finds the fault without a connection."""
        self.start(config, environment)
        self.log_has("no connection to the broker")
        until("some attempts", lambda: proxy.connections >= attempts,
              process=self.gateway.process)
        elapsed_s = time.monotonic() - self.started
        self.assertLessEqual(proxy.connections, CONNECTIONS_PER_ATTEMPT * most_attempts(elapsed_s))
        log = self.gateway.log()
        lines = [line for line in log.splitlines() if FAILED.search(line)]
        self.assertEqual(len(lines), 1, log)
        for part in (says,) if isinstance(says, str) else says:
            self.assertIn(part, lines[0])
        self.assertNotIn("connected to", log)
        self.gateway.stop()
        return lines[0]
