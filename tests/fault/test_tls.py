# SPDX-License-Identifier: Apache-2.0
"""TLS and mutual TLS against a real mosquitto: a valid setup connects, and each fault gives one clear
message with the remedy."""

import os
import pathlib
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import unittest

from certificates import Authority, encrypt, openssl
from connection import ConnectionTest
from harness import free_port, mortal, until

# Allows what the distribution forbids, so that a refusal is the gateway's own.
PERMISSIVE = """openssl_conf = init
[init]
ssl_conf = ssl
[ssl]
system_default = default
[default]
MinProtocol = TLSv1
CipherString = DEFAULT@SECLEVEL=0
"""


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


class Resetting:
    """Takes connections, and resets each with its first byte."""

    def __init__(self):
        self.connections = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            connection.recv(1)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


class Tls(ConnectionTest):
    @classmethod
    def setUpClass(cls):
        cls.pki = pathlib.Path(tempfile.mkdtemp(prefix="cuebus-pki-"))
        cls.addClassCleanup(shutil.rmtree, cls.pki, ignore_errors=True)
        cls.ca, cls.other_ca = Authority(cls.pki, "authority"), Authority(cls.pki, "stranger")
        cls.good = cls.ca.sign("broker")
        cls.client = cls.ca.sign("client")

    def broker(self, pair, *lines, environment=None):
        """A broker with this certificate and key, and a proxy before it that counts."""
        broker = self.new_broker("broker", "allow_anonymous true", f"certfile {pair[0]}",
                                 f"keyfile {pair[1]}", *lines, environment=environment)
        self.proxy = self.new_proxy(broker.port)
        return broker

    def mutual(self, pair):
        return self.broker(pair, f"cafile {self.ca.pem}", "require_certificate true")

    def url(self, host="localhost"):
        return f"mqtts://{host}:{self.proxy.port}"

    def tls(self, host="localhost", ca=None, **mqtt):
        return self.config(self.url(host), ca_file=str(ca or self.ca.pem), **mqtt)

    def connects(self, config, environment=None):
        self.start(config, environment)
        self.log_has("connected to mqtts://")
        self.assertNotIn("no connection", self.gateway.log())
        self.becomes_healthy()
        self.gateway.stop()

    def fails(self, config, *says, environment=None, attempts=4):
        return self.fails_once_and_quietly(config, says, self.proxy, environment, attempts)

    # ---- what is well ----

    def test_by_name(self):
        self.broker(self.good)
        self.connects(self.tls())

    def test_by_address(self):
        self.broker(self.good)
        self.connects(self.tls("127.0.0.1"))

    def test_tls_1_2_is_enough(self):
        self.broker(self.good, environment=self.openssl_conf("MaxProtocol = TLSv1.2\n"))
        self.assertIn(b"TLSv1.2", openssl("s_client", "-connect", f"localhost:{self.proxy.port}",
                                          "-CAfile", self.ca.pem, stdin=subprocess.DEVNULL).stdout)
        self.connects(self.tls())

    def test_mutual(self):
        self.mutual(self.good)
        self.connects(self.tls(cert_file=str(self.client[0]), key_file=str(self.client[1])))

    # ---- the broker's certificate ----

    def test_wrong_authority(self):
        self.broker(self.good)
        line = self.fails(self.tls(ca=self.other_ca.pem), "is not signed by an authority of",
                          str(self.other_ca.pem), "set mqtt.ca_file")
        self.assertIn(" error: ", line)

    def test_ca_file_is_not_added_to_the_system_s(self):
        """With a ca_file only what is in it is trusted."""
        self.broker(self.good)
        self.fails(self.tls(ca=self.other_ca.pem), "is not signed by an authority of",
                   environment={"SSL_CERT_FILE": str(self.ca.pem)})

    def test_without_ca_file_the_system_s_authorities_count(self):
        self.broker(self.good)
        config = self.config(self.url())
        self.fails(config, "not signed by an authority of this system", "set mqtt.ca_file")
        self.start(config, {"SSL_CERT_FILE": str(self.ca.pem)})
        self.log_has("connected to mqtts://")
        self.gateway.stop()

    def test_self_signed(self):
        pem, key = self.pki / "self.pem", self.pki / "self.key"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout",
                key, "-out", pem)
        self.broker((pem, key))
        self.fails(self.tls(), "is not signed by an authority of")

    def test_expired(self):
        self.broker(self.ca.sign("expired", days=-1))
        self.fails(self.tls(), "the broker's certificate expired at 20", "renew it")

    def test_wrong_host_name(self):
        self.broker(self.ca.sign("elsewhere", "DNS:broker.example,IP:192.0.2.1"))
        self.fails(self.tls(), "is for 'broker.example, 192.0.2.1', not for 'localhost'")

    def test_wrong_address(self):
        self.broker(self.ca.sign("named", "DNS:localhost"))
        self.fails(self.tls("127.0.0.1"), "is for 'localhost', not for '127.0.0.1'")

    def test_name_that_begins_alike(self):
        """A certificate for a name is none for names above or below it."""
        self.broker(self.ca.sign("alike", "DNS:localhost.example,DNS:*.localhost,DNS:local"))
        self.fails(self.tls(), "not for 'localhost'")

    # ---- ours ----

    def test_client_certificate_missing(self):
        self.mutual(self.good)
        self.fails(self.tls(), "wants a client certificate", "set mqtt.cert_file and mqtt.key_file")

    def test_client_certificate_missing_by_tls_1_2(self):
        """Which has no alert of its own for that."""
        self.broker(self.good, f"cafile {self.ca.pem}", "require_certificate true",
                    environment=self.openssl_conf("MaxProtocol = TLSv1.2\n"))
        self.fails(self.tls(), "if it wants a client certificate, set mqtt.cert_file")

    def test_client_certificate_of_a_stranger(self):
        self.mutual(self.good)
        pem, key = self.other_ca.sign("strange")
        self.fails(self.tls(cert_file=str(pem), key_file=str(key)),
                   "refused the certificate in mqtt.cert_file")

    def test_client_certificate_expired(self):
        self.mutual(self.good)
        pem, key = self.ca.sign("old", days=-1)
        self.fails(self.tls(cert_file=str(pem), key_file=str(key)),
                   "refused the certificate in mqtt.cert_file", "expired")

    def test_files_that_are_not_there(self):
        self.broker(self.good)
        none = str(self.directory / "none.pem")
        pem, key = map(str, self.client)
        for name, config in (("ca_file", self.tls(ca=none)),
                             ("cert_file", self.tls(cert_file=none, key_file=key)),
                             ("key_file", self.tls(cert_file=pem, key_file=none))):
            with self.subTest(name):
                self.fails(config, f"mqtt.{name} '{none}'", "No such file or directory",
                           attempts=0)

    def test_files_that_are_no_good(self):
        self.broker(self.good)
        pem, key = map(str, self.client)
        empty = self.directory / "empty.pem"
        empty.write_text("nothing\n")
        encrypted = encrypt(self.client[1], self.directory / "encrypted.key")
        for name, config, says in (
                ("ca_file", self.tls(ca=empty), "PEM is expected"),
                ("key_file", self.tls(cert_file=pem, key_file=str(self.good[1])),
                 "does not belong to the certificate"),
                ("key_file", self.tls(cert_file=pem, key_file=str(encrypted)), "is encrypted")):
            with self.subTest(says):
                self.fails(config, f"mqtt.{name} '", says, attempts=0)

    def test_folders_in_place_of_files(self):
        self.broker(self.good)
        folder = str(self.directory)
        pem, key = map(str, self.client)
        for name, config in (("ca_file", self.tls(ca=folder)),
                             ("cert_file", self.tls(cert_file=folder, key_file=key)),
                             ("key_file", self.tls(cert_file=pem, key_file=folder))):
            with self.subTest(name):
                self.fails(config, f"mqtt.{name} '{folder}': it is a directory", attempts=0)

    # ---- no TLS that is good enough ----

    def openssl_conf(self, more):
        path = self.directory / "openssl.cnf"
        path.write_text(PERMISSIVE + more)
        return {"OPENSSL_CONF": str(path)}

    def test_tls_1_1_only(self):
        environment = self.openssl_conf("MaxProtocol = TLSv1.1\n")
        # Not mosquitto: 2.0.21 forbids it itself, whatever OpenSSL allows.
        port = free_port()
        server = subprocess.Popen(
            mortal(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", self.good[0],
                    "-key", self.good[1], "-tls1_1", "-quiet"]),
            env=os.environ | environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        self.proxy = self.new_proxy(port)
        until("the server", lambda: answers(port), process=server)
        # That it would be possible.
        spoken = openssl("s_client", "-connect", f"localhost:{self.proxy.port}", "-CAfile",
                         self.ca.pem, stdin=subprocess.DEVNULL,
                         env={"OPENSSL_CONF": environment["OPENSSL_CONF"], "PATH": "/usr/bin"})
        self.assertIn(b"TLSv1.1", spoken.stdout)
        permissive = self.directory / "permissive.cnf"
        permissive.write_text(PERMISSIVE)
        self.fails(self.tls(), "no TLS 1.2 or newer",
                   environment={"OPENSSL_CONF": str(permissive)})

    def test_weak_key_of_the_broker(self):
        """It is this system's security level that counts; paho 1.3.12 sets a lower one."""
        weak = self.ca.sign("weak", new_key=["-newkey", "rsa:1024"])
        self.broker(weak, environment=self.openssl_conf(""))
        self.fails(self.tls(), "the broker's certificate", "key too weak")
        self.start(self.tls(), self.openssl_conf(""))
        self.log_has("connected to mqtts://")
        self.gateway.stop()

    def test_no_tls_on_this_port(self):
        broker = self.new_broker("plain", "allow_anonymous true")
        self.proxy = self.new_proxy(broker.port)
        # Named by itself: localhost may have a second address without a listener.
        self.fails(self.tls("127.0.0.1"), f"127.0.0.1:{self.proxy.port}: the broker closed the "
                   "connection in the TLS handshake", "is this its TLS port")

    def test_reset_in_the_handshake(self):
        """What a firewall does, or a broker that closes with the handshake unread."""
        self.proxy = Resetting()
        self.addCleanup(self.proxy.close)
        self.fails(self.tls(), "closed the connection in the TLS handshake", "is this its TLS port")

    def test_tls_wanted_and_not_spoken(self):
        self.broker(self.good)
        self.fails(self.config(f"mqtt://localhost:{self.proxy.port}"), "for TLS use mqtts://")


if __name__ == "__main__":
    unittest.main()
