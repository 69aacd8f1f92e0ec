# SPDX-License-Identifier: Apache-2.0
"""For every test with real processes: its environment variables, and ways to start, find and wait.

Nothing here sleeps until something should have happened: tests wait for a message, a process's end
or a port. Environment: CUEBUS (the binary), CUEBUS_PROTOCOL (5 or 3.1.1), CUEBUS_WRAPPER (a command
put before the gateway, e.g. valgrind), CUEBUS_SLOW (factor on all timeouts), CUEBUS_GATEWAY_ID (for
tests of a gateway that runs already).
"""

import os
import pathlib
import shutil
import signal
import socket
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from time_limits import SLOW, limit_s  # noqa: E402, F401

CUEBUS = os.environ["CUEBUS"]
PROTOCOL = os.environ.get("CUEBUS_PROTOCOL", "5")
IS_V5 = PROTOCOL == "5"
TIMEOUT_S = limit_s(30)
GATEWAY_ID = os.environ.get("CUEBUS_GATEWAY_ID", "it")
P = "cuebus/1/" + GATEWAY_ID


def find_program(name):
    """Debian keeps mosquitto in /usr/sbin, which is not in everybody's PATH."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
    found = shutil.which(name, path=path)
    if not found:
        raise FileNotFoundError(f"{name} is not installed; run scripts/setup")
    return found


def mortal(command):
    """The command, to die with this test: also when ctest kills it (TIMEOUT)."""
    return ["setpriv", "--pdeathsig", "KILL", *command]


def answers(host, port):
    try:
        with socket.create_connection((host, port), timeout=limit_s(1)):
            return True
    except OSError:
        return False


def until(what, condition, timeout_s=TIMEOUT_S, process=None):
    """Poll what has no message to wait for (a port, a file)."""
    deadline = time.monotonic() + timeout_s
    while True:
        result = condition()
        if result:
            return result
        if process is not None and process.poll() is not None:
            raise AssertionError(f"{what}: the process ended with {process.returncode}")
        if time.monotonic() > deadline:
            raise AssertionError(f"timeout: {what}")
        time.sleep(0.01)


def hang_up(signum, frame):
    raise KeyboardInterrupt


signal.signal(signal.SIGTERM, hang_up)
