# SPDX-License-Identifier: Apache-2.0
"""docs/examples/mosquitto: mosquitto with that configuration and those rights.
What they forbid does not arrive, and with them everything works."""

import json
import pathlib
import signal
import subprocess
import unittest

from certificates import Authority
from connection import ConnectionTest
from harness import CUEBUS, IS_V5, P, Client, RefusedClient, limit_s

EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "docs/examples/mosquitto"
PASSWORDS = {"gateway": "g4teway", "dashboard": "d4shboard", "operator": "0perator"}
# What the gateway publishes, as topics somebody else could try to write.
OUTGOING = ("status", "info", "health", "bus/lamp/set", "input/pad", "playlist/long",
            "schema/envelope", "reply/playlist/start")
INCOMING = ("emit/lamp/set", "cmd/playlist/start")


class Acl(ConnectionTest):
    def setUp(self):
        super().setUp()
        etc = self.folder("etc")
        authority = Authority(etc, "ca")
        self.ca = str(authority.pem)
        authority.sign("broker")
        for n, (name, password) in enumerate(PASSWORDS.items()):
            subprocess.run(["mosquitto_passwd", "-b", *(["-c"] if n == 0 else []),
                            str(etc / "passwd"), name, password], check=True)
        text = (EXAMPLE / "mosquitto.conf").read_text()
        text = text.replace("/etc/mosquitto/certs/", f"{etc}/").replace("/etc/mosquitto/", f"{etc}/")
        text = text.replace("/var/lib/mosquitto/", f"{etc}/")
        acl = (EXAMPLE / "acl").read_text()
        (etc / "acl").write_text(acl)
        for path in etc.iterdir():
            path.chmod(0o600)
        # The port is the test's, and what it keeps is nobody's.
        lines = [l for l in text.splitlines() if not l.startswith(("listener ", "persistence true"))]
        self.broker = self.new_broker("broker", *lines)
        self.operator = self.user("operator").subscribe(P + "/#")
        password = self.directory / "password"
        password.write_text(PASSWORDS["gateway"])
        password.chmod(0o600)
        config = self.config(f"mqtts://localhost:{self.broker.port}", ca_file=self.ca,
                             username="gateway", password_file=str(password), remote={"cmd": "admin"})
        config["inputs"] = {"pad": {"driver": "sim", "kind": "button", "event": "button.press"}}
        config["playlists"] = {"long": {"trigger": "long.start", "steps": [
            {"emit": "long.tick", "repeat": 3600, "interval": "1s"}]}}
        self.start(config)
        self.operator.on_topic(P + "/status")

    def user(self, name, password=None):
        client = Client(self.broker, user=(name, password or PASSWORDS[name]), ca=self.ca)
        self.addCleanup(client.close)
        return client

    def tearDown(self):
        if self.gateway and self.gateway.process:
            self.gateway.stop()

    def fence(self, client=None):
        """All that was published before has been dealt with: the gateway has answered since,
        and, with `client`, it has seen what came of that."""
        self.assertTrue(self.operator.request("ping")["ok"])
        since = client.mark() if client else 0
        self.operator.publish(f"{P}/emit/test/fence", b"1")
        (client or self.operator).event("test.fence", since=since)

    def what_came_of(self, client, topics):
        """What anybody got of what `client` publishes on these topics."""
        since = self.operator.mark()
        for topic in topics:
            client.publish(f"{P}/{topic}", b'{"playlist":"long","forged":true}')
        self.fence()
        return [m for m in self.operator.messages[since:]
                if b"forged" in m.payload or "event/playlist" in m.topic
                or m.topic.startswith(f"{P}/reply/playlist")]

    def nothing_came_of(self, client, topics):
        self.assertEqual(self.what_came_of(client, topics), [])

    def test_the_gateway_has_all_rights_it_needs(self):
        created = self.operator.mark()
        reply = self.operator.request("playlist/start", {"playlist": "long"})
        self.assertTrue(reply["ok"], reply)
        self.operator.event("event.playlist.created", since=created)
        self.operator.publish(f"{P}/cmd/input/set", {"input": "pad", "value": 1})
        self.operator.event("button.press", since=created)
        for view in ("info", "health", "input/pad", "playlist/long"):
            self.operator.on_topic(f"{P}/{view}")
        self.assertTrue(self.operator.request("playlist/stop", {"all": True})["ok"])
        result = subprocess.run([CUEBUS, "healthcheck", "-c", str(self.gateway.path)],
                                capture_output=True, text=True, timeout=limit_s(60))
        self.assertEqual(result.returncode, 0, result)
        self.gateway.stop()
        self.operator.message("offline", lambda m: m.payload == b"offline")
        self.assertNotIn("refused", self.gateway.log())

    def test_the_dashboard_sees_events_and_views_only(self):
        dashboard = self.user("dashboard").subscribe(P + "/#").subscribe(f"{P}/cmd/#")
        dashboard.subscribe(f"{P}/reply/#").subscribe(f"{P}/emit/#")
        for view in ("status", "info", "health", "input/pad", "playlist/long"):
            dashboard.on_topic(f"{P}/{view}")
        self.operator.publish(f"{P}/cmd/playlist/start", {"playlist": "long"})
        self.operator.on_topic(f"{P}/reply/playlist/start")
        dashboard.event("event.playlist.created")
        self.fence(dashboard)
        seen = {m.topic[len(P) + 1:].split("/")[0] for m in dashboard.messages}
        self.assertLessEqual(seen, {"status", "info", "health", "bus", "input", "playlist"})

    def test_the_dashboard_publishes_nothing(self):
        self.nothing_came_of(self.user("dashboard"), INCOMING + OUTGOING)

    def test_the_operator_emits_and_commands(self):
        for topic in INCOMING:
            with self.subTest(topic):
                came = self.what_came_of(self.user("operator"), [topic])
                self.assertGreater(len(came), 1, came)  # what was sent, and what it led to

    def test_the_operator_does_not_pretend_to_be_a_gateway(self):
        self.nothing_came_of(self.user("operator"), OUTGOING)

    def test_a_gateway_gives_no_commands(self):
        """The account of a gateway that fell into other hands: nothing goes to the others."""
        self.nothing_came_of(self.user("gateway"), INCOMING)

    def test_a_gateway_reads_no_stream(self):
        gateway = self.user("gateway").subscribe(P + "/#")
        self.operator.publish(f"{P}/emit/lamp/set", b'"a"')
        self.operator.event("lamp.set")
        self.operator.publish(f"{P}/emit/lamp/set", b'"b"')
        gateway.message("the emit", lambda m: m.payload == b'"b"')
        seen = {m.topic[len(P) + 1:].split("/")[0] for m in gateway.messages}
        self.assertEqual(seen, {"emit"})

    def test_nobody_else_gets_in(self):
        for name, user in (("anonymous", None), ("wrong password", ("operator", "guess")),
                           ("unknown", ("admin", "0perator"))):
            with self.subTest(name):
                refused = RefusedClient(self.broker, user=user, ca=self.ca)
                self.addCleanup(refused.close)
                self.assertNotEqual(refused.reason, 0)

    @unittest.skipUnless(IS_V5, "MQTT 3.1.1 has no word for it")
    def test_a_healthcheck_that_may_not_ask_says_so(self):
        config = json.loads(self.gateway.path.read_text())
        password = self.directory / "dashboard-password"
        password.write_text(PASSWORDS["dashboard"])
        password.chmod(0o600)
        config["mqtt"].update(username="dashboard", password_file=str(password))
        path = self.directory / "dashboard.json"
        path.write_text(json.dumps(config))
        result = subprocess.run([CUEBUS, "healthcheck", "-c", str(path)], capture_output=True,
                                text=True, timeout=limit_s(60))
        self.assertEqual(result.returncode, 69, result)
        self.assertRegex(result.stdout, "subscription to '.*' refused|does not take the ping on "
                                        ".*Not authorized")

    @unittest.skipUnless(IS_V5, "MQTT 3.1.1 has no word for it")
    def test_what_the_gateway_may_not_publish_is_named(self):
        """An ACL that forgot a topic."""
        acl = self.directory / "etc" / "acl"
        rule = "topic write cuebus/1/+/bus/#"
        self.assertIn(rule, acl.read_text())
        acl.write_text(acl.read_text().replace(rule, "topic write cuebus/1/+/bus/test/#"))
        self.broker.process.send_signal(signal.SIGHUP)
        self.operator.publish(f"{P}/emit/lamp/set", b"1")
        self.log_has(f"refused a message to '{P}/bus/lamp/set': Not authorized (0x87); allow this "
                     "client to publish there")

    @unittest.skipUnless(IS_V5, "MQTT 5 only")
    def test_a_reply_goes_where_the_broker_lets_it(self):
        """A response topic below P/reply of another gateway is not the asker's to name."""
        other = P.rsplit("/", 1)[0] + "/other/reply/x"
        since = self.operator.mark()
        self.operator.publish(f"{P}/cmd/ping", {"request_id": "r"}, response=other)
        reply = self.operator.on_topic(f"{P}/reply/ping", since).json
        self.assertEqual(reply["error"]["code"], "refused")


if __name__ == "__main__":
    unittest.main()
