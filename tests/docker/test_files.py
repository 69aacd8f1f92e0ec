# SPDX-License-Identifier: Apache-2.0
"""The files of docker/, read without an engine: what a reviewer would check, and what must agree
with the rest of the repository."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import yaml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from time_limits import limit_s  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCKER = ROOT / "docker"
CUEBUS = os.environ["CUEBUS"]
RIGS = ("compose.yaml", "compose.fleet.yaml")
SITES = ("north", "east", "west")
# The services that bring another image's user with them.
NO_USER_OF_OURS = {"mosquitto", "upstream", *(f"{site}-broker" for site in SITES)}


def rig(name):
    return yaml.safe_load((DOCKER / name).read_text("utf-8"))


def services(name):
    return rig(name)["services"].items()


def dockerfile():
    text = (DOCKER / "Dockerfile").read_text("utf-8")
    return re.sub(r"^\s*#.*\n", "", text, flags=re.M).replace("\\\n", " ")


class Dockerfile(unittest.TestCase):
    def test_every_base_has_a_tag_and_it_is_not_latest(self):
        base = re.search(r"^ARG BASE=(\S+)", dockerfile(), re.M)[1]
        self.assertRegex(base, r":(?!latest)[\w.-]+$")
        self.assertEqual(set(re.findall(r"^FROM (\S+)", dockerfile(), re.M)), {"${BASE}"})

    def test_it_ends_as_a_user_by_number(self):
        self.assertRegex(re.findall(r"^USER (\S+)", dockerfile(), re.M)[-1], r"^[1-9]\d*:[1-9]\d*$")

    def test_packages_leave_no_lists_and_bring_nothing_more(self):
        for line in re.findall(r"^RUN .*apt-get install.*", dockerfile(), re.M):
            self.assertIn("--no-install-recommends", line)
            self.assertIn("rm -rf /var/lib/apt/lists/*", line)

    def test_no_secret_and_nothing_fetched(self):
        for word in (r"^ADD ", r"(ARG|ENV) \w*(PASSWORD|SECRET|TOKEN)", r"curl|wget|https?://"):
            self.assertIsNone(re.search(word, dockerfile(), re.M | re.I), word)

    def test_it_needs_no_frontend_from_a_registry(self):
        self.assertNotIn("# syntax=", (DOCKER / "Dockerfile").read_text("utf-8"))

    def test_the_version_is_the_projects(self):
        version = re.search(r"project\(cuebus VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text())[1]
        self.assertIn(f"ARG VERSION={version}\n", dockerfile())
        for name in (*RIGS, "compose.test.yaml"):
            for image in re.findall(r"image: (cuebus\S*)", (DOCKER / name).read_text()):
                self.assertTrue(image.endswith(f":{version}"), f"{name}: {image}")

    def test_it_ignores_what_is_no_source(self):
        ignored = (ROOT / ".dockerignore").read_text().split()
        self.assertLessEqual({".git", "build", "docker/.env"}, set(ignored))


class Compose(unittest.TestCase):
    def test_images_have_tags(self):
        for name in RIGS:
            for service, value in services(name):
                with self.subTest(name, service=service):
                    self.assertRegex(value["image"], r":(?!latest)[\w.]+$")

    def test_nothing_runs_as_root_or_can_become_it(self):
        for name in RIGS:
            for service, value in services(name):
                with self.subTest(name, service=service):
                    self.assertTrue(value["read_only"])
                    self.assertEqual(value["cap_drop"], ["ALL"])
                    self.assertEqual(value["security_opt"], ["no-new-privileges:true"])
                    self.assertNotIn("privileged", value)
                    if service in NO_USER_OF_OURS:
                        self.assertEqual(value["user"], "1883:1883")
                    else:
                        self.assertNotIn("user", value)  # the image's own

    def test_what_is_published_is_on_loopback(self):
        for name in RIGS:
            for service, value in services(name):
                for port in value.get("ports", []):
                    self.assertTrue(port.startswith("127.0.0.1:"), f"{name}: {service}: {port}")

    def test_state_is_in_named_volumes(self):
        for name in RIGS:
            declared = set(rig(name)["volumes"])
            used = {volume.split(":")[0] for _, value in services(name)
                    for volume in value.get("volumes", []) if not volume.startswith(".")}
            self.assertEqual(used, declared)
            for service, value in services(name):
                for volume in value.get("volumes", []):
                    if volume.startswith("."):
                        self.assertTrue(volume.endswith(":ro"), f"{name}: {service}: {volume}")
                        self.assertTrue((DOCKER / volume.split(":")[0]).is_file(), volume)

    def test_gateways_see_their_own_password_only(self):
        for name in RIGS:
            for service, value in services(name):
                if value["image"].startswith("cuebus:") and service != "passwords":
                    self.assertNotIn("passwords:", " ".join(value["volumes"]).replace(
                        "gateway-password:", ""))

    def test_no_password_is_written_down(self):
        for path in DOCKER.rglob("*"):
            if path.is_file():
                found = re.findall(r"PASSWORD(?:=|: )(?!\$|\s)\S+", path.read_text("utf-8"))
                self.assertEqual(found, [], path)

    def test_each_site_has_a_network_of_its_own(self):
        networks = rig("compose.fleet.yaml")["networks"]
        by_service = dict(services("compose.fleet.yaml"))
        for site in SITES:
            self.assertTrue(networks[site]["internal"])
            self.assertEqual(by_service[site]["networks"], [site])
            members = {s for s, v in by_service.items() if site in v.get("networks", [])}
            self.assertEqual(members, {site, f"{site}-broker"})


class Contract(unittest.TestCase):
    def test_the_bridge_carries_every_topic_one_way(self):
        text = (DOCKER / "fleet" / "site.conf").read_text("utf-8")
        topics = re.findall(r"^topic (\S+) (\S+) 1 (\S+) (\S+)$", text, re.M)
        ways = {topic.split("/")[0]: way for topic, way, _, _ in topics}
        self.assertEqual(len(ways), len(topics), "a topic that goes both ways")
        table = (ROOT / "docs" / "topics.md").read_text("utf-8")
        rows = re.findall(r"^\| `P/(\w+)[^|]*\| (in|out) \|", table, re.M)
        self.assertTrue(rows)
        for topic, direction in rows:
            self.assertEqual(ways.get(topic), direction, topic)
        for _, _, local, remote in topics:
            self.assertEqual(local, remote)

    def test_upstream_a_site_may_what_its_gateway_may_at_home(self):
        at_home = (ROOT / "docs/examples/mosquitto/acl").read_text("utf-8")
        block = at_home.split("user gateway\n")[1].split("\nuser ")[0]
        wanted = {(right, topic.replace("/+/", "/%u/")) for right, topic in
                  re.findall(r"^topic (\S+) (\S+)$", block, re.M) if "ping" not in topic}
        upstream = (DOCKER / "fleet" / "upstream.acl").read_text("utf-8")
        self.assertEqual(set(re.findall(r"^pattern (\S+) (\S+)$", upstream, re.M)), wanted)

    def test_the_demo_configuration(self):
        env = dict(os.environ, CUEBUS_GATEWAY_ID="demo", CUEBUS_MQTT_URL="mqtt://mosquitto:1883")
        result = subprocess.run([CUEBUS, "check", str(DOCKER / "demo.json")], env=env, text=True,
                                capture_output=True, timeout=limit_s(60))
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)


class Passwords(unittest.TestCase):
    """docker/passwords, with its folders elsewhere."""

    def setUp(self):
        self.directory = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        text = (DOCKER / "passwords").read_text("utf-8")
        for name in ("passwords", "secrets", "cuebus"):
            (self.directory / name).mkdir()
            text = text.replace(f"/run/{name}", f"{self.directory}/{name}")
        self.script = self.directory / "script"
        self.script.write_text(text)

    def run_it(self, *accounts, status=0, **environment):
        result = subprocess.run(["/bin/sh", str(self.script), *accounts], text=True, timeout=limit_s(60),
                                capture_output=True, env={"PATH": os.environ["PATH"], **environment})
        self.assertEqual(result.returncode, status, result)
        return result

    def password(self, account):
        return (self.directory / "passwords" / account).read_text()

    def test_by_chance_and_kept(self):
        self.run_it("gateway", "operator")
        first = self.password("gateway"), self.password("operator")
        self.assertEqual(len(set(first)), 2)
        for password in first:
            self.assertRegex(password, r"^[0-9a-f]{32}\n$")
        own = self.directory / "cuebus" / "password"
        self.assertEqual(own.read_text(), first[0])
        self.assertEqual(own.stat().st_mode & 0o777, 0o600)
        self.run_it("gateway", "operator")
        self.assertEqual((self.password("gateway"), self.password("operator")), first)

    def test_a_secret_goes_before_the_environment_and_that_before_the_last(self):
        self.run_it("operator")
        self.run_it("operator", CUEBUS_OPERATOR_PASSWORD="from-environment")
        self.assertEqual(self.password("operator"), "from-environment\n")
        (self.directory / "secrets" / "cuebus_operator_password").write_text("from.secret\n")
        result = self.run_it("operator", CUEBUS_OPERATOR_PASSWORD="from-environment")
        self.assertEqual(self.password("operator"), "from.secret\n")
        self.assertNotIn("from.secret", result.stdout + result.stderr)

    def test_what_mosquitto_would_misread_is_refused(self):
        for bad in ("two words", "a:b", "-x", "a|b", "a\nb", "sch\u00f6n"):
            with self.subTest(bad):
                result = self.run_it("operator", status=78, CUEBUS_OPERATOR_PASSWORD=bad)
                self.assertIn("CUEBUS_OPERATOR_PASSWORD", result.stderr)
                self.assertFalse((self.directory / "passwords" / "operator").exists())


if __name__ == "__main__":
    unittest.main()
