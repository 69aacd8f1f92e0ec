# SPDX-License-Identifier: Apache-2.0
"""The contents of the package: files, owners, modes, fields, documents."""

import gzip
import pathlib
import re
import subprocess
import sys
import unittest

from package import BUILD, FULL_VERSION, ROOT, VERSION, deb, extracted, output

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from time_limits import limit_s  # noqa: E402

FILES = {
    "/etc/cuebus/cuebus.json",
    "/usr/bin/cuebus",
    "/usr/lib/systemd/system/cuebus.service",
    "/usr/lib/sysusers.d/cuebus.conf",
    "/usr/lib/udev/rules.d/60-cuebus.rules",
    "/usr/share/bash-completion/completions/cuebus",
    "/usr/share/doc/cuebus/changelog.Debian.gz",
    "/usr/share/doc/cuebus/changelog.gz",
    "/usr/share/doc/cuebus/copyright",
    "/usr/share/man/man1/cuebus.1.gz",
    "/usr/share/man/man5/cuebus.json.5.gz",
    "/usr/share/man/man7/cuebus-topics.7.gz",
} | {f"/usr/share/doc/cuebus/examples/{path.name}" for path in
     (pathlib.Path(__file__).resolve().parents[2] / "docs" / "examples").iterdir()
     if path.suffix in (".jsonc", ".trace")}


class Contents(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.root = extracted(cls)
        cls.fields = dict(re.findall(r"^([A-Z][\w-]*): (.*)$", output("dpkg-deb", "-f", deb()), re.M))

    def listing(self):
        """[(mode, owner, path)]"""
        found = []
        for line in output("dpkg-deb", "-c", deb()).splitlines():
            mode, owner, _, _, _, path = line.split(None, 5)
            found.append((mode, owner, path.removeprefix(".").rstrip("/")))
        return found

    def test_files(self):
        self.assertEqual({p for m, _, p in self.listing() if m[0] != "d"}, FILES)
        self.assertIn("/etc/cuebus/conf.d", [p for m, _, p in self.listing() if m[0] == "d"])

    def test_owners_and_modes(self):
        for mode, owner, path in self.listing():
            with self.subTest(path):
                self.assertEqual(owner, "root/root")
                executable = mode[0] == "d" or path == "/usr/bin/cuebus"
                self.assertEqual(mode[1:], "rwxr-xr-x" if executable else "rw-r--r--")

    def test_fields(self):
        self.assertEqual(self.fields["Package"], "cuebus")
        self.assertEqual(self.fields["Version"], FULL_VERSION)
        subprocess.run(["dpkg", "--compare-versions", f"{VERSION}-1+deb12", "lt", f"{VERSION}-1+deb13"],
                       check=True, timeout=limit_s(60))
        self.assertEqual(self.fields["Architecture"], output("dpkg", "--print-architecture").strip())
        needed = re.findall(r"\(NEEDED\).*\[(lib[a-z0-9-]+?)[-.]",
                            output("readelf", "-dW", self.root / "usr/bin/cuebus"))
        for name in ("libc6", "libcjson1", "libpaho-mqtt1.3", "libsqlite3-0", "libssl3", "libuv1"):
            # With the suffix t64 where the release changed the width of time_t.
            self.assertRegex(self.fields["Depends"], rf"\b{re.escape(name)}(t64)? \(>=", name)
        self.assertIn("libpaho", needed)
        self.assertRegex(self.fields["Depends"], r"systemd \| systemd-standalone-sysusers")

    def test_conffiles(self):
        self.assertEqual(output("dpkg-deb", "-I", deb(), "conffiles"), "/etc/cuebus/cuebus.json\n")

    def test_maintainer_scripts(self):
        for name in ("postinst", "prerm", "postrm"):
            with self.subTest(name):
                script = output("dpkg-deb", "-I", deb(), name)
                self.assertTrue(script.startswith("#!/bin/sh\n"))
                self.assertRegex(script, r"(?m)^set -e$")
                subprocess.run(["sh", "-n"], input=script.encode(), check=True, timeout=limit_s(60))

    def test_configuration(self):
        result = subprocess.run([self.root / "usr/bin/cuebus", "check",
                                 self.root / "etc/cuebus/cuebus.json"],
                                capture_output=True, text=True, timeout=limit_s(60))
        self.assertEqual((result.returncode, result.stdout), (0, ""))
        self.assertIn("0 errors, 0 warnings", result.stderr)

    def test_man_pages_are_those_of_the_sources(self):
        for page in sorted((ROOT / "docs/man").iterdir()):
            packed = self.root / f"usr/share/man/man{page.suffix[1:]}/{page.name}.gz"
            self.assertEqual(gzip.decompress(packed.read_bytes()), page.read_bytes())

    def test_changelogs(self):
        docs = self.root / "usr/share/doc/cuebus"
        debian = gzip.decompress((docs / "changelog.Debian.gz").read_bytes()).decode()
        self.assertTrue(debian.startswith(f"cuebus ({FULL_VERSION}) "))
        self.assertEqual(gzip.decompress((docs / "changelog.gz").read_bytes()),
                         (ROOT / "CHANGELOG.md").read_bytes())
        parsed = output("dpkg-parsechangelog", "-l", ROOT / "packaging/deb/changelog")
        self.assertIn(f"Version: {VERSION}-1", parsed)
        self.assertIn(f"Maintainer: {self.fields['Maintainer']}", parsed)

    def test_copyright(self):
        text = (self.root / "usr/share/doc/cuebus/copyright").read_text()
        self.assertIn("/usr/share/common-licenses/Apache-2.0", text)
        self.assertIn("Apache License", (ROOT / "LICENSE").read_text())

    def test_unit_and_configuration_agree(self):
        unit = (self.root / "usr/lib/systemd/system/cuebus.service").read_text()
        self.assertNotIn("@", re.sub(r"(?m)^#.*|=.*@[a-z-]+", "", unit), "nothing was left to fill in")
        self.assertIn("ExecStart=/usr/bin/cuebus run -c /etc/cuebus/cuebus.json\n", unit)
        self.assertIn('"state_dir": "/var/lib/cuebus"',
                      (self.root / "etc/cuebus/cuebus.json").read_text())
        self.assertIn("StateDirectory=cuebus\n", unit)
        self.assertTrue((BUILD / "packaging/cuebus.service").is_file())


if __name__ == "__main__":
    unittest.main()
