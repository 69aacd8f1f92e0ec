# SPDX-License-Identifier: Apache-2.0
"""A mount namespace of the test's own: what it mounts, only it and what it
starts can see; it ends with them."""

import ctypes
import os
import subprocess
import unittest

CLONE_NEWNS = 0x00020000
_entered = False


def enter():
    """From here on, for this thread and what it starts. Skips the test where that can't be."""
    global _entered
    if _entered:
        return
    if os.geteuid() != 0:
        raise unittest.SkipTest("a mount namespace takes root")
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS) != 0:
        raise unittest.SkipTest(f"no mount namespace here: {os.strerror(ctypes.get_errno())}")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    _entered = True


def mount_small(path, size):
    """A file system of so many bytes."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "none", str(path)],
                   check=True)


def remount(path, options):
    subprocess.run(["mount", "-o", f"remount,{options}", str(path)], check=True)


def cover(path, source):
    """The file `source` in the place of `path`."""
    subprocess.run(["mount", "--bind", str(source), str(path)], check=True)
