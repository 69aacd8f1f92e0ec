# SPDX-License-Identifier: Apache-2.0
"""The unit as it really runs: the package on a clean Debian that systemd boots in the VM of
scripts/gpio-vm, with the unit's seccomp filter, its device rules, a credential, a GPIO line and a
broker.

boot_guest boots, and boot_job does what an administrator does. The results are checked here, by
what boot_job recorded and by the MQTT messages.
"""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from package import ROOT, deb, skip
from test_install import CLEAN_ROOT, make_root

sys.path.insert(0, str(ROOT / "tests" / "integration"))
from harness import Broker, Client, limit_s  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
VM = str(ROOT / "scripts" / "gpio-vm")
HOST = "10.0.2.2"  # the host's loopback, seen from the VM


def config(port):
    return {
        "version": 1,
        "gateway": {"id": "boot", "state_dir": "/var/lib/cuebus"},
        "mqtt": {"url": f"mqtt://{HOST}:{port}", "username": "boot",
                 "password_file": "${CREDENTIALS_DIRECTORY}/mqtt"},
        "inputs": {"doorbell": {"driver": "gpio", "chip": "cuebus-a", "line": "DOORBELL",
                                "kind": "button", "event": "door.bell"}},
    }


class Boot(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.directory = pathlib.Path(tempfile.mkdtemp(prefix="cuebus-boot-"))
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)
        cls.root = cls.directory / "root"
        make_root(cls.root)
        shutil.copy(deb(), cls.root / "cuebus.deb")
        # libkmod2: systemd loads it when it starts, but does not depend on it in each release.
        cls.in_root("apt-get update -qq && apt-get install -y -qq systemd dbus libkmod2 /cuebus.deb")
        cls.broker = Broker(cls.directory)
        cls.addClassCleanup(cls.broker.stop)
        cls.broker.start()
        cls.client = Client(cls.broker).subscribe("cuebus/1/boot/#")
        cls.addClassCleanup(cls.client.close)
        cls.prepare()
        result = subprocess.run([VM, "run", "--out", str(cls.directory), "--timeout", "500",
                                 str(ROOT / "tests/gpio/guest"), str(HERE / "boot_guest")],
                                capture_output=True, text=True, timeout=limit_s(900))
        if result.returncode == 77:
            skip(result.stdout.strip().splitlines()[-1].removeprefix("SKIPPED: "))
        log = cls.root / "job.log"
        cls.console = result.stdout + result.stderr + (log.read_text() if log.exists() else "")
        if not (cls.root / "steps/journal.status").exists():
            raise AssertionError("it did not boot to its end:\n" + cls.console)

    @classmethod
    def in_root(cls, script):
        result = subprocess.run([CLEAN_ROOT, "run", str(cls.root), "sh", "-c", script],
                                capture_output=True, text=True, timeout=limit_s(600))
        if result.returncode != 0:
            raise AssertionError(result.stdout + result.stderr)

    @classmethod
    def prepare(cls):
        good = config(cls.broker.port)
        more = dict(good, playlists={"fresh": {"steps": [{"emit": "fresh.tick"}]}})
        bad = dict(good, playlists={"fresh": {"steps": [{"emitt": "fresh.tick"}]}})
        (cls.root / "configs").mkdir()
        for name, value in (("good", good), ("more", more), ("bad", bad)):
            (cls.root / "configs" / f"{name}.json").write_text(json.dumps(value))
        secret = cls.root / "etc/cuebus/secret"
        secret.write_text("wohl bekomm's\n")
        secret.chmod(0o600)  # root's: the service itself can't read it
        folder = cls.root / "etc/systemd/system/cuebus.service.d"
        folder.mkdir()
        # A watchdog that a test can wait for; emulated, all is some ten times slower.
        (folder / "test.conf").write_text(
            "[Service]\nLoadCredential=mqtt:/etc/cuebus/secret\nWatchdogSec=10s\n"
            "TimeoutAbortSec=1s\n")
        shutil.copy(HERE / "boot_job", cls.root / "job")

    def said(self, step):
        return (self.root / "steps" / step).read_text()

    def journal(self):
        return "\n".join(f"<{e['PRIORITY']}> {e['MESSAGE']}"
                         for e in map(json.loads, self.said("journal").splitlines()))

    def code(self, step):
        return int((self.root / "steps" / f"{step}.status").read_text())

    def properties(self, step):
        return dict(line.split("=", 1) for line in self.said(step).splitlines())

    def message(self, topic):
        try:
            return self.client.on_topic(topic, timeout_s=limit_s(1))  # it came, or it never will
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.said('journal')[-3000:]}") from None

    def ok(self, step):
        self.assertEqual(self.code(step), 0, self.said(step) + self.journal()[-6000:])

    def test_01_is_ready_and_says_what_it_does(self):
        self.ok("start")
        told = self.properties("started")
        self.assertEqual((told["ActiveState"], told["SubState"], told["NRestarts"]),
                         ("active", "running", "0"))
        self.assertRegex(told["StatusText"], r"^gateway 'boot', .* 1 input, \d+ messages? waiting$")

    def test_02_runs_confined(self):
        status = dict(re.findall(r"^(\w+):\s+(.*)$", self.said("status"), re.M))
        group = dict(line.split(":")[0:3:2] for line in
                     (self.root / "etc/group").read_text().splitlines())
        user = [line.split(":") for line in (self.root / "etc/passwd").read_text().splitlines()
                if line.startswith("cuebus:")][0]
        self.assertEqual(status["Uid"].split(), [user[2]] * 4)
        self.assertEqual(set(status["Groups"].split()), {group["cuebus"], group["gpio"]})
        for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            self.assertEqual(int(status[name], 16), 0, name)
        self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"))

    def test_03_sees_the_system_read_only(self):
        self.assertNotEqual(self.code("ns_etc"), 0)
        self.assertIn("Read-only file system", self.said("ns_etc"))
        self.ok("ns_state")
        self.assertNotEqual(self.said("ns_home") and self.code("ns_home"), 0)

    def test_04_opens_gpio_chips_and_no_other_device(self):
        self.ok("dev_gpio")
        self.ok("dev_null")
        self.assertNotEqual(self.code("dev_kmsg"), 0)
        self.assertIn("Operation not permitted", self.said("dev_kmsg"))

    def test_05_a_press_on_a_line_is_at_the_broker(self):
        self.ok("press")
        event = self.message("cuebus/1/boot/bus/door/bell").json
        self.assertEqual(event["data"], {"input": "doorbell", "pressed": True})

    def test_06_reload(self):
        self.ok("reload")
        pid = self.properties("started")["MainPID"]
        told = self.properties("reloaded")
        self.assertEqual((told["ActiveState"], told["MainPID"], told["NRestarts"]), ("active", pid, "0"))
        self.message("cuebus/1/boot/playlist/fresh")

    def test_07_reload_with_errors_fails_and_changes_nothing(self):
        self.assertNotEqual(self.code("reload_bad"), 0)
        self.assertEqual(self.properties("not_reloaded"), self.properties("reloaded"))
        self.assertIn("emitt", self.said("journal"), "the finding is in the journal")

    def test_08_a_gateway_that_hangs_is_restarted(self):
        told = self.properties("after_hang")
        self.assertEqual((told["ActiveState"], told["SubState"], told["NRestarts"]),
                         ("active", "running", "1"))
        self.assertNotEqual(told["MainPID"], self.properties("started")["MainPID"])

    def test_09_a_wrong_configuration_is_not_tried_again(self):
        self.assertNotEqual(self.code("restart_bad"), 0)
        told = self.properties("after_bad")
        self.assertEqual((told["ActiveState"], told["Result"], told["ExecMainStatus"]),
                         ("failed", "exit-code", "78"))

    def test_10_stops_cleanly(self):
        self.ok("start_again")
        self.ok("stop")
        self.assertEqual(self.properties("stopped"), {"ActiveState": "inactive", "Result": "success"})
        self.message("cuebus/1/boot/status")
        last = [m for m in self.client.messages if m.topic == "cuebus/1/boot/status"][-1]
        self.assertEqual(last.payload, b"offline")

    def test_11_journal_has_priorities_and_no_secret(self):
        entries = [json.loads(line) for line in self.said("journal").splitlines()]
        found = {e["PRIORITY"] for e in entries if str(e["MESSAGE"]).startswith("cuebus ")}
        self.assertEqual(found, {"5"}, "the first line is a notice")
        self.assertIn("6", {e["PRIORITY"] for e in entries})
        self.assertNotIn("wohl", self.said("journal"))
        for entry in entries:
            self.assertNotRegex(str(entry["MESSAGE"]), r"^<\d>")


if __name__ == "__main__":
    unittest.main()
