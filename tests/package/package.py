# SPDX-License-Identifier: Apache-2.0
"""Shared by the tests of the package: its path and its contents."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from time_limits import limit_s  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ["CUEBUS_PACKAGE_BUILD"])
VERSION = re.search(r"project\(cuebus VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text())[1]
OS = dict(re.findall(r'^(\w+)="?(.*?)"?$', pathlib.Path("/etc/os-release").read_text(), re.M))
# The package's: that of a newer release is higher.
FULL_VERSION = f"{VERSION}-1+{OS['ID'].replace('debian', 'deb')}{OS['VERSION_ID']}"


def output(*command, **options):
    return subprocess.run(command, capture_output=True, timeout=limit_s(300), check=True,
                          **options).stdout.decode()


def deb():
    found = sorted(BUILD.glob("cuebus_*.deb"))
    assert len(found) == 1, f"one package was expected: {found}"
    return found[0]


def extracted(test):
    """The package's files, below a temporary folder, for the test or class."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="cuebus-package-"))
    cleanup = getattr(test, "addClassCleanup", None) or test.addCleanup
    cleanup(shutil.rmtree, directory)
    subprocess.run(["dpkg-deb", "-x", deb(), directory], check=True, timeout=limit_s(60))
    return directory


def skip(reason):
    """For ctest (SKIP_RETURN_CODE); scripts/test makes it a failure in CI."""
    print(f"SKIPPED: {reason}")
    sys.stdout.flush()
    os._exit(77)
