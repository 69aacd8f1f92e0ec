# SPDX-License-Identifier: Apache-2.0
"""`cmake --install` puts what docs/install.md says where it says, and the unit finds it there."""

import os
import pathlib
import re
import subprocess
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ["CUEBUS_SOURCE"])
PREFIX = os.environ["PREFIX"]


class Install(unittest.TestCase):
    def install(self, folder):
        subprocess.run([os.environ["CMAKE"], "--install", os.environ["BUILD"]], check=True,
                       capture_output=True, env=dict(os.environ, DESTDIR=folder))

    def test_a_configuration_that_is_there_stays(self):
        with tempfile.TemporaryDirectory() as folder:
            self.install(folder)
            config, = pathlib.Path(folder).rglob("etc/cuebus/cuebus.json")
            config.write_text("edited")
            self.install(folder)
            self.assertEqual(config.read_text(), "edited")

    def test_install(self):
        with tempfile.TemporaryDirectory() as folder:
            self.install(folder)
            there = {str(p)[len(folder):] for p in pathlib.Path(folder).rglob("*")}
            unit = pathlib.Path(folder + PREFIX, "lib/systemd/system/cuebus.service").read_text("utf-8")
        for path in ("bin/cuebus", "lib/udev/rules.d/60-cuebus.rules", "share/man/man1/cuebus.1.gz"):
            self.assertIn(f"{PREFIX}/{path}", there)
        said = re.findall(r"/usr/local/[\w./-]+\w", (SOURCE / "docs" / "install.md").read_text("utf-8"))
        self.assertEqual(len(set(said)), 2)
        for path in said:
            self.assertIn(path.replace("/usr/local", PREFIX, 1), there)
        for path in re.findall(r"^ExecReload=.* (/\S+) check (\S+)$", unit, re.M)[0]:
            self.assertIn(path, there)


if __name__ == "__main__":
    unittest.main()
