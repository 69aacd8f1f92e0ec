# SPDX-License-Identifier: Apache-2.0
"""A broker's name with several addresses, and the broker on the second: the first refuses, never
answers, or is another service. TLS checks the name, not the address. If no address works, one
message names each with its error."""

import pathlib
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import unittest

import namespace
from certificates import Authority
from connection import ConnectionTest
from faulty_network import Proxy
from harness import P, Client, free_port, limit_s

NAME = "broker.test"
CANDIDATES = ("127.0.0.1", "127.0.0.2", "127.0.0.3")


class Full:
    """A port whose queue of connections is full: a client gets no answer."""

    def __init__(self, at):
        self.listener = socket.create_server(at, backlog=0)
        self.filling = []
        # As many as the kernel takes.
        for _ in range(8):
            s = socket.socket()
            s.setblocking(False)
            s.connect_ex(at)
            self.filling.append(s)

    def close(self):
        for s in (*self.filling, self.listener):
            s.close()


class Serving:
    """A TLS server that closes after the handshake, and remembers the name it was asked for."""

    def __init__(self, at, pair):
        self.names = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*pair)
        context.sni_callback = lambda _, name, __: self.names.append(name)
        self.context = context
        self.listener = socket.create_server(at)
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
                connection.settimeout(limit_s(5))
                self.context.wrap_socket(connection, server_side=True).close()
            except (ssl.SSLError, TimeoutError, ConnectionError):
                continue
            except OSError:
                return

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


class Addresses(ConnectionTest):
    @classmethod
    def setUpClass(cls):
        cls.pki = pathlib.Path(tempfile.mkdtemp(prefix="cuebus-pki-"))
        cls.addClassCleanup(shutil.rmtree, cls.pki, ignore_errors=True)
        cls.ca = Authority(cls.pki, "authority")
        cls.named = cls.ca.sign("named", f"DNS:{NAME}")
        cls.addressed = cls.ca.sign("addressed", ",".join(f"IP:{a}" for a in CANDIDATES))

    def setUp(self):
        namespace.enter()
        super().setUp()
        self.cover("nsswitch.conf", "hosts: files\n")
        self.name_has(CANDIDATES[:2])
        self.port = free_port()
        self.first, self.second = self.order()

    def cover(self, name, text):
        path = self.directory / name
        path.write_text(text)
        namespace.cover(f"/etc/{name}", path)
        self.addCleanup(subprocess.run, ["umount", f"/etc/{name}"], check=True)

    def name_has(self, addresses):
        self.cover("hosts", "127.0.0.1 localhost\n"
                   + "".join(f"{a} {NAME}\n" for a in addresses))

    @staticmethod
    def order():
        """The system's own, asked by a process that has read /etc/hosts afresh."""
        code = (f"import socket; print(*[i[4][0] for i in socket.getaddrinfo('{NAME}', 1, 0, "
                "socket.SOCK_STREAM)])")
        return subprocess.run(["/usr/bin/python3", "-c", code], check=True, capture_output=True,
                              text=True, timeout=limit_s(60)).stdout.split()

    def open(self, kind, *arguments):
        peer = kind(*arguments)
        self.addCleanup(peer.close)
        return peer

    def broker_at_second(self, *lines):
        self.broker = self.new_broker("broker", "allow_anonymous true", *lines)
        proxy = Proxy(self.broker.port, at=(self.second, self.port))
        self.addCleanup(proxy.close)
        return proxy

    def tls_broker_at_second(self, pair):
        return self.broker_at_second(f"certfile {pair[0]}", f"keyfile {pair[1]}")

    def tls(self, **mqtt):
        return self.config(f"mqtts://{NAME}:{self.port}", ca_file=str(self.ca.pem), **mqtt)

    def plain(self):
        return self.config(f"mqtt://{NAME}:{self.port}")

    def connects(self, config):
        self.start(config)
        self.log_has(f"connected to {config['mqtt']['url']} ({self.second})")
        self.assertNotIn("no connection", self.gateway.log())
        self.becomes_healthy()
        self.gateway.stop()

    # ---- the second address works ----

    def test_the_first_refuses(self):
        self.broker_at_second()
        self.connects(self.plain())

    def test_the_first_swallows(self):
        self.open(Full, (self.first, self.port))
        self.broker_at_second()
        self.connects(self.plain())

    def test_the_first_is_mute(self):
        proxy = self.open(lambda: Proxy(1, at=(self.first, self.port)))
        proxy.mute = True
        self.broker_at_second()
        self.connects(self.plain())

    def test_tls_by_name(self):
        """The certificate has the name and no address."""
        self.tls_broker_at_second(self.named)
        self.connects(self.tls())

    def test_tls_after_one_that_swallows(self):
        self.open(Full, (self.first, self.port))
        self.tls_broker_at_second(self.named)
        self.connects(self.tls())

    def test_tls_after_a_stranger(self):
        """The first address has a certificate for another name: nothing is sent to it."""
        self.open(Serving, (self.first, self.port), self.ca.sign("other", "DNS:other.test"))
        self.tls_broker_at_second(self.named)
        self.connects(self.tls())

    def test_ipv6(self):
        self.name_has(["::1", "127.0.0.1"])
        self.first, self.second = self.order()
        self.broker_at_second()
        self.connects(self.plain())

    def test_the_name_is_asked_for(self):
        """SNI: the configured name, though paho connects to an address."""
        server = self.open(Serving, (self.first, self.port), self.named)
        self.tls_broker_at_second(self.named)
        self.connects(self.tls())
        self.assertEqual(set(server.names), {NAME})

    # ---- what is not ----

    def test_tls_by_address_is_not_enough(self):
        """A certificate for the addresses is none for the name."""
        proxy = self.tls_broker_at_second(self.addressed)
        line = self.fails_once_and_quietly(
            self.tls(), (f"{NAME}:{self.port}: no address works, of 2 tried",
                         f"at {self.first}: Connection refused",
                         f"at {self.second}: the broker's certificate is for '127.0.0.1, ",
                         f"not for '{NAME}'"), proxy)
        self.assertIn(" error: ", line)

    def test_each_is_named_with_what_was_found_there(self):
        self.name_has(CANDIDATES)
        order = self.order()
        self.open(Full, (order[0], self.port))
        proxy = self.open(lambda: Proxy(1, at=(order[1], self.port)))
        proxy.mute = True
        self.fails_once_and_quietly(
            self.plain(), ("no address works, of 3 tried",
                           f"at {order[0]}: Connection timed out",
                           f"at {order[1]}: reached, but there was no answer",
                           f"at {order[2]}: Connection refused; is the broker running"),
            proxy, attempts=2)

    def test_too_many(self):
        """Each can take seconds: eight are tried."""
        self.name_has([f"127.0.0.{n}" for n in range(2, 14)])
        self.start(self.plain())
        self.log_has("no address works, of 8 tried (it has more)")
        self.gateway.stop()

    def test_events_arrive_by_the_second(self):
        self.broker_at_second()
        watcher = Client(self.broker)
        self.addCleanup(watcher.close)
        watcher.subscribe(P + "/#")
        self.start(self.plain())
        watcher.message("online", lambda m: m.payload == b"online")
        watcher.publish(f"{P}/emit/lamp/set", b"1")
        watcher.event("lamp.set")
        self.gateway.stop()


if __name__ == "__main__":
    unittest.main()
