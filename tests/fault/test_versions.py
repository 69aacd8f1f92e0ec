# SPDX-License-Identifier: Apache-2.0
"""Peers that do not speak the configured MQTT: brokers of the other version only, and ports of other
services. The message names what was found."""

import socket
import threading
import unittest

from certificates import Authority
from connection import ConnectionTest

CONNACK_3_1_1 = b"\x20\x02\x00\x00"
UNACCEPTABLE = b"\x20\x02\x00\x01"
CONNACK_5 = b"\x20\x03\x00\x00\x00"
UNSUPPORTED = b"\x20\x03\x00\x84\x00"


class Peer:
    """Reads the first bytes and answers by the version in them; `answers` maps 4 and 5 (and
    None: not a CONNECT) to bytes, b"" closes, None stays silent."""

    def __init__(self, answers):
        self.answers = answers
        self.connections = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.kept = []
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            data = connection.recv(4096)
            name = data.find(b"\x00\x04MQTT")
            version = data[name + 6] if data[:1] == b"\x10" and name > 0 else None
            answer = self.answers.get(version)
            if answer is None:
                self.kept.append(connection)
                return
            if answer:
                connection.sendall(answer)
            connection.close()
        except OSError:
            pass

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.kept:
            connection.close()


class Versions(ConnectionTest):
    def peer(self, answers):
        peer = Peer(answers)
        self.addCleanup(peer.close)
        return peer

    def says(self, peer, *says, protocol=5, never=()):
        line = self.fails_once_and_quietly(
            self.config(f"mqtt://127.0.0.1:{peer.port}", protocol=protocol), says, peer)
        for text in ("mqtts://", "HTTP", '"protocol"', *never):
            if not any(text in s for s in says):
                self.assertNotIn(text, line)
        return line

    # ---- brokers of 3.1.1 only, of which there are three kinds ----

    def test_it_says_so(self):
        self.says(self.peer({4: CONNACK_3_1_1, 5: UNACCEPTABLE}), 'set "protocol": "3.1.1" in mqtt')

    def test_it_closes(self):
        self.says(self.peer({4: CONNACK_3_1_1, 5: b"", None: b""}), "answers MQTT 3.1.1 only",
                  'set "protocol": "3.1.1" in mqtt')

    def test_it_stays_silent(self):
        self.says(self.peer({4: CONNACK_3_1_1}), 'set "protocol": "3.1.1" in mqtt')

    def test_one_that_wants_a_password_for_both(self):
        """Refused is an answer too."""
        self.says(self.peer({4: b"\x20\x02\x00\x05", 5: b"", None: b""}),
                  'set "protocol": "3.1.1" in mqtt')

    # ---- of 5 only ----

    def test_5_only(self):
        self.says(self.peer({4: UNACCEPTABLE, 5: CONNACK_5}), 'set "protocol": 5 in mqtt',
                  protocol="3.1.1")

    def test_5_only_that_closes(self):
        self.says(self.peer({4: b"", 5: CONNACK_5, None: b""}), "answers MQTT 5 only",
                  'set "protocol": 5 in mqtt', protocol="3.1.1")

    def test_5_is_refused_by_one_that_speaks_it(self):
        self.says(self.peer({4: CONNACK_3_1_1, 5: UNSUPPORTED}), "Unsupported Protocol Version",
                  'set "protocol": "3.1.1" in mqtt')

    # ---- something else ----

    def test_tls(self):
        authority = Authority(self.directory, "authority")
        pem, key = authority.sign("broker")
        broker = self.new_broker("broker", "allow_anonymous true", f"certfile {pem}",
                                 f"keyfile {key}")
        self.says(self.new_proxy(broker.port), "this port speaks TLS", "use mqtts://")

    def test_http(self):
        answer = b"HTTP/1.1 400 Bad Request\r\n\r\n"
        self.says(self.peer({4: answer, 5: answer, None: answer}), "this port speaks HTTP")

    def test_something_else(self):
        answer = b"220 mail.test ESMTP\r\n"
        self.says(self.peer({4: answer, 5: answer, None: answer}),
                  "does not answer as an MQTT broker does")

    def test_it_closes_whatever_comes(self):
        self.says(self.peer({4: b"", 5: b"", None: b""}), "closed the connection at the MQTT connect")

    def test_it_is_silent_whatever_comes(self):
        self.says(self.peer({}), "there was no answer to the MQTT connect")


if __name__ == "__main__":
    unittest.main()
