# SPDX-License-Identifier: Apache-2.0
"""mosquitto with the configuration and the rights of docs/examples/mosquitto: what they forbid does
not arrive, and everything else works."""

import json
import pathlib
import signal
import subprocess
import unittest

from certificates import Authority
from connection import ConnectionTest
from harness import CUEBUS, IS_V5, P, Client, RefusedClient, limit_s

EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "docs/examples/mosquitto"
PASSWORDS = {"gateway": "g4teway", "dashboard": "d4shboard", "operator": "0perator",
             "administrator": "4dministrator"}
# The topics that the gateway publishes and that another client could try to write.
OUTGOING = ("status", "info", "health", "bus/lamp/set", "input/pad", "output/lamp", "playlist/long",
            "schema/envelope", "reply/playlist/start")
INCOMING = ("emit/lamp/set", "cmd/playlist/start")
VIEWS = {"status", "info", "health", "bus", "input", "output", "playlist", "schema"}
# Every command there is, those of `use` with an answer that needs no more than the name.
USE = {"playlist/start", "playlist/stop", "playlist/pause", "playlist/resume", "playlist/seek",
       "playlist/tempo", "playlist/list", "playlist/runs", "gesture/list",
       "event/emit", "state/get", "input/position", "ping"}
COMMANDS = {name[4:].replace(".", "/", 1) for name in subprocess.run(
    [CUEBUS, "schema"], capture_output=True, text=True, check=True).stdout.split()
    if name.startswith("cmd.")}
MAY = {"administrator": COMMANDS, "operator": USE, "dashboard": set(), "gateway": {"ping"}}


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
        # The port is the test's, and no retained message is foreign.
        lines = [line for line in text.splitlines()
                 if not line.startswith(("listener ", "persistence true"))]
        self.broker = self.new_broker("broker", *lines)
        # Sees every message, so that a missing one is noticed.
        self.admin = self.user("administrator").subscribe(P + "/#")
        password = self.directory / "password"
        password.write_text(PASSWORDS["gateway"])
        password.chmod(0o600)
        config = self.config(f"mqtts://localhost:{self.broker.port}", ca_file=self.ca,
                             username="gateway", password_file=str(password), remote={"cmd": "admin"})
        config["inputs"] = {"pad": {"driver": "sim", "kind": "button", "event": "button.press"}}
        config["playlists"] = {"long": {"trigger": "long.start", "steps": [
            {"emit": "long.tick", "repeat": 3600, "interval": "1s"}]}}
        self.start(config)
        self.admin.on_topic(P + "/status")

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
        self.assertTrue(self.admin.request("ping")["ok"])
        since = client.mark() if client else 0
        self.admin.publish(f"{P}/emit/test/fence", b"1")
        (client or self.admin).event("test.fence", since=since)

    def what_came_of(self, client, topics):
        """What anybody got of what `client` publishes on these topics."""
        since = self.admin.mark()
        for topic in topics:
            client.publish(f"{P}/{topic}", b'{"playlist":"long","forged":true}')
        self.fence()
        return [m for m in self.admin.messages[since:]
                if b"forged" in m.payload or "event/playlist" in m.topic
                or m.topic.startswith(f"{P}/reply/playlist")]

    def nothing_came_of(self, client, topics):
        self.assertEqual(self.what_came_of(client, topics), [])

    def test_the_gateway_has_all_rights_it_needs(self):
        created = self.admin.mark()
        reply = self.admin.request("playlist/start", {"playlist": "long"})
        self.assertTrue(reply["ok"], reply)
        self.admin.event("event.playlist.created", since=created)
        self.admin.publish(f"{P}/cmd/input/set", {"input": "pad", "value": 1})
        self.admin.event("button.press", since=created)
        for view in ("info", "health", "input/pad", "playlist/long"):
            self.admin.on_topic(f"{P}/{view}")
        self.assertTrue(self.admin.request("playlist/stop", {"all": True})["ok"])
        result = subprocess.run([CUEBUS, "healthcheck", "-c", str(self.gateway.path)],
                                capture_output=True, text=True, timeout=limit_s(60))
        self.assertEqual(result.returncode, 0, result)
        self.gateway.stop()
        self.admin.message("offline", lambda m: m.payload == b"offline")
        self.assertNotIn("refused", self.gateway.log())

    def test_the_gateway_corrects_its_status(self):
        """It may read the topics that it needs, and no other client may write them."""
        forger = self.user("gateway")
        since = self.admin.mark()
        forger.publish(f"{P}/status", b"offline", retain=True)
        self.admin.message("online again", lambda m: m.topic == f"{P}/status"
                              and m.payload == b"online", since)

    def test_the_gateway_clears_names_that_are_gone(self):
        gateway = self.user("gateway")
        self.gateway.stop()
        since = self.admin.mark()
        gateway.publish(f"{P}/playlist/gone", b"{}", retain=True)
        self.gateway.start()
        self.admin.message("cleared", lambda m: m.topic == f"{P}/playlist/gone"
                              and m.payload == b"", since)

    def test_the_dashboard_sees_events_and_views_only(self):
        dashboard = self.user("dashboard").subscribe(P + "/#").subscribe(f"{P}/cmd/#")
        dashboard.subscribe(f"{P}/reply/#").subscribe(f"{P}/emit/#")
        for view in ("status", "info", "health", "input/pad", "playlist/long"):
            dashboard.on_topic(f"{P}/{view}")
        self.admin.publish(f"{P}/cmd/playlist/start", {"playlist": "long"})
        self.admin.on_topic(f"{P}/reply/playlist/start")
        dashboard.event("event.playlist.created")
        self.fence(dashboard)
        seen = {m.topic[len(P) + 1:].split("/")[0] for m in dashboard.messages}
        self.assertLessEqual(seen, VIEWS)

    def test_the_dashboard_publishes_nothing(self):
        self.nothing_came_of(self.user("dashboard"), INCOMING + OUTGOING)

    def test_who_emits_and_commands(self):
        for role in ("operator", "administrator"):
            for topic in INCOMING:
                with self.subTest(role, topic=topic):
                    came = self.what_came_of(self.user(role), [topic])
                    self.assertGreater(len(came), 1, came)  # what was sent, and what it led to

    def test_nobody_else_pretends_to_be_a_gateway(self):
        for role in ("operator", "administrator"):
            self.nothing_came_of(self.user(role), OUTGOING)

    def test_each_role_gives_the_commands_it_may_give_and_no_others(self):
        self.assertGreater(COMMANDS, USE)
        for role, may in MAY.items():
            with self.subTest(role):
                client, since = self.user(role), self.admin.mark()
                for command in sorted(COMMANDS):
                    client.publish(f"{P}/cmd/{command}", {"request_id": f"{role} {command}"})
                # Over MQTT 3.1.1 there is no other sign that the last of them was handled.
                for _ in range(2):
                    self.fence()
                answered = {m.json["request_id"].split(" ")[1] for m in self.admin.messages[since:]
                            if m.topic.startswith(f"{P}/reply/")
                            and str(m.json["request_id"]).startswith(role)}
                self.assertEqual(answered, may)

    def test_the_operator_sees_no_commands_and_nothing_of_the_configuration(self):
        operator = self.user("operator").subscribe(P + "/#")
        for command in ("config/get", "ping"):
            self.admin.publish(f"{P}/cmd/{command}", {"request_id": command})
            self.admin.on_topic(f"{P}/reply/{command}")
        operator.on_topic(f"{P}/reply/ping")
        self.fence(operator)
        seen = {m.topic[len(P) + 1:].split("/")[0] for m in operator.messages}
        self.assertLessEqual(seen, VIEWS | {"reply"})
        self.assertEqual([m for m in operator.messages if "/reply/config" in m.topic], [])

    def test_a_gateway_gives_no_commands(self):
        """A stolen account of one gateway: no message reaches the others."""
        self.nothing_came_of(self.user("gateway"), INCOMING)

    def test_a_gateway_reads_no_stream(self):
        gateway = self.user("gateway").subscribe(P + "/#")
        self.admin.publish(f"{P}/emit/lamp/set", b'"a"')
        self.admin.event("lamp.set")
        self.admin.publish(f"{P}/emit/lamp/set", b'"b"')
        gateway.message("the emit", lambda m: m.payload == b'"b"')
        seen = {m.topic[len(P) + 1:].split("/")[0] for m in gateway.messages}
        self.assertLessEqual(seen, {"emit", "status", "info", "input", "output", "playlist"})
        self.assertIn("emit", seen)

    def test_nobody_else_gets_in(self):
        for name, user in (("anonymous", None), ("wrong password", ("operator", "guess")),
                           ("unknown", ("admin", "4dministrator"))):
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
        """An ACL that lacks a topic."""
        acl = self.directory / "etc" / "acl"
        rule = "topic write cuebus/1/+/bus/#"
        self.assertIn(rule, acl.read_text())
        acl.write_text(acl.read_text().replace(rule, "topic write cuebus/1/+/bus/test/#"))
        self.broker.process.send_signal(signal.SIGHUP)
        self.admin.publish(f"{P}/emit/lamp/set", b"1")
        self.log_has(f"refused a message to '{P}/bus/lamp/set': Not authorized (0x87); allow this "
                     "client to publish there")

    @unittest.skipUnless(IS_V5, "MQTT 5 only")
    def test_a_reply_goes_where_the_broker_lets_it(self):
        """A response topic below another gateway's P/reply is refused."""
        other = P.rsplit("/", 1)[0] + "/other/reply/x"
        since = self.admin.mark()
        self.admin.publish(f"{P}/cmd/ping", {"request_id": "r"}, response=other)
        reply = self.admin.on_topic(f"{P}/reply/ping", since).json
        self.assertEqual(reply["error"]["code"], "refused")


if __name__ == "__main__":
    unittest.main()
