# SPDX-License-Identifier: Apache-2.0
"""A mosquitto of the test's own."""

import os
import pathlib
import subprocess

from environment import answers, find_program, limit_s, mortal, until
from ports import free_port

BROKER_LINES = ("allow_anonymous true", "max_queued_messages 0")


class Broker:
    """With `lines` its configuration is these, under a listener of its own."""

    host = "127.0.0.1"

    def __init__(self, directory, lines=BROKER_LINES,
                 environment=None):
        self.directory = pathlib.Path(directory)
        self.lines = lines
        self.environment = environment
        self.process = None
        self.port = None

    def start(self):
        """On a restart the same port; at first a free one (a process that is no test may take it
        in between: then the next is tried)."""
        fixed = self.port
        for _ in range(20):
            self.port = fixed or free_port()
            config = self.directory / "mosquitto.conf"
            config.write_text(
                f"user root\nlistener {self.port} 127.0.0.1\npersistence false\n"
                "set_tcp_nodelay true\nlog_type error\nlog_type warning\n"
                + "\n".join(self.lines) + "\n"
            )
            log = open(self.directory / "mosquitto.log", "ab")
            self.process = subprocess.Popen(
                mortal([find_program("mosquitto"), "-c", str(config)]),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=dict(os.environ, **(self.environment or {})),
            )
            log.close()
            try:
                until("broker's port", self._answers, process=self.process)
                return self
            except AssertionError:
                self.stop()
        raise AssertionError("mosquitto does not start: "
                             + (self.directory / "mosquitto.log").read_text())

    def _answers(self):
        return answers(self.host, self.port)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(limit_s(10))
            except subprocess.TimeoutExpired:
                self.kill()
