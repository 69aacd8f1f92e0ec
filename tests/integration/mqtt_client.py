# SPDX-License-Identifier: Apache-2.0
"""An MQTT client that keeps all it receives, and one that is refused."""

import json
import pathlib
import ssl
import sys
import threading
import time
import uuid

import paho.mqtt.client as mqtt
from environment import PROTOCOL, TIMEOUT_S, P
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "schema"))
from cuebus_schemas import Registry, strict_loads  # noqa: E402

# paho-mqtt 2 asks which arguments the callbacks take; 1.6 knows one kind only.
CALLBACKS = ({"callback_api_version": mqtt.CallbackAPIVersion.VERSION2}
             if hasattr(mqtt, "CallbackAPIVersion") else {})

REGISTRY = Registry()


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

    keepalive_s = 60

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
            client_id=self.name, protocol=mqtt.MQTTv5 if self.is_v5 else mqtt.MQTTv311, transport=transport,
            **({} if self.is_v5 else {"clean_session": True}), **CALLBACKS,
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
        self._mqtt.connect(self.host, self.broker.port, keepalive=self.keepalive_s)
        self._mqtt.loop_start()
        self.wait("connection", lambda: self.connected)

    def reconnect(self):
        """After the broker was restarted; subscribes again."""
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

    def _on_publish(self, client, userdata, mid, reason=None, properties=None):
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
        self._mqtt.connect(self.host, self.broker.port, keepalive=self.keepalive_s)
        self._mqtt.loop_start()
        self.wait("CONNACK", lambda: self.reason is not None)

    def _on_connect(self, client, userdata, flags, reason, properties=None):
        with self.condition:
            self.reason = int(getattr(reason, "value", reason))
            self.condition.notify_all()
