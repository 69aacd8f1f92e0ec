# SPDX-License-Identifier: Apache-2.0
"""A password comes from a file, a systemd credential or the environment, and appears nowhere else:
in no log, topic, argument or output of any subcommand. A secret that others can read is
reported."""

import json
import os
import pathlib
import subprocess
import unittest

from certificates import Authority
from connection import ConnectionTest
from harness import CUEBUS, P, Client, limit_s

# No part of it may occur in any other output.
SECRET = "q7Zr-vXk#2wLm9"
WRONG = "u8Ytp+Bn$4eJc1"
# Such as an event type or a file name may have.
HIDDEN = "q7zr-vxk2wlm9"
OTHER = "u8ytp-bn4ejc1"


class Secrets(ConnectionTest):
    def setUp(self):
        super().setUp()
        users = self.directory / "users"
        for n, (name, password) in enumerate((("porch", SECRET), ("watcher", "w"))):
            subprocess.run(["mosquitto_passwd", "-b", *(["-c"] if n == 0 else []), str(users), name,
                            password], check=True)
        users.chmod(0o600)
        self.broker = self.new_broker("broker", "allow_anonymous false", f"password_file {users}")
        self.watcher = Client(self.broker, user=("watcher", "w"))
        self.addCleanup(self.watcher.close)
        # All topics, not only those below P.
        self.watcher.subscribe("#").subscribe("$SYS/#")

    def password(self, text=SECRET, mode=0o600):
        path = self.directory / "password"
        path.write_text(text + "\n")
        path.chmod(mode)
        return path

    def secured(self, **mqtt):
        return self.config(f"mqtt://127.0.0.1:{self.broker.port}", username="porch",
                           **{"remote": {"cmd": "admin"}, **mqtt})

    def run_cuebus(self, *arguments, environment=None, code=0):
        result = subprocess.run([CUEBUS, *map(str, arguments)], capture_output=True, timeout=limit_s(60),
                                env=dict(os.environ, **(environment or {})))
        self.assertEqual(result.returncode, code, result)
        self.is_clean(result.stdout + result.stderr)
        return result

    def is_clean(self, data):
        for secret in (SECRET, WRONG, HIDDEN, OTHER):
            self.assertNotIn(secret.encode(), data)
            # Nor in its JSON, URL or base64 form.
            self.assertNotIn(json.dumps(secret)[1:-1].encode(), data)

    def start_online(self, config, environment=None):
        since = self.watcher.mark()
        self.start(config, environment)
        self.watcher.message("online", lambda m: m.payload == b"online", since)
        return since

    def goes_everywhere(self, config, environment=None):
        """Connect, request everything that might contain a secret, and search all output."""
        since = self.start_online(config, environment)
        process = pathlib.Path(f"/proc/{self.gateway.process.pid}")
        self.is_clean((process / "cmdline").read_bytes())
        self.is_clean((process / "comm").read_bytes())
        for command in ("config/get", "config/reload", "playlist/list", "state/get", "ping",
                        "no/such"):
            self.watcher.request_raw(command)
        text = json.dumps(dict(config, x_secret=1)).encode()
        reply = self.watcher.request_raw("config/check", text)
        self.assertTrue(reply["ok"], reply)
        self.watcher.on_topic(f"{P}/health", since)
        self.run_cuebus("healthcheck", "-c", self.gateway.path, environment=environment)
        self.run_cuebus("check", self.gateway.path, environment=environment)
        self.run_cuebus("simulate", self.gateway.path, "--until", "1s", environment=environment)
        self.gateway.stop()
        self.watcher.message("offline", lambda m: m.payload == b"offline", since)
        self.is_clean(self.gateway.log_path.read_bytes())
        self.assertGreater(len(self.watcher.messages[since:]), 10)
        for message in self.watcher.messages[since:]:
            self.is_clean(message.topic.encode() + message.payload)

    def spread(self, config):
        """The variables where they are not published: in names, paths, lists and rules."""
        config["mqtt"].update(client_id="${HIDDEN_KEY}", reply_prefixes=["${HIDDEN_KEY}/in"])
        config["mqtt"]["remote"]["emit"] = ["${HIDDEN_KEY}.x", "${HIDDEN_PW}"]
        config["inputs"] = {"pad": {"driver": "sim", "kind": "button", "event": "pad.press"}}
        config["gestures"] = {
            "g": {"type": "gated_playlist", "gate": "pad.press", "playlist": "${HIDDEN_PW}"},
            "h": {"type": "double_tap", "source": "${HIDDEN_KEY}.press", "window": "1s",
                  "emit": "tap.tap"}}
        config["playlists"] = {"p": {"steps": [{"emit": "a"}]}}
        config["gateway"]["state_dir"] = str(self.directory / "${HIDDEN_KEY}" / "missing")
        return config

    def test_variables_of_the_configuration(self):
        """Used by the configuration, printed nowhere."""
        environment = {"CUEBUS_MQTT_PASSWORD": SECRET, "HIDDEN_KEY": HIDDEN, "HIDDEN_PW": OTHER}
        config = self.spread(self.secured(password_env="CUEBUS_MQTT_PASSWORD"))
        self.goes_everywhere(config, environment)
        self.assertIn("${HIDDEN_KEY}", self.gateway.log())  # the folder that can't be made

    def test_variables_in_what_can_not_be_used(self):
        """An unknown host, missing files, a line that is in use."""
        environment = {"HIDDEN_KEY": HIDDEN, "HIDDEN_PW": OTHER}
        config = self.config("mqtts://${HIDDEN_KEY}.invalid", username="${HIDDEN_PW}",
                             ca_file="/${HIDDEN_KEY}/ca.pem", cert_file="/${HIDDEN_KEY}/c.pem",
                             key_file="/${HIDDEN_PW}/k.pem", password_file="/${HIDDEN_PW}/pw")
        self.start(config, environment)
        self.log_has("no connection to the broker")
        self.gateway.stop()
        self.is_clean(self.gateway.log_path.read_bytes())
        self.run_cuebus("healthcheck", "-c", self.gateway.path, environment=environment, code=69)
        self.run_cuebus("check", self.gateway.path, environment=environment)
        config["inputs"] = {"i": {"driver": "gpio", "kind": "button", "event": "a",
                                  "chip": "${HIDDEN_KEY}", "line": "${HIDDEN_PW}"}}
        path = self.directory / "line.json"
        path.write_text(json.dumps(config))
        self.run_cuebus("run", "-c", path, environment=environment, code=69)

    def test_a_configuration_to_be_checked_sees_no_environment(self):
        # The second is valid where the first is refused for its letters: as a playlist's name.
        environment = {"CUEBUS_MQTT_PASSWORD": SECRET, "CUEBUS_OTHER": OTHER}
        self.start_online(self.secured(password_env="CUEBUS_MQTT_PASSWORD"), environment)
        for name in ("CUEBUS_OTHER", "CUEBUS_MQTT_PASSWORD", "CUEBUS_NOT_SET"):
            reply = self.watcher.request_raw("config/check", json.dumps({
                "gateway": {"id": "x"}, "gestures": {"g": {
                    "type": "gated_playlist", "gate": "a.b", "playlist": "${%s}" % name}},
                "mqtt": {"username": "u", "password_env": name}}).encode())
            self.is_clean(json.dumps(reply).encode())
            self.assertEqual([(f["severity"], f["rule"]) for f in reply["result"]["findings"]],
                             [("warning", "environment")])
        self.gateway.stop()

    def test_from_a_file(self):
        self.goes_everywhere(self.secured(password_file=str(self.password())))

    def test_from_a_systemd_credential(self):
        credentials = self.folder("credentials")
        (credentials / "mqtt").write_text(SECRET)
        (credentials / "mqtt").chmod(0o400)
        credentials.chmod(0o500)
        self.goes_everywhere(self.secured(password_file="${CREDENTIALS_DIRECTORY}/mqtt"),
                             {"CREDENTIALS_DIRECTORY": str(credentials)})

    def test_from_the_environment(self):
        self.goes_everywhere(self.secured(password_env="CUEBUS_MQTT_PASSWORD"),
                             {"CUEBUS_MQTT_PASSWORD": SECRET})

    def test_the_wrong_one_is_told_and_not_shown(self):
        path = self.password(WRONG)
        proxy = self.new_proxy(self.broker.port)
        config = self.config(f"mqtt://127.0.0.1:{proxy.port}", username="porch",
                             password_file=str(path))
        line = self.fails_once_and_quietly(config, ("refused the client", "check mqtt.username"),
                                           proxy, attempts=3)
        self.is_clean(line.encode())
        self.is_clean(self.gateway.log_path.read_bytes())
        self.run_cuebus("healthcheck", "-c", self.gateway.path, code=69)

    def test_it_is_read_for_each_connect(self):
        """A credential can be rotated under a running gateway."""
        path = self.password(WRONG)
        self.start(self.secured(password_file=str(path)))
        self.log_has("refused the client")
        self.password(SECRET)
        self.log_has("connected to mqtt://")
        self.gateway.stop()
        self.is_clean(self.gateway.log_path.read_bytes())

    def test_no_password_at_its_place(self):
        for name, make, says in (
                ("missing", lambda p: None, "No such file or directory"),
                ("empty", lambda p: p.write_text(""), "has no password in its first line"),
                ("folder", lambda p: p.mkdir(), "not a regular file")):
            with self.subTest(name):
                path = self.directory / name
                make(path)
                self.start(self.secured(password_file=str(path)))
                self.log_has("no connection to the broker")
                self.assertIn(f"mqtt.password_file '{path}'", self.gateway.log())
                self.assertIn(says, self.gateway.log())
                self.gateway.stop()

    def test_a_variable_that_is_not_set_is_an_error_of_the_configuration(self):
        path = self.directory / "unset.json"
        path.write_text(json.dumps(self.secured(password_env="CUEBUS_NOT_SET")))
        result = self.run_cuebus("check", path, code=78)
        self.assertIn(b"environment variable CUEBUS_NOT_SET is not set", result.stdout)

    def test_written_into_the_configuration_it_is_refused_and_not_shown(self):
        for mqtt in ({"password": SECRET}, {"username": "porch", "pasword": SECRET},
                     {"url": f"mqtt://porch:{SECRET}@127.0.0.1"},
                     {"url": f"mqtts://127.0.0.1:{SECRET}"}):
            with self.subTest(list(mqtt)):
                config = self.config("mqtt://127.0.0.1")
                config["mqtt"].update(mqtt)
                path = self.directory / "inline.json"
                path.write_text(json.dumps(config))
                self.run_cuebus("check", path, code=78)
                self.run_cuebus("run", "-c", path, code=78)
                self.start_online(self.secured(password_file=str(self.password())))
                reply = self.watcher.request_raw("config/check", json.dumps(config).encode())
                self.assertTrue(reply["result"]["findings"], reply)
                self.is_clean(json.dumps(reply).encode())
                self.gateway.stop()

    # ---- files that others can read ----

    def warnings(self, text):
        return [line for line in text.splitlines() if "[secret-readable]" in line]

    def check_and_start(self, config, expected):
        """The same warnings from `check` and at the start."""
        path = self.directory / "modes.json"
        path.write_text(json.dumps(config))
        printed = self.warnings(self.run_cuebus("check", path).stdout.decode())
        self.assertEqual(len(printed), expected, printed)
        self.start(config)
        self.log_has("gateway 'it'")
        logged = self.warnings(self.gateway.log())
        self.assertEqual(len(logged), expected, logged)
        self.gateway.stop()
        for line in printed + logged:
            self.assertIn("chmod 600", line)

    def test_a_password_that_others_can_read(self):
        for mode, expected in ((0o644, 1), (0o604, 1), (0o640, 0), (0o600, 0)):
            with self.subTest(oct(mode)):
                self.check_and_start(self.secured(password_file=str(self.password(mode=mode))),
                                     expected)

    def test_a_key_that_others_can_read(self):
        pem, key = Authority(self.directory, "ca").sign("client")
        url = f"mqtts://localhost:{self.broker.port}"
        for mode, expected in ((0o644, 1), (0o640, 0)):
            with self.subTest(oct(mode)):
                key.chmod(mode)
                self.check_and_start(self.config(url, cert_file=str(pem), key_file=str(key)),
                                     expected)

    def test_nobody_learns_about_files_over_the_network(self):
        readable = self.password(mode=0o644)
        self.start_online(self.secured(password_file=str(self.password(mode=0o644))))
        for path in (readable, "/nonexistent"):
            config = self.secured(password_file=str(path))
            reply = self.watcher.request_raw("config/check", json.dumps(config).encode())
            self.assertEqual(reply["result"]["findings"], [])
        self.gateway.stop()


if __name__ == "__main__":
    unittest.main()
