# SPDX-License-Identifier: Apache-2.0
"""A mount namespace of the test's own: only the test and its children see what it mounts, and the
mounts end with them."""

import ctypes
import os
import subprocess
import unittest

CLONE_NEWNS = 0x00020000
_entered = False


def enter():
    """Enter one, for this thread and its children. Skips the test where that is not permitted."""
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
    """Mount a file system of this size."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "none", str(path)],
                   check=True)


def remount(path, options):
    subprocess.run(["mount", "-o", f"remount,{options}", str(path)], check=True)


def cover(path, source):
    """Mount the file `source` over `path`."""
    subprocess.run(["mount", "--bind", str(source), str(path)], check=True)
