# SPDX-License-Identifier: Apache-2.0
"""Shared by the tests of the container rigs. They run in a container beside the rig, which is
running already, and start, stop and disconnect its containers."""

import os
import pathlib
import sys

os.environ.setdefault("CUEBUS", "cuebus")  # the harness wants it; nothing here starts it
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from harness import Client, RefusedClient, answers, until  # noqa: E402
from paho.mqtt.packettypes import PacketTypes  # noqa: E402
from paho.mqtt.properties import Properties  # noqa: E402

PASSWORDS = pathlib.Path("/run/passwords")
MQTT_PORT, WEBSOCKETS_PORT = 1883, 9001
SESSION_EXPIRY_S = 3600


class DurableClient(Client):
    """Its session outlasts its connection, and, as the rig's broker keeps it on disk, the
    broker's restart: what comes meanwhile is not lost to it."""

    def _connect(self):
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = SESSION_EXPIRY_S
        self._mqtt.connect(self.host, self.broker.port, keepalive=60, clean_start=False,
                           properties=properties)
        self._mqtt.loop_start()
        self.wait("connection", lambda: self.connected)

    def reconnect(self):
        with self.condition:
            self.connected = False
        self._mqtt.loop_stop()
        self._connect()


class RigBroker:
    """The listener of a broker that is one of the rig's services."""

    def __init__(self, host, port=MQTT_PORT):
        self.host = host
        self.port = port

    def client(self, account, kind=Client, **options):
        password = (PASSWORDS / account).read_text().strip()
        return kind(self, user=(account, password), **options)

    def refused(self, user):
        """The reason code with which this user is refused."""
        client = RefusedClient(self, user=user)
        client.close()
        return client.reason

    def wait(self):
        until(f"{self.host} listens", lambda: answers(self.host, self.port))


def report(text):
    """Print a measured value; it is not checked."""
    print(f"    {text}", file=sys.stderr, flush=True)
