# SPDX-License-Identifier: Apache-2.0
"""A wall clock for one gateway that a test can set (wall_clock_shim.c)."""

import calendar
import mmap
import os
import pathlib
import struct
import sys
import time
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

HOUR_S = 3600


class WallClock:
    """Ahead of the system's by `shift_s`; the kernel's boot id may be another too."""

    def __init__(self, directory):
        self.path = pathlib.Path(directory) / "wall-clock"
        self.path.write_bytes(bytes(8))
        self.boot = pathlib.Path(directory) / "kernel-boot-id"
        self.reboot()
        with open(self.path, "r+b") as file:
            self._map = mmap.mmap(file.fileno(), 8)
        self.shift_s = 0

    def environment(self):
        return {"LD_PRELOAD": os.environ["WALL_CLOCK"], "CUEBUS_WALL_CLOCK": str(self.path),
                "CUEBUS_KERNEL_BOOT": str(self.boot)}

    def set(self, shift_s):
        """Every reading after this call sees it."""
        self.shift_s = shift_s
        self._map[:] = struct.pack("=q", int(shift_s * 1_000_000_000))

    def step(self, by_s):
        self.set(self.shift_s + by_s)

    def reboot(self):
        """The next process sees a restarted machine."""
        self.boot.write_text(f"{uuid.uuid4()}\n")

    def shown(self, timestamp):
        """How far ahead of this machine's clock a timestamp of right now is, in seconds."""
        return wall_s(timestamp) - time.time()


def wall_s(timestamp):
    """Seconds since 1970 of a `timestamp` of the wire."""
    whole, _, fraction = timestamp.removesuffix("Z").partition(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + float("0." + fraction)


def offset_s(event):
    """What the gateway took as wall minus monotonic time when it dated the event."""
    return wall_s(event["timestamp"]) - event["monotonic_us"] / 1e6
