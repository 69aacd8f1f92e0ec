# SPDX-License-Identifier: Apache-2.0
"""A name server of the test's own that answers, or does not answer."""

import socket
import struct
import threading

A = 1


class NameServer:
    """On an address of the loopback; /etc/resolv.conf must name it."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for last in range(2, 255):
            self.address = f"127.0.53.{last}"
            try:
                self.socket.bind((self.address, 53))
                break
            except OSError:
                continue
        else:
            raise OSError("no address of 127.0.53.0/24 has its port 53 free")
        self.answers = False
        self.to_answer = None  # so many more, then none; None: no limit
        self.queries = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                query, sender = self.socket.recvfrom(4096)
            except OSError:
                return
            self.queries += 1
            if not self.answers or self.to_answer == 0:
                continue
            if self.to_answer is not None:
                self.to_answer -= 1
            self.socket.sendto(self._reply(query), sender)

    @staticmethod
    def _reply(query):
        """Every name has 127.0.0.1, and no other address."""
        end = query.index(b"\0", 12) + 5
        question = query[12:end]
        kind = struct.unpack("!H", question[-4:-2])[0]
        answer = b""
        if kind == A:
            answer = struct.pack("!HHHIH", 0xC00C, A, 1, 0, 4) + socket.inet_aton("127.0.0.1")
        return (query[:2] + struct.pack("!HHHHH", 0x8180, 1, 1 if answer else 0, 0, 0)
                + question + answer)

    def close(self):
        self.socket.close()
