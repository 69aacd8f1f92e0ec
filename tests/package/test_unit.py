# SPDX-License-Identifier: Apache-2.0
"""The checks of the systemd unit that do not run it: the exposure that systemd-analyze reports.
test_install.py tests that systemd loads it."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

from package import ROOT, extracted, output, skip

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from time_limits import limit_s  # noqa: E402

# Of 10 (no protection at all) to 0; the unit's score is stated in
# docs/operations.md; a change for the worse must be written here and there.
EXPOSURE = 1.5

# What the rest of the score is made of: without these the service could not be
# what it is (a client of the network, with GPIO lines).
ACCEPTED = {
    "RootDirectory=/RootImage=", "SupplementaryGroups=", "PrivateDevices=", "PrivateNetwork=",
    "RestrictAddressFamilies=~AF_UNIX", "RestrictAddressFamilies=~AF_(INET|INET6)",
    "PrivateUsers=", "DeviceAllow=", "IPAddressDeny=",
}


class Unit(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not shutil.which("systemd-analyze"):
            skip("systemd-analyze is not installed (scripts/setup installs it)")
        cls.unit = extracted(cls) / "usr/lib/systemd/system/cuebus.service"

    def analyze(self, *options):
        return subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager",
                               *options, str(self.unit)], capture_output=True, text=True,
                              timeout=limit_s(60), env=dict(os.environ, LC_ALL="C.UTF-8"))

    def test_exposure(self):
        result = self.analyze(f"--threshold={EXPOSURE * 10:.0f}")
        self.assertEqual(result.returncode, 0, result.stdout[-200:] + result.stderr)
        told = re.search(r"Overall exposure level for cuebus.service: ([\d.]+)", result.stdout)[1]
        self.assertEqual(float(told), EXPOSURE, "better? then say so, here and in the document")
        self.assertIn(f"exposure level of {EXPOSURE}", (ROOT / "docs/operations.md").read_text())

    def test_threshold_can_fail(self):
        self.assertNotEqual(self.analyze("--threshold=10").returncode, 0)

    def test_what_it_is_made_of(self):
        missing = set(re.findall(r"^✗ (\S+)", self.analyze().stdout, re.M))
        self.assertEqual(missing, ACCEPTED)

    def test_settings(self):
        """Settings that the score does not include."""
        settings = {}
        for line in self.unit.read_text().splitlines():
            if re.match(r"[A-Z]\w*=", line):
                key, value = line.split("=", 1)
                settings.setdefault(key, []).append(value)
        for key, value in {"Type": "notify", "NotifyAccess": "main", "User": "cuebus",
                           "SupplementaryGroups": "gpio", "DevicePolicy": "closed",
                           "DeviceAllow": "char-gpiochip rw", "ProtectSystem": "strict",
                           "StateDirectory": "cuebus", "CapabilityBoundingSet": "",
                           "MemoryDenyWriteExecute": "yes", "NoNewPrivileges": "yes",
                           "Restart": "on-failure"}.items():
            self.assertEqual(settings.get(key), [value], key)
        self.assertIn("78", settings["RestartPreventExitStatus"][0].split())
        self.assertRegex(settings["WatchdogSec"][0], r"^\d+s$")
        self.assertEqual(settings["ExecReload"][-1], "/bin/sh -c 'kill -HUP $MAINPID'")
        allowed, denied = settings["SystemCallFilter"]
        self.assertEqual(allowed, "@system-service")
        self.assertTrue(denied.startswith("~@privileged"))
        # Sets that don't exist would only be warned of, at the start.
        for name in re.findall(r"@[\w-]+", allowed + denied):
            self.assertIn(name, output("systemd-analyze", "syscall-filter", name))


if __name__ == "__main__":
    unittest.main()
