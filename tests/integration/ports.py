# SPDX-License-Identifier: Apache-2.0
"""Ports for brokers and proxies. Many tests run at the same time, and a broker must find its
port free again after it was killed."""

import fcntl
import os
import pathlib
import random
import socket
import tempfile

# Below the range from which the kernel takes ports for outgoing connections and for port 0.
FIRST, LAST = 10000, 32767
_own = set()
_reserved = None


def free_port():
    """An unused port that no other test gets while this process runs: it
    holds a lock on the byte of that number in a file that all tests of a user share."""
    global _reserved
    if _reserved is None:
        path = pathlib.Path(tempfile.gettempdir()) / f"cuebus-test-ports.{os.getuid()}"
        _reserved = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    for port in random.sample(range(FIRST, LAST + 1), 1000):
        if port in _own:
            continue
        try:
            fcntl.lockf(_reserved, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
        except OSError:
            continue
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                fcntl.lockf(_reserved, fcntl.LOCK_UN, 1, port)
                continue
        _own.add(port)
        return port
    raise AssertionError("no port is free")
