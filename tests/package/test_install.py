# SPDX-License-Identifier: Apache-2.0
"""The package on a clean Debian: installed, run by its user against a broker,
upgraded, removed, purged, and installed again where the group gpio is older.

The tests are one story, in the order of their names.
"""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

from package import FULL_VERSION, ROOT, VERSION, deb, skip

sys.path.insert(0, str(ROOT / "tests" / "integration"))
from harness import TIMEOUT_S, Broker, Client, until, limit_s  # noqa: E402

CLEAN_ROOT = str(ROOT / "scripts" / "clean-root")
CONFIG = "/etc/cuebus/cuebus.json"
STATE = "/var/lib/cuebus"


def make_root(directory):
    result = subprocess.run([CLEAN_ROOT, "make", str(directory)], capture_output=True, text=True,
                            timeout=limit_s(1000))
    if result.returncode == 77:
        skip(result.stdout.strip().splitlines()[-1].removeprefix("SKIPPED: "))
    assert result.returncode == 0, result.stdout + result.stderr


class Install(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.directory = pathlib.Path(tempfile.mkdtemp(prefix="cuebus-install-"))
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)
        cls.root = cls.directory / "root"
        make_root(cls.root)
        shutil.copy(deb(), cls.root / "cuebus.deb")
        update = cls.run_in("apt-get", "update", "-qq", check=False)
        if update.returncode != 0:
            skip("apt-get update in the clean Debian: " + (update.stderr.strip().splitlines() or ["?"])[-1])
        # Its dependencies first, so that every later change is the package's own.
        depends = cls.out("dpkg-deb", "-f", "/cuebus.deb", "Depends").strip()
        cls.run_in("apt-get", "satisfy", "-y", "-qq", depends)
        cls.before = cls.snapshot()
        cls.broker = Broker(cls.directory)
        cls.addClassCleanup(cls.broker.stop)
        cls.broker.start()

    @classmethod
    def run_in(cls, *command, check=True, timeout=limit_s(600)):
        result = subprocess.run([CLEAN_ROOT, "run", str(cls.root), *command], capture_output=True,
                                text=True, timeout=timeout, stdin=subprocess.DEVNULL)
        if check and result.returncode != 0:
            raise AssertionError(f"{command}: {result.returncode}\n{result.stdout}{result.stderr}")
        return result

    @classmethod
    def out(cls, *command):
        return cls.run_in(*command).stdout

    @classmethod
    def snapshot(cls):
        """Every file, but for what dpkg, apt and the user database keep for themselves."""
        own = re.compile(r"/(proc|run|tmp|sys|dev)(/|$)|/var/(lib/(dpkg|apt)|cache|log)(/|$)"
                         r"|/etc/(passwd|group|shadow|gshadow)-?$|/etc/\.pwd\.lock$|/cuebus\.deb$")
        found = set()
        for folder, folders, files in os.walk(cls.root):
            for name in folders + files:
                path = "/" + os.path.relpath(os.path.join(folder, name), cls.root)
                if not own.match(path):
                    found.add(path)
        return found

    def install(self, check=True):
        return self.run_in("apt-get", "install", "-y", "-qq", "--reinstall", "--allow-downgrades",
                           "/cuebus.deb", check=check)

    def path(self, name):
        return self.root / name.lstrip("/")

    def group(self, name):
        """[name, password, gid, members] or None."""
        for line in self.path("/etc/group").read_text().splitlines():
            if line.startswith(name + ":"):
                return line.split(":")
        return None

    def test_01_installs(self):
        self.assertIsNone(self.group("gpio"), "it would not be clean")
        result = self.install()
        self.assertNotRegex(result.stdout + result.stderr, r"(?i)\b(error|warning|failed)\b(?!: .*sandbox)")
        status = self.out("dpkg-query", "-W", "-f", "${Status} ${Version}", "cuebus")
        self.assertEqual(status, f"install ok installed {FULL_VERSION}")
        self.assertEqual(self.out("dpkg", "--verify", "cuebus"), "", "every file as it was packed")
        self.assertEqual(self.out("cuebus", "--version").splitlines()[0].split()[:2],
                         ["cuebus", VERSION])

    def test_02_user_and_group(self):
        name, _, uid, gid, gecos, home, shell = self.out("getent", "passwd", "cuebus").strip().split(":")
        self.assertTrue(0 < int(uid) < 1000, "a system user")
        self.assertEqual((home, gecos), (STATE, "cuebus event gateway"))
        self.assertRegex(shell, r"/nologin$")
        self.assertEqual(self.group("cuebus")[2], gid)
        self.assertEqual(self.group("gpio")[3], "cuebus")
        shadow = [line for line in self.path("/etc/shadow").read_text().splitlines()
                  if line.startswith("cuebus:")]
        self.assertRegex(shadow[0], r"^cuebus:[!*]+:", "no password")

    def test_03_unit(self):
        self.assertEqual(self.out("systemctl", "is-enabled", "cuebus.service").strip(), "enabled")
        self.assertTrue(self.path("/etc/systemd/system/multi-user.target.wants/cuebus.service")
                        .is_symlink())
        result = self.run_in("systemd-analyze", "verify", "--man=no", "cuebus.service", check=False)
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""))

    def test_04_configuration(self):
        result = self.run_in("cuebus", "check", CONFIG)
        self.assertEqual((result.stdout, result.stderr), ("", CONFIG + ": 0 errors, 0 warnings\n"))

    def as_user(self, *command, **options):
        """Run as the unit does: its user with all groups, without new privileges."""
        return subprocess.Popen(
            [CLEAN_ROOT, "run", str(self.root), "setpriv", "--reuid=cuebus", "--regid=cuebus",
             "--init-groups", "--no-new-privs", "--inh-caps=-all", "--bounding-set=-all",
             "--reset-env", *command], stdin=subprocess.DEVNULL, **options)

    def test_05_runs_as_the_user_against_a_broker(self):
        # The administrator's first change: another broker.
        config = self.path(CONFIG)
        changed = config.read_text().replace("mqtt://localhost:1883",
                                             f"mqtt://localhost:{self.broker.port}")
        self.assertNotEqual(changed, config.read_text())
        config.write_text(changed)
        # What StateDirectory= does.
        self.run_in("install", "-d", "-o", "cuebus", "-g", "cuebus", "-m", "750", STATE)
        client = Client(self.broker).subscribe("cuebus/1/gateway/#")
        self.addCleanup(client.close)
        log = self.directory / "cuebus.log"
        with open(log, "wb") as stream:
            gateway = self.as_user("/usr/bin/cuebus", "run", "-c", CONFIG, stdout=stream, stderr=stream)
        self.addCleanup(gateway.wait)
        self.addCleanup(gateway.kill)
        try:
            client.message("online", lambda m: m.topic.endswith("/status") and m.payload == b"online")
            info = client.on_topic("cuebus/1/gateway/info").json
            self.assertEqual(info["version"], VERSION)
            pid = self.pid_of_gateway(gateway.pid)
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
            uid = self.out("id", "-u", "cuebus").strip()
            self.assertEqual(re.search(r"^Uid:\s+(.*)", status, re.M)[1].split(), [uid] * 4)
            self.assertIn(self.group("gpio")[2], re.search(r"^Groups:\s+(.*)", status, re.M)[1].split())
            self.assertEqual(re.search(r"^CapEff:\s+(\w+)", status, re.M)[1].strip("0"), "")
            client.publish("cuebus/1/gateway/emit/door/bell", b"7")
            event = client.on_topic("cuebus/1/gateway/bus/door/bell").json
            self.assertEqual(event["data"], 7)
            health = self.run_in("cuebus", "healthcheck", "-c", CONFIG)
            self.assertIn("ok: gateway 'gateway' is up", health.stdout)
            since = client.mark()
            os.kill(pid, signal.SIGTERM)
            client.message("offline", lambda m: m.topic.endswith("/status")
                           and m.payload == b"offline", since)
            self.assertEqual(gateway.wait(TIMEOUT_S), 0, log.read_text())
        except AssertionError as error:
            raise AssertionError(f"{error}\n{log.read_text()}") from None
        self.assertTrue(list(self.path(STATE).iterdir()), "what outlasts a restart is there")
        self.assertNotIn("error", log.read_text())

    @staticmethod
    def pid_of_gateway(parent):
        """The unshare of clean-root keeps to be the parent of what it runs."""
        def find():
            todo = [parent]
            while todo:
                pid = todo.pop()
                try:
                    if pathlib.Path(f"/proc/{pid}/comm").read_text() == "cuebus\n":
                        return pid
                    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
                        todo += map(int, (task / "children").read_text().split())
                except FileNotFoundError:
                    pass
            return None
        return until("the gateway's process", find)

    def test_06_the_user_can_not_write_elsewhere(self):
        for name in (CONFIG, "/etc/cuebus/conf.d/x.json", "/usr/bin/cuebus"):
            process = self.as_user("sh", "-c", f"echo x >>{name}", stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT)
            output, _ = process.communicate(timeout=limit_s(60))
            self.assertNotEqual(process.returncode, 0, name)
            self.assertIn(b"denied", output)

    def test_07_an_upgrade_keeps_what_the_administrator_did(self):
        changed = self.path(CONFIG).read_text()
        self.path("/etc/cuebus/conf.d/more.json").write_text('{ "playlists": {} }\n')
        self.run_in("systemctl", "disable", "cuebus.service")
        self.install()
        self.assertEqual(self.path(CONFIG).read_text(), changed)
        self.assertEqual(self.run_in("systemctl", "is-enabled", "cuebus.service", check=False)
                         .stdout.strip(), "disabled")

    def test_08_remove_leaves_configuration_and_state(self):
        self.run_in("apt-get", "remove", "-y", "-qq", "cuebus")
        self.assertFalse(self.path("/usr/bin/cuebus").exists())
        self.assertFalse(self.path("/usr/lib/systemd/system/cuebus.service").exists())
        self.assertTrue(self.path(CONFIG).exists())
        self.assertTrue(self.path(STATE).exists())
        self.path("/etc/cuebus/conf.d/more.json").unlink()

    def test_09_purge_leaves_nothing(self):
        self.run_in("apt-get", "purge", "-y", "-qq", "cuebus")
        self.assertEqual(self.run_in("dpkg-query", "-W", "cuebus", check=False).returncode, 1)
        left = self.snapshot()
        self.assertEqual(left - self.before, set())
        self.assertEqual(self.before - left, set())
        # The user stays, as everywhere in Debian.
        self.run_in("getent", "passwd", "cuebus")

    def test_10_an_older_group_gpio_is_taken_as_it_is(self):
        self.run_in("userdel", "cuebus")
        self.run_in("groupdel", "gpio")
        self.run_in("groupadd", "-g", "650", "gpio")
        self.install()
        self.assertEqual(self.group("gpio")[2:], ["650", "cuebus"])
        self.run_in("apt-get", "purge", "-y", "-qq", "cuebus")


if __name__ == "__main__":
    unittest.main()
