# SPDX-License-Identifier: Apache-2.0
"""A mosquitto and a cuebus of the test's own, and clients that check all they see.

Nothing here sleeps to let something happen: what is waited for is a message,
a process's end or a port. Environment: CUEBUS (the binary), CUEBUS_PROTOCOL
(5 or 3.1.1), CUEBUS_WRAPPER (a command put before the gateway, e.g. valgrind),
CUEBUS_SLOW (factor on all timeouts), CUEBUS_GATEWAY_ID (for tests of a gateway
that runs already).
"""

import json
import os
import pathlib
import shlex
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import uuid

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "schema"))
from cuebus_schemas import Registry, strict_loads  # noqa: E402

CUEBUS = os.environ["CUEBUS"]
PROTOCOL = os.environ.get("CUEBUS_PROTOCOL", "5")
IS_V5 = PROTOCOL == "5"
SLOW = float(os.environ.get("CUEBUS_SLOW", "1"))
TIMEOUT_S = 30 * SLOW
GATEWAY_ID = os.environ.get("CUEBUS_GATEWAY_ID", "it")
P = "cuebus/1/" + GATEWAY_ID

ENVELOPE_KEYS = [
    "event_type", "producer_id", "timestamp", "data", "boot_id", "seq", "monotonic_us", "cause_seq",
]
REGISTRY = Registry()

# Schema of the data, for the event types of the test configuration.
DATA_SCHEMAS = {
    "button.press": "input.button",
    "button.release": "input.button",
    "estop.changed": "input.switch",
    "dial.turned": "input.rotary",
    "rain.pulse": "input.counter",
    "button.double_tap": "gesture.taps",
    "sensor.combo": "gesture.simultaneous",
    "lock.opened": "gesture.sequence",
    "mic.level.gated": "gesture.mirror",
    "color.cycle.complete": "completion",
}


def find_program(name):
    """Debian keeps mosquitto in /usr/sbin, which is not in everybody's PATH."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
    found = shutil.which(name, path=path)
    if not found:
        raise FileNotFoundError(f"{name} is not installed; run scripts/setup")
    return found


def mortal(command):
    """The command, to die with this test: also when ctest kills it (TIMEOUT)."""
    return ["setpriv", "--pdeathsig", "KILL", *command]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def answers(host, port):
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def until(what, condition, timeout_s=TIMEOUT_S, process=None):
    """Poll what has no message to wait for (a port, a file)."""
    deadline = time.monotonic() + timeout_s
    while True:
        result = condition()
        if result:
            return result
        if process is not None and process.poll() is not None:
            raise AssertionError(f"{what}: the process ended with {process.returncode}")
        if time.monotonic() > deadline:
            raise AssertionError(f"timeout: {what}")
        time.sleep(0.01)


BROKER_LINES = ("allow_anonymous true", "max_queued_messages 0")


class Broker:
    """With `lines` its configuration is these, under a listener of its own."""

    host = "127.0.0.1"

    def __init__(self, directory, lines=BROKER_LINES,
                 environment=None):
        self.directory = pathlib.Path(directory)
        self.lines = lines
        self.environment = environment
        self.process = None
        self.port = None

    def start(self):
        """On a restart the same port; at first a free one (another process may
        take it in between: then the next is tried)."""
        fixed = self.port
        for _ in range(20):
            self.port = fixed or free_port()
            config = self.directory / "mosquitto.conf"
            config.write_text(
                f"user root\nlistener {self.port} 127.0.0.1\npersistence false\n"
                "set_tcp_nodelay true\nlog_type error\nlog_type warning\n"
                + "\n".join(self.lines) + "\n"
            )
            log = open(self.directory / "mosquitto.log", "ab")
            self.process = subprocess.Popen(
                mortal([find_program("mosquitto"), "-c", str(config)]),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=dict(os.environ, **(self.environment or {})),
            )
            log.close()
            try:
                until("broker's port", self._answers, process=self.process)
                return self
            except AssertionError:
                self.stop()
        raise AssertionError("mosquitto does not start: "
                             + (self.directory / "mosquitto.log").read_text())

    def _answers(self):
        return answers(self.host, self.port)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()


class Message:
    def __init__(self, topic, payload, retain, qos, properties):
        self.topic = topic
        self.payload = payload
        self.retain = retain
        self.qos = qos
        self.correlation = getattr(properties, "CorrelationData", None)
        self.expiry = getattr(properties, "MessageExpiryInterval", None)
        self.time = time.monotonic()

    @property
    def json(self):
        return strict_loads(self.payload.decode("utf-8"))

    def __repr__(self):
        return f"<{self.topic} {self.payload[:300]!r}>"


class Client:
    """An MQTT client that keeps every message it gets, in order."""

    def __init__(self, broker, name=None, protocol=PROTOCOL, user=None, ca=None, prefix=P,
                 transport="tcp"):
        """broker: host and port; user: name and password; ca: PEM file, for TLS; prefix: of
        the gateway that requests and events are of."""
        self.prefix = prefix
        self.is_v5 = protocol == "5"
        self.name = name or "test-" + uuid.uuid4().hex[:8]
        self.messages = []
        self.condition = threading.Condition()
        self._filters = []
        self._subscribed = 0
        self._acked = set()
        self._mqtt = mqtt.Client(
            self.name, protocol=mqtt.MQTTv5 if self.is_v5 else mqtt.MQTTv311, transport=transport,
            **({} if self.is_v5 else {"clean_session": True}),
        )
        self._mqtt.on_message = self._on_message
        self._mqtt.on_connect = self._on_connect
        self._mqtt.on_subscribe = self._on_subscribe
        self._mqtt.on_publish = self._on_publish
        if user:
            self._mqtt.username_pw_set(*user)
        self.host = broker.host
        if ca:
            self.host = "localhost"
            self._mqtt.tls_set_context(ssl.create_default_context(cafile=ca))
        self.broker = broker
        self.connected = False
        self._connect()

    def _connect(self):
        self._mqtt.connect(self.host, self.broker.port, keepalive=60)
        self._mqtt.loop_start()
        self.wait("connection", lambda: self.connected)

    def reconnect(self):
        """After the broker was started again; subscriptions are made anew."""
        with self.condition:
            self.connected = False
            self._subscribed = 0
        self._mqtt.loop_stop()
        self._connect()
        filters, self._filters = self._filters, []
        for topic in filters:
            self.subscribe(topic)

    def close(self):
        self._mqtt.disconnect()
        self._mqtt.loop_stop()

    # Callbacks run in paho's thread.
    def _on_connect(self, client, userdata, flags, reason, properties=None):
        with self.condition:
            self.connected = reason == 0
            self.condition.notify_all()

    def _on_subscribe(self, client, userdata, mid, codes, properties=None):
        with self.condition:
            self._subscribed += 1
            self.condition.notify_all()

    def _on_publish(self, client, userdata, mid):
        with self.condition:
            self._acked.add(mid)
            self.condition.notify_all()

    def _on_message(self, client, userdata, message):
        kept = Message(message.topic, bytes(message.payload), message.retain, message.qos,
                       getattr(message, "properties", None))
        with self.condition:
            self.messages.append(kept)
            self.condition.notify_all()

    def wait(self, what, predicate, timeout_s=TIMEOUT_S):
        """Wait until predicate() is true; it is asked again after every message."""
        deadline = time.monotonic() + timeout_s
        with self.condition:
            while True:
                result = predicate()
                if result:
                    return result
                left = deadline - time.monotonic()
                if left <= 0:
                    tail = "\n  ".join(map(repr, self.messages[-15:]))
                    raise AssertionError(f"timeout: {what}; the last messages:\n  {tail}")
                # Not to the end: what predicate looks at may be no message.
                self.condition.wait(min(left, 0.5))

    def subscribe(self, topic):
        self._filters.append(topic)
        expected = self._subscribed + 1
        if self.is_v5:
            self._mqtt.subscribe(topic, options=SubscribeOptions(qos=1, retainAsPublished=True))
        else:
            self._mqtt.subscribe(topic, qos=1)
        self.wait("SUBACK", lambda: self._subscribed >= expected)
        return self

    def publish(self, topic, payload=b"", qos=1, retain=False, response=None, correlation=None,
                expiry_s=None, wait=True):
        """wait: until the broker has it; not, where an answer to it is waited for anyway."""
        properties = None
        if self.is_v5:
            properties = Properties(PacketTypes.PUBLISH)
            if response is not None:
                properties.ResponseTopic = response
            if correlation is not None:
                properties.CorrelationData = correlation
            if expiry_s is not None:
                properties.MessageExpiryInterval = expiry_s
        if isinstance(payload, (dict, list)):
            payload = json.dumps(payload)
        info = self._mqtt.publish(topic, payload, qos, retain, properties)
        if info.rc != mqtt.MQTT_ERR_SUCCESS:
            raise AssertionError(f"publish to {topic}: {mqtt.error_string(info.rc)}")
        if wait:
            self.wait("PUBACK", lambda: info.mid in self._acked)

    def message(self, what, predicate, since=0, timeout_s=TIMEOUT_S):
        """The first message from index `since` on for which predicate holds; it is asked
        about each one once, however many there are."""
        unseen = since

        def find():
            nonlocal unseen
            while unseen < len(self.messages):
                unseen += 1
                if predicate(self.messages[unseen - 1]):
                    return self.messages[unseen - 1]
            return None
        return self.wait(what, find, timeout_s)

    def on_topic(self, topic, since=0, timeout_s=TIMEOUT_S):
        return self.message(topic, lambda m: m.topic == topic, since, timeout_s)

    def mark(self):
        with self.condition:
            return len(self.messages)

    def events(self, event_type=None, since=0):
        """Envelopes seen so far."""
        with self.condition:
            messages = self.messages[since:]
        found = [m.json for m in messages if m.topic.startswith(self.prefix + "/bus/")]
        return [e for e in found if event_type is None or e["event_type"] == event_type]

    def event(self, event_type, condition=lambda e: True, since=0, timeout_s=TIMEOUT_S):
        topic = self.prefix + "/bus/" + event_type.replace(".", "/")
        found = self.message(f"event {event_type}",
                             lambda m: m.topic == topic and condition(m.json), since, timeout_s)
        return found.json

    def request(self, command, payload=None, timeout_s=TIMEOUT_S):
        """Run a command; the reply, checked against its schema."""
        reply = self.request_raw(command, payload, timeout_s)
        errors = REGISTRY.errors("reply." + command.replace("/", "."), reply)
        if errors:
            raise AssertionError(f"reply to {command}: {reply}: {errors}")
        return reply

    def request_raw(self, command, payload=None, timeout_s=TIMEOUT_S):
        """Over MQTT 5 by Response Topic and Correlation Data, over 3.1.1 by
        request_id; a payload of bytes is sent as it is."""
        token = uuid.uuid4().hex
        since = self.mark()
        if self.is_v5:
            response = f"{self.prefix}/reply/{self.name}"
            if response not in self._filters:
                self.subscribe(response)
            self.publish(f"{self.prefix}/cmd/{command}", {} if payload is None else payload,
                         response=response, correlation=token.encode())
            message = self.message(f"reply to {command}",
                                   lambda m: m.topic == response
                                   and m.correlation == token.encode(), since, timeout_s)
            return message.json
        topic = f"{self.prefix}/reply/{command}"
        if topic not in self._filters:
            self.subscribe(topic)
        raw = isinstance(payload, bytes)
        if not raw:
            payload = dict(payload or {}, request_id=token)
        since = self.mark()
        self.publish(f"{self.prefix}/cmd/{command}", payload)
        message = self.message(
            f"reply to {command}",
            lambda m: m.topic == topic and (raw or m.json["request_id"] == token), since, timeout_s)
        return message.json


class RefusedClient(Client):
    """Waits for the broker's refusal."""

    def _connect(self):
        self.reason = None
        self._mqtt.connect(self.host, self.broker.port, keepalive=60)
        self._mqtt.loop_start()
        self.wait("CONNACK", lambda: self.reason is not None)

    def _on_connect(self, client, userdata, flags, reason, properties=None):
        with self.condition:
            self.reason = int(getattr(reason, "value", reason))
            self.condition.notify_all()


def base_config(port, state_dir=None):
    config = {
        "version": 1,
        "gateway": {"id": GATEWAY_ID, "health_interval": "500ms"},
        "mqtt": {
            "url": f"mqtt://127.0.0.1:{port}",
            "protocol": 5 if IS_V5 else "3.1.1",
            "reply_prefixes": ["clients/"],
            "qos": {"quiet.*": "off", "color.update": 0},
        },
        "limits": {"payload_bytes": 4096},
        "inputs": {
            "pad": {"driver": "sim", "kind": "button", "producer_id": 7, "event": "button.press",
                    "release_event": "button.release", "data": {"code": "up"}},
            "estop": {"driver": "sim", "kind": "switch", "producer_id": 3, "event": "estop.changed"},
            "dial": {"driver": "sim", "kind": "rotary", "producer_id": 2, "event": "dial.turned"},
            "rain": {"driver": "sim", "kind": "counter", "producer_id": 9, "event": "rain.pulse"},
        },
        "gestures": {
            "button.double": {"type": "double_tap", "source": "button.press", "window": "30s",
                              "emit": "button.double_tap", "metadata": {"gesture": "double"}},
            "sensor.pair": {"type": "simultaneous", "source": "sensor.trigger", "window": "30s",
                            "required_sources": 2, "emit": "sensor.combo"},
            "lock": {"type": "sequence", "timeout": "60s", "emit": "lock.opened", "steps": [
                {"event": "key.press", "match": {"key": 1}},
                {"event": "key.press", "match": {"key": 2}}]},
            "mic.gated": {"type": "gated_mirror", "gate": ["mic.toggle"], "mirror": ["mic.level"],
                          "emit": "mic.level.gated", "output_producer_id": 99},
            "flash.on.door": {"type": "gated_playlist", "gate": ["door.changed"],
                              "playlist": "flash", "cancel_active_runs": True},
        },
        "playlists": {
            "color.cycle": {
                "trigger": "start.sequence",
                "interrupts": ["stop.sequence",
                               {"event": "heart.rate", "match": {"bpm": {"gt": 180}}}],
                "completion": "color.cycle.complete", "metadata": {"feature": "color"},
                "steps": [{"emit": "color.update", "data": {"value": 7}, "repeat": 3,
                           "interval": "20ms", "producer_id": 5},
                          {"emit": "horn.beep", "offset": "30ms"}]},
            "long": {"trigger": "long.start", "interrupts": ["stop.sequence"],
                     "steps": [{"emit": "long.tick", "repeat": 3600, "interval": "1s"}]},
            "only": {"mode": "single", "steps": [{"emit": "only.tick", "repeat": 3600,
                                                  "interval": "1s"}]},
            "burst": {"steps": [{"emit": "burst.tick", "repeat": 200, "interval": "10ms"}]},
            "flash": {"steps": [{"emit": "lamp.set", "data": {"on": True}},
                                {"emit": "lamp.set", "data": {"on": False}, "offset": "20ms"}]},
        },
    }
    if state_dir:
        config["gateway"]["state_dir"] = str(state_dir)
    return config


class Gateway:
    def __init__(self, directory, config):
        self.directory = pathlib.Path(directory)
        self.path = self.directory / "cuebus.json"
        self.write(config)
        self.process = None
        self.starts = 0

    def write(self, config):
        text = config if isinstance(config, str) else json.dumps(config, indent=2)
        self.path.write_text(text)

    @property
    def log_path(self):
        return self.directory / f"cuebus-{self.starts}.log"

    def log(self):
        return self.log_path.read_text("utf-8", "replace")

    def start(self, environment=None):
        self.starts += 1
        command = shlex.split(os.environ.get("CUEBUS_WRAPPER", ""))
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                mortal(command + [CUEBUS, "run", "-c", str(self.path)]),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=dict(os.environ, **(environment or {})),
            )
        return self

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self):
        """SIGTERM; the exit code must be 0 (a wrapper's findings make it another)."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.terminate()
        self.wait()

    def wait(self):
        try:
            code = self.process.wait(TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("the gateway did not end on SIGTERM:\n" + self.log()) from None
        finally:
            process, self.process = self.process, None
        if code != 0:
            raise AssertionError(f"the gateway ended with {code}:\n{self.log()}")
        return process

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


def check_message(message):
    """What is wrong with a message below P, by its topic."""
    below = message.topic[len(P) + 1:]
    if below in ("cmd", "emit") or below.startswith(("cmd/", "emit/")):
        return []
    if below == "status":
        return REGISTRY.errors("status", message.payload.decode())
    if message.payload == b"" and below.startswith(("input/", "playlist/")):
        return []  # the view was removed
    value = message.json
    if below in ("info", "health"):
        return REGISTRY.errors(below, value)
    if below.startswith(("input/", "playlist/")):
        return REGISTRY.errors("view." + below.split("/")[0], value)
    if below.startswith("reply/"):
        name = below.replace("/", ".")
        return REGISTRY.errors(name, value) if name in REGISTRY.schemas else []
    if below.startswith("bus/"):
        return check_event(below, message, value)
    return [f"a topic that the contract does not know: {message.topic}"]


def check_event(below, message, value):
    errors = REGISTRY.errors("envelope", value)
    if list(value) != ENVELOPE_KEYS:
        errors.append(f"order of keys: {list(value)}")
    if below != "bus/" + value["event_type"].replace(".", "/"):
        errors.append(f"{value['event_type']} on {message.topic}")
    if message.retain:
        errors.append("an event must not be retained")
    schema = DATA_SCHEMAS.get(value["event_type"])
    if schema:
        errors += REGISTRY.errors(schema, value["data"])
    return errors


def missing_seqs(events):
    """Per boot, what is missing between the first and the last seq."""
    seen = {}
    for event in events:
        seen.setdefault(event["boot_id"], set()).add(event["seq"])
    return {boot: sorted(set(range(min(seqs), max(seqs) + 1)) - seqs)
            for boot, seqs in seen.items()}


def check_sequence(events):
    """seq is without gaps per boot; what comes twice is the same."""
    seen = {}
    for event in events:
        key = (event["boot_id"], event["seq"])
        if seen.setdefault(key, event) != event:
            return [f"seq {key} twice with different content"]
    return [f"boot {boot}: seq missing: {missing[:10]}"
            for boot, missing in missing_seqs(events).items() if missing]


def check_runs(events):
    """No run stops twice, and nothing of it follows its `stopped`."""
    stopped, seen, errors = set(), set(), []
    for event in events:
        key = (event["boot_id"], event["seq"])
        if not event["event_type"].startswith("event.playlist.") or key in seen:
            continue
        seen.add(key)
        run = event["data"]["playlist_id"]
        if run in stopped:
            errors.append(f"{event['event_type']} after stopped of run {run}")
        if event["event_type"] == "event.playlist.stopped":
            stopped.add(run)
    return errors


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


def hang_up(signum, frame):
    raise KeyboardInterrupt


signal.signal(signal.SIGTERM, hang_up)
