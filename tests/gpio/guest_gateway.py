# SPDX-License-Identifier: Apache-2.0
"""A gateway in the guest of scripts/gpio-vm, and the agent there that starts it and moves
the lines; for the test files beside this one.

Environment: CUEBUS (the binary, run in the guest), GPIO_VM (scripts/gpio-vm).
"""

import os
import pathlib
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "integration"), str(HERE.parent / "fault")]
from harness import CUEBUS, SLOW, limit_s  # noqa: E402

GPIO_VM = os.environ["GPIO_VM"]
VM_SECONDS = 250
HOST = "10.0.2.2"  # the host's loopback, seen from the guest


class AgentUser:
    """Of a test class: `agent` is a client that is subscribed to agent/done."""

    request_id = 0

    @classmethod
    def do(cls, *operations):
        """Have the agent do it; the results, one for each operation."""
        cls.request_id += 1
        request_id = cls.request_id
        cls.agent.publish("agent/do", {"id": request_id, "do": operations})
        answer = cls.agent.message(f"answer to {operations}",
                                   lambda m: m.json["id"] == request_id).json
        if "error" in answer:
            raise AssertionError(f"{operations}: {answer['error']}")
        return answer["results"]


class GuestGateway:
    """The gateway as the harness knows it; `process` is the whole VM."""

    def __init__(self, test, config, agent_port, guest_options=(), run_by=()):
        """test: an AgentUser with a directory; config: the text of the gateway's configuration;
        agent_port: of the broker that the agent speaks to; guest_options: of `guest`; run_by: a
        command that runs the gateway."""
        self.test = test
        self.config = config
        self.agent_port = agent_port
        self.guest_options = guest_options
        self.run_by = run_by
        self.process = None

    @property
    def out(self):
        """What both sides see."""
        return self.test.directory / "out"

    def start(self):
        (self.out / "cuebus.json").write_text(self.config)
        with open(self.test.directory / "console.log", "wb") as console:
            self.process = subprocess.Popen(
                [GPIO_VM, "run", "--out", str(self.out), "--timeout", str(VM_SECONDS),
                 str(HERE / "guest"), *self.guest_options, "/usr/bin/python3", str(HERE / "agent.py"),
                 str(self.agent_port), CUEBUS, str(limit_s(30))],
                stdin=subprocess.DEVNULL, stdout=console, stderr=console)
        self.test.agent.message("the agent in the guest",
                                lambda m: m.json["id"] == 0, timeout_s=60 * SLOW)
        self.test.do(["start", *self.run_by])

    def stop(self):
        code, _ = self.test.do(["stop"], ["quit"])
        if code != 0:
            raise AssertionError(f"the gateway ended with {code}:\n{self.log()}")
        if self.process.wait(limit_s(30)) != 0:
            raise AssertionError(f"the VM ended with {self.process.returncode}:\n{self.log()}")
        self.process = None

    def kill(self):
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(limit_s(10))
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None

    def log(self):
        log = self.out / "cuebus.log"
        return ((self.test.directory / "console.log").read_text("utf-8", "replace")
                + (log.read_text("utf-8", "replace") if log.exists() else ""))


def main():
    """The tests of the file that is run; 77, skipped, where the VM can't be had."""
    setup = subprocess.run([GPIO_VM, "setup"], stdin=subprocess.DEVNULL, check=False)
    if setup.returncode != 0:
        sys.exit(setup.returncode)
    unittest.main(verbosity=2)
