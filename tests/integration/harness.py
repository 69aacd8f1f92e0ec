# SPDX-License-Identifier: Apache-2.0
"""A test class with a mosquitto and a cuebus of its own, and clients that check every message; and
the names of the modules beside this one."""

import json
import pathlib
import shutil
import signal
import tempfile
import threading
import unittest
import uuid

# All that tests take from here.
from environment import (CUEBUS, GATEWAY_ID, IS_V5, PROTOCOL, SLOW, TIMEOUT_S, P,  # noqa: F401
                         answers, find_program, limit_s, mortal, until)
from gateway_process import Gateway, base_config
from message_checks import check_message, check_runs, check_sequence, missing_seqs  # noqa: F401
from mqtt_broker import BROKER_LINES, Broker
from mqtt_client import REGISTRY, Client, RefusedClient, strict_loads  # noqa: F401
from ports import free_port  # noqa: F401


class IntegrationTest(unittest.TestCase):
    """A broker, a gateway and a watcher for each test class. Everything that
    the watcher saw is checked when the class ends."""

    maxDiff = None
    broker_lines = BROKER_LINES

    @classmethod
    def config(cls):
        return base_config(cls.broker.port, cls.state_dir)

    @classmethod
    def setUpClass(cls):
        cls.directory = pathlib.Path(tempfile.mkdtemp(prefix="cuebus-it-"))
        cls.state_dir = cls.directory / "state"
        cls.state_dir.mkdir()
        cls.broker = Broker(cls.directory, cls.broker_lines)
        cls.gateway = None
        cls.clients = []
        try:
            cls.broker.start()
            cls.watcher = cls.connect("watcher").subscribe(P + "/#")
            # Asks and publishes; kept apart so that the watcher sees each message once.
            cls.control = cls.connect("control")
            cls.gateway = Gateway(cls.directory, cls.config())
            cls.start_gateway()
        except BaseException:
            cls._clean_up()
            raise

    @classmethod
    def connect(cls, name=None, protocol=PROTOCOL):
        client = Client(cls.broker, name, protocol)
        cls.clients.append(client)
        return client

    @classmethod
    def start_gateway(cls):
        since = cls.watcher.mark()
        cls.gateway.start()
        try:
            cls.wait_online(since)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{cls.gateway.log()}") from None

    @classmethod
    def wait_online(cls, since):
        def online():
            if cls.gateway.process.poll() is not None:
                raise AssertionError(f"the gateway ended with {cls.gateway.process.returncode}")
            return any(m.topic == P + "/status" and m.payload == b"online"
                       for m in cls.watcher.messages[since:])
        cls.watcher.wait("online", online)

    @classmethod
    def tearDownClass(cls):
        try:
            if cls.gateway and cls.gateway.process:
                since = cls.watcher.mark()
                cls.gateway.stop()
                cls.watcher.message("offline", lambda m: m.topic == P + "/status"
                                    and m.payload == b"offline", since)
            cls.check_all()
        finally:
            cls._clean_up()

    @classmethod
    def check_all(cls):
        errors = []
        for message in cls.watcher.messages:
            errors += [f"{message.topic}: {e}\n    {message.payload[:2000]!r}"
                       for e in check_message(message)]
        events = cls.watcher.events()
        errors += cls.check_gaps(events) + check_runs(events)
        if errors:
            raise AssertionError("\n".join(errors[:20]))

    @classmethod
    def check_gaps(cls, events):
        return check_sequence(events)

    @classmethod
    def _clean_up(cls):
        if cls.gateway:
            cls.gateway.kill()
        for client in cls.clients:
            client.close()
        cls.broker.stop()
        shutil.rmtree(cls.directory, ignore_errors=True)

    def setUp(self):
        # unittest runs on after a failure; without a gateway each test would
        # only wait for its timeout.
        process = self.gateway.process
        if process is not None and process.poll() is not None:
            self.fail(f"the gateway ended with {process.returncode}:\n{self.gateway.log()}")
        self.fence()

    def fence(self):
        """Nothing of an earlier test comes later than this."""
        self.ok("playlist/stop", {"all": True})
        self.catch_up()

    def catch_up(self):
        """A busy watcher is seconds behind: wait until it has read all that came before this."""
        token = uuid.uuid4().hex
        since = self.watcher.mark()
        self.emit("test.fence", token)
        self.watcher.event("test.fence", lambda e: e["data"] == token, since)

    def drain(self, since):
        """All that the broker has got of the stopped gateway is with the
        watcher: a broker keeps the order of what it forwards to one client."""
        for n in range(3):
            self.watcher.publish(f"{P}/emit/drain", b"%d" % n)
            self.watcher.message("drain", lambda m, n=n: m.topic == f"{P}/emit/drain"
                                 and m.payload == b"%d" % n, since)

    def break_broker(self, downtime_s):
        """SIGKILL the broker, let the gateway go on without it for a while, and
        start it again.

        What a broker has acknowledged and not yet forwarded dies with it: that
        loss is not the gateway's. So the gateway is held (SIGSTOP) until the
        watcher has all that the broker got, and held again until the watcher
        has subscribed to the new broker. What the gateway had in flight, and
        what it emits while there is no broker, stays in the test.
        """
        since = self.watcher.mark()
        self.gateway.signal(signal.SIGSTOP)
        self.drain(since)
        self.broker.kill()
        self.gateway.signal(signal.SIGCONT)
        threading.Event().wait(downtime_s)  # how long the fault lasts; nothing is waited for
        self.gateway.signal(signal.SIGSTOP)
        self.broker.start()
        since = self.watcher.mark()
        self.watcher.reconnect()
        self.control.reconnect()
        self.gateway.signal(signal.SIGCONT)
        self.wait_online(since)
        return since

    def emit(self, event_type, data=None, client=None):
        topic = P + "/emit/" + event_type.replace(".", "/")
        (client or self.control).publish(topic, json.dumps(data))

    def ok(self, command, payload=None, client=None):
        reply = (client or self.control).request(command, payload)
        self.assertTrue(reply["ok"], reply)
        return reply["result"]

    def fails(self, code, command, payload=None, path=None, client=None):
        reply = (client or self.control).request(command, payload)
        self.assertFalse(reply["ok"], reply)
        self.assertEqual(reply["error"]["code"], code, reply)
        if path is not None:
            self.assertEqual(reply["error"].get("path"), path, reply)
        return reply["error"]
