# SPDX-License-Identifier: Apache-2.0
"""The image that `docker build` made, examined from outside. Environment: DOCKER_HOST, CUEBUS_IMAGE
(default cuebus:0.1.0)."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from time_limits import limit_s  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
IMAGE = os.environ.get("CUEBUS_IMAGE", "cuebus:0.1.0")
# As compose.yaml does it.
HARDENED = ("--rm", "--network", "none", "--read-only", "--cap-drop", "ALL",
            "--security-opt", "no-new-privileges:true")


def docker(*arguments, status=0):
    result = subprocess.run(["docker", *arguments], stdin=subprocess.DEVNULL, text=True,
                            capture_output=True, timeout=limit_s(300))
    if result.returncode != status:
        raise AssertionError(f"docker {arguments}: {result}")
    return result.stdout


def shell(script):
    """Run in the image, by its own user."""
    return docker("run", *HARDENED, "--entrypoint", "/bin/sh", IMAGE, "-c", script)


class Image(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.image = json.loads(docker("image", "inspect", IMAGE))[0]
        cls.config = cls.image["Config"]

    def test_what_it_is_started_as(self):
        self.assertEqual(self.config["Entrypoint"], ["cuebus"])
        self.assertEqual(self.config["Cmd"], ["run", "-c", "/etc/cuebus/cuebus.json"])
        self.assertEqual(self.config["User"], "10001:10001")
        self.assertEqual(self.config["Healthcheck"]["Test"][:3], ["CMD", "cuebus", "healthcheck"])
        self.assertEqual(shell("id -u; id -g").split(), ["10001", "10001"])

    def test_size(self):
        print(f"    {IMAGE}: {self.image['Size'] / 1e6:.0f} MB", file=sys.stderr)
        self.assertNotEqual(self.image["Size"], 0)

    def test_labels(self):
        labels = self.config["Labels"]
        for name in ("title", "description", "licenses", "version", "revision", "documentation"):
            self.assertTrue(labels[f"org.opencontainers.image.{name}"], name)
        version = docker("run", *HARDENED, IMAGE, "--version").split()[1]
        self.assertEqual(labels["org.opencontainers.image.version"], version.rstrip(","))

    def test_the_program_is_whole_and_stripped(self):
        self.assertNotIn("not found", shell("ldd /usr/bin/cuebus"))
        program = self.copied("/usr/bin/cuebus")
        sections = subprocess.run(["readelf", "-SW", program], check=True, text=True,
                                  capture_output=True).stdout
        self.assertNotIn(".symtab", sections)
        self.assertNotIn(".debug_info", sections)

    def copied(self, path):
        directory = self.enterContext(tempfile.TemporaryDirectory())
        container = docker("create", IMAGE).strip()
        try:
            docker("cp", f"{container}:{path}", f"{directory}/copy")
        finally:
            docker("rm", "-v", container)
        return f"{directory}/copy"

    def test_schemas_and_configuration_are_those_of_the_repository(self):
        copy = pathlib.Path(self.copied("/usr/share/cuebus/schemas"))
        files = {p.name: p.read_bytes() for p in copy.iterdir()}
        self.assertEqual(files, {p.name: p.read_bytes() for p in (ROOT / "schemas").iterdir()})
        self.assertEqual(pathlib.Path(self.copied("/etc/cuebus/cuebus.json")).read_bytes(),
                         (ROOT / "docker" / "demo.json").read_bytes())

    def test_no_compiler_is_left(self):
        self.assertEqual(shell("command -v gcc cc cmake ninja python3 git || true"), "")

    def test_nothing_is_writable_but_the_state(self):
        """Even were the root not mounted read-only."""
        # find fails where it may not look; nothing can be written there either.
        found = docker("run", "--rm", "--network", "none", "--entrypoint", "/bin/sh", IMAGE, "-c",
                       "find / -xdev -writable ! -type l ! -path '/proc/*' 2>/dev/null || true")
        self.assertLessEqual(set(found.split()), {
            "/run/cuebus", "/run/passwords", "/run/lock", "/tmp", "/var/tmp", "/var/lib/cuebus",
            "/dev/shm", "/dev/mqueue"}, found)

    def test_no_secret_is_in_a_layer(self):
        history = docker("history", "--no-trunc", "--format", "{{.CreatedBy}}", IMAGE)
        for word in ("PASSWORD=", "password=", "SECRET", "TOKEN", "KEY="):
            self.assertNotIn(word, history)
        self.assertEqual(shell("ls -A /run/cuebus /run/passwords"),
                         "/run/cuebus:\n\n/run/passwords:\n")

    def test_the_demo_configuration_has_no_error(self):
        docker("run", *HARDENED, IMAGE, "check", "/etc/cuebus/cuebus.json")

    def test_healthcheck_tells_when_nothing_is_there(self):
        docker("run", *HARDENED, IMAGE, "healthcheck", "-c", "/etc/cuebus/cuebus.json", status=69)


if __name__ == "__main__":
    unittest.main()
