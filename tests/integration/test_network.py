# SPDX-License-Identifier: Apache-2.0
"""Network faults: resets, hangs, missing and wrong brokers. No event is lost while the process
lives, and no network fault ends the gateway or keeps it from ending."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

from faulty_network import Proxy
from harness import (CUEBUS, GATEWAY_ID, IS_V5, P, Broker, Client, Gateway, check_message,
                     check_runs, check_sequence, find_program, free_port, mortal, until)

TICKS = 1000


class NetworkTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="cuebus-net-"))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.broker = self.new_broker("broker").start()
        self.proxy = Proxy(self.broker.port)
        self.addCleanup(self.proxy.close)

    def new_broker(self, name):
        directory = self.directory / name
        directory.mkdir()
        broker = Broker(directory)
        self.addCleanup(broker.stop)
        return broker

    def connect(self, broker=None):
        client = Client(broker or self.broker)
        self.addCleanup(client.close)
        return client

    def config(self, port, **mqtt):
        return {
            "version": 1,
            "gateway": {"id": GATEWAY_ID, "health_interval": "500ms"},
            "mqtt": {"url": f"mqtt://127.0.0.1:{port}", "protocol": 5 if IS_V5 else "3.1.1",
                     "keepalive": "2s", **mqtt},
            "playlists": {"burst": {"trigger": "burst.start", "steps": [
                {"emit": "burst.tick", "data": {"text": "x" * 50}, "repeat": TICKS,
                 "interval": "1ms"}]}},
        }

    def start(self, config):
        self.gateway = Gateway(self.directory, config)
        self.addCleanup(self.gateway.kill)
        self.gateway.start()
        return self.gateway

    def watch(self, broker=None):
        return self.connect(broker).subscribe(P + "/#")

    def online(self, client, since=0):
        client.message("online", lambda m: m.topic == P + "/status" and m.payload == b"online",
                       since)

    def log_has(self, text):
        try:
            until(f"'{text}' in the log", lambda: text in self.gateway.log(),
                  process=self.gateway.process)
        except AssertionError as error:
            raise AssertionError(f"{error}:\n{self.gateway.log()}") from None

    def stopped(self, client):
        return client.event("event.playlist.stopped")

    def check_complete(self, client):
        """Every tick once at least, in order, nothing missing."""
        events = client.events()
        self.assertEqual(check_sequence(events), [])
        self.assertEqual(check_runs(events), [])
        ticks = {e["seq"] for e in events if e["event_type"] == "burst.tick"}
        self.assertEqual(len(ticks), TICKS)
        self.assertEqual([e for e in events if e["event_type"] == "gateway.gap"], [])
        highest = events[0]["seq"] - 1
        for event in events:
            self.assertLessEqual(event["seq"], highest + 1, "a new event came out of order")
            highest = max(highest, event["seq"])
        for message in client.messages:
            self.assertEqual(check_message(message), [], message)

    # ---- another broker ----

    def test_a_reload_that_changes_the_broker_is_answered_on_the_old_one(self):
        other = self.new_broker("other").start()
        old, new = self.watch(), self.watch(other)
        config = self.config(self.broker.port, remote={"cmd": True})
        self.start(config)
        self.online(old)
        config["mqtt"]["url"] = f"mqtt://127.0.0.1:{other.port}"
        self.gateway.write(config)
        asking = self.connect()
        since = old.mark()
        self.assertTrue(asking.request("config/reload")["ok"])
        old.message("offline", lambda m: m.payload == b"offline", since)
        self.online(new)
        self.assertTrue(new.request("ping")["ok"])
        self.gateway.stop()

    # ---- broken connections ----

    def test_resets_lose_nothing(self):
        watcher = self.watch()
        self.start(self.config(self.proxy.port))
        self.online(watcher)
        for n in range(6):
            # In the middle of any packet.
            self.proxy.reset_after = 5000 + 7919 * n
            if n == 0:
                watcher.publish(f"{P}/emit/burst/start")
            until("reset", lambda: self.proxy.reset_after is None)
            self.online(watcher, watcher.mark())
        self.stopped(watcher)
        self.check_complete(watcher)
        self.gateway.stop()

    def test_hanging_connection_is_given_up(self):
        watcher = self.watch()
        self.start(self.config(self.proxy.port))
        self.online(watcher)
        watcher.publish(f"{P}/emit/burst/start")
        watcher.event("burst.tick")
        self.proxy.hang()
        self.log_has("lost after")
        self.proxy.drop_all()
        self.proxy.resume()
        self.stopped(watcher)
        self.check_complete(watcher)
        self.gateway.stop()

    def test_slow_connection_loses_nothing(self):
        watcher = self.watch()
        self.proxy.bytes_per_read = 512
        self.start(self.config(self.proxy.port, keepalive="30s"))
        self.online(watcher)
        watcher.publish(f"{P}/emit/burst/start")
        self.stopped(watcher)
        self.check_complete(watcher)
        self.gateway.stop()

    def test_events_of_before_the_first_connection_arrive(self):
        """The gateway starts without a broker; its events are sent later."""
        self.proxy.mute = True
        config = self.config(self.proxy.port)
        config["inputs"] = {"door": {"driver": "sim", "kind": "switch", "event": "door.changed"}}
        config["playlists"]["burst"]["trigger"] = "door.changed"
        watcher = self.watch()
        self.start(config)
        until("an attempt", lambda: self.proxy.connections, process=self.gateway.process)
        self.log_has("no connection to the broker")
        self.proxy.mute = False
        self.online(watcher)
        self.stopped(watcher)
        self.check_complete(watcher)
        self.assertEqual(watcher.events()[0]["seq"], 1)
        self.gateway.stop()

    def test_full_outbox_tells_what_it_gave_up(self):
        watcher = self.watch()
        config = self.config(self.proxy.port)
        config["limits"] = {"outbox_events": 100}
        self.start(config)
        self.online(watcher)
        watcher.publish(f"{P}/emit/burst/start")
        watcher.event("burst.tick")
        self.proxy.mute = True
        self.proxy.drop_all()
        # The run goes on without the broker until the outbox has lost some.
        self.log_has("lost after")
        self.log_has("no connection to the broker")
        self.proxy.mute = False
        self.proxy.drop_all()
        gap = watcher.event("gateway.gap")["data"]
        self.assertEqual(gap["reason"], "outbox_full")
        self.stopped(watcher)

        def account():
            seen = {e["seq"] for e in watcher.events()}
            gaps = [e["data"] for e in watcher.events("gateway.gap")]
            told = {n for g in gaps for n in range(g["from_seq"], g["to_seq"] + 1)}
            return set(range(1, max(seen) + 1)) - seen, gaps, told

        def all_told():
            missing, _, told = account()
            return missing <= told
        # While a run fills the outbox again there is no room for the news.
        until("every event is sent or named", all_told, process=self.gateway.process)
        self.gateway.stop()
        missing, gaps, told = account()
        self.assertGreater(len(missing), 0)
        self.assertLessEqual(missing, told)
        counts = {(g["from_seq"], g["to_seq"]): g["count"] for g in gaps}
        # What was in flight when the connection broke may have arrived all the same.
        self.assertGreaterEqual(sum(counts.values()), len(missing))
        self.assertLessEqual(sum(counts.values()), len(missing) + 20)

    # ---- ending ----

    def test_stops_while_the_broker_hangs(self):
        watcher = self.watch()
        self.start(self.config(self.proxy.port, keepalive="60s"))
        self.online(watcher)
        self.proxy.hang()
        watcher.publish(f"{P}/emit/burst/start")
        self.gateway.stop()  # exit code 0, in time
        self.assertIn("SIGTERM: stopping", self.gateway.log())

    def test_stops_while_there_is_no_broker(self):
        self.start(self.config(free_port()))
        self.log_has("no connection to the broker")
        self.gateway.stop()
        self.assertIn("stopped", self.gateway.log())

    def test_a_stop_without_a_broker_claims_nothing(self):
        config = self.config(free_port())
        config["inputs"] = config["gestures"] = {}  # so that nothing waits
        self.start(config)
        self.log_has("gateway 'it'")
        self.gateway.stop()
        self.assertNotIn("everything was published", self.gateway.log())
        self.assertIn("stopped without a connection to the broker, nothing was waiting for it",
                      self.gateway.log())

    def test_kill_is_told_by_the_will(self):
        watcher = self.watch()
        self.start(self.config(self.broker.port))
        self.online(watcher)
        self.gateway.kill()
        watcher.message("the will", lambda m: m.topic == P + "/status"
                        and m.payload == b"offline")

    # ---- client ids ----

    def test_a_broker_that_closes_without_a_reason(self):
        """As mosquitto 2.0 and MQTT 3.1.1 do when another client takes the id: the log names
        what is known, and guesses nothing."""
        watcher = self.watch()
        self.start(self.config(self.broker.port))
        self.online(watcher)
        other = Client(self.broker, "cuebus-" + GATEWAY_ID)
        self.addCleanup(other.close)
        told = ("connections in a row within a minute and gave no reason: look for it in the "
                "broker's log")
        # Later ones say it, over MQTT 5.
        until(told, lambda: told in self.gateway.log()
              or IS_V5 and "another client took over" in self.gateway.log(),
              process=self.gateway.process)
        if told in self.gateway.log():
            self.assertNotIn("another client", self.gateway.log())
        other.close()
        self.gateway.stop()

    @unittest.skipUnless(IS_V5, "MQTT 3.1.1 has no reason codes")
    def test_a_takeover_is_named(self):
        watcher = self.watch()
        self.start(self.config(self.proxy.port))
        self.online(watcher)
        self.proxy.inject(bytes([0xE0, 0x02, 0x8E, 0x00]))  # DISCONNECT, Session taken over
        self.log_has("another client took over the client id 'cuebus-it'")
        self.gateway.stop()

    def test_password_is_read_again_and_never_logged(self):
        broker = self.new_broker("secured")
        users = self.directory / "users"
        subprocess.run(["mosquitto_passwd", "-b", "-c", str(users), "porch", "s3cret"], check=True)
        os.chmod(users, 0o644)
        port = free_port()
        (broker.directory / "mosquitto.conf").write_text(
            f"user root\nlistener {port} 127.0.0.1\nallow_anonymous false\n"
            f"password_file {users}\n")
        process = subprocess.Popen(mortal([find_program("mosquitto"), "-c",
                                           str(broker.directory / "mosquitto.conf")]),
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        password = self.directory / "password"
        password.write_text("wr0ng\n")
        self.start(self.config(port, username="porch", password_file=str(password)))
        self.log_has("no connection to the broker")
        password.write_text("s3cret\n")
        self.log_has("connected to mqtt://")
        password.unlink()
        self.gateway.stop()
        self.assertNotIn("wr0ng", self.gateway.log())
        self.assertNotIn("s3cret", self.gateway.log())

    def test_tls_checks_the_broker(self):
        ca, key, port = self.directory / "ca.pem", self.directory / "key.pem", free_port()
        other = self.directory / "other.pem"
        for cert, private in ((ca, key), (other, self.directory / "other-key.pem")):
            subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days",
                            "2", "-subj", "/CN=localhost", "-addext",
                            "subjectAltName=DNS:localhost", "-keyout", str(private), "-out",
                            str(cert)], check=True, capture_output=True)
        os.chmod(key, 0o644)
        conf = self.directory / "tls.conf"
        conf.write_text(f"user root\nlistener {port} 127.0.0.1\nallow_anonymous true\n"
                        f"certfile {ca}\nkeyfile {key}\n")
        process = subprocess.Popen(mortal([find_program("mosquitto"), "-c", str(conf)]),
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        url = f"mqtts://localhost:{port}"
        self.start(self.config(port, url=url, ca_file=str(other)))
        self.log_has("no connection to the broker")
        self.gateway.write(self.config_text(self.config(port, url=url, ca_file=str(ca))))
        self.gateway.signal(signal.SIGHUP)
        self.log_has("connected to mqtts://localhost")

        def healthy():
            return subprocess.run([CUEBUS, "healthcheck", "-c", str(self.gateway.path)], check=False,
                                  capture_output=True).returncode == 0
        # Connected is said before it has subscribed to what the healthcheck asks.
        until("a healthcheck that is content", healthy, process=self.gateway.process)
        self.gateway.stop()

    @staticmethod
    def config_text(config):
        import json
        return json.dumps(config)

    # ---- reload ----

    def test_reload_moves_to_another_broker(self):
        first, second = self.broker, self.new_broker("second").start()
        here, there = self.watch(first), self.watch(second)
        self.start(self.config(first.port))
        self.online(here)
        self.gateway.write(self.config_text(self.config(second.port)))
        self.gateway.signal(signal.SIGHUP)
        self.online(there)
        here.message("offline at the old broker", lambda m: m.topic == P + "/status"
                     and m.payload == b"offline")
        there.publish(f"{P}/emit/burst/start")
        self.stopped(there)
        self.gateway.stop()

    def test_reload_refuses_another_prefix(self):
        watcher = self.watch()
        self.start(self.config(self.broker.port))
        self.online(watcher)
        self.gateway.write(self.config_text(self.config(self.broker.port, topic_prefix="other")))
        self.gateway.signal(signal.SIGHUP)
        self.log_has("mqtt.topic_prefix changed: that needs a restart")
        watcher.publish(f"{P}/emit/burst/start")
        self.stopped(watcher)
        self.gateway.stop()

    # ---- healthcheck ----

    def healthcheck(self, time="2s"):
        result = subprocess.run([CUEBUS, "healthcheck", "-c", str(self.gateway.path), "-t", time],
                                capture_output=True, text=True)
        self.assertEqual(len(result.stdout.splitlines()), 1, result)
        return result

    def test_healthcheck_keeps_its_time(self):
        """A broker that accepts the connection and never answers."""
        with socket.create_server(("127.0.0.1", 0)) as silent:
            self.gateway = Gateway(self.directory, self.config(silent.getsockname()[1]))
            result = self.healthcheck()
        self.assertEqual(result.returncode, os.EX_UNAVAILABLE)
        self.assertIn("did not answer within 2.0 s", result.stdout)

    def test_healthcheck(self):
        watcher = self.watch()
        self.start(self.config(self.broker.port))
        self.online(watcher)
        result = self.healthcheck("60s")
        self.assertEqual(result.returncode, 0, result)
        self.assertTrue(result.stdout.startswith(f"ok: gateway '{GATEWAY_ID}' is up"), result)
        self.gateway.stop()
        result = self.healthcheck()
        self.assertEqual(result.returncode, 69, result)
        self.assertIn("did not answer", result.stdout)
        self.broker.stop()
        result = self.healthcheck()
        self.assertEqual(result.returncode, 69, result)
        self.assertIn("no connection to the broker", result.stdout)


if __name__ == "__main__":
    unittest.main()
