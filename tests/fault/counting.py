# SPDX-License-Identifier: Apache-2.0
"""What arrived, counted: lost, duplicates and order by (boot_id, seq), at rates at
which parsing each message would be the test's own bottleneck.

What must hold of the stream that one consumer sees (Tally):
  - in a session of the gateway's (from one `online` to the next) the seqs of a boot
    go up by one each, and the boots come in the order in which they lived;
  - a session begins at most one after the highest seq seen: what it sends again is
    the unacknowledged end of what was sent before, so a duplicate is only ever there;
  - what is missing was announced by gateway.gap.
"""

import collections
import json
import os
import pathlib
import re
import socket
import struct
import sys
import threading
import time
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from harness import CUEBUS, P, TIMEOUT_S  # noqa: E402

SCALE = float(os.environ.get("CUEBUS_FAULT_SCALE", "1"))
_BINARY = pathlib.Path(CUEBUS).read_bytes()
SANITIZED = b"__asan_init" in _BINARY or b"__tsan_init" in _BINARY
del _BINARY

# Searched at the end only, so that nothing in the data can match.
TAIL = re.compile(rb'"boot_id":"([^"]+)","seq":(\d+),"monotonic_us":(\d+),"cause_seq":(?:\d+|null)\}$')
TAIL_BYTES = 200
OCCURRENCE = re.compile(rb'"playlist_id":"([0-9a-f]+)".*?"step_index":(\d+),"repeat_index":(\d+)')
BUS = f"{P}/bus/".encode()


def scaled(full, sanitized):
    """How many: the second under a sanitizer, where everything takes several times as long."""
    return max(1, round((sanitized if SANITIZED else full) * SCALE))


class Boot:
    """One process of the gateway, as seen in its events."""

    def __init__(self, place):
        self.place = place  # in the order of lives
        self.highest = 0
        self.last = None    # in this session
        self.first_us = self.last_us = None
        self.sums = {}      # by seq, of the whole payload


class Tally:
    def __init__(self):
        self.boots = {}
        self.sessions = 0
        self.events = 0                 # arrivals, duplicates included
        self.duplicates = []            # in each session
        self.wrong = []                 # what must never be, in words
        self.holes = []                 # (boot_id, from_seq, to_seq)
        self.announced = []             # the same, by gateway.gap
        self.occurrences = collections.Counter()  # (run, step, repeat) of new events
        self.stopped = {}               # run: data of its event.playlist.stopped
        self.health = []                # while keep_health
        self.keep_health = False
        self.others = {}                # (kind of topic): called with the payload
        self._place = 0

    def take(self, topic, payload, retained=False):
        if topic.startswith(BUS):
            self._event(topic[len(BUS):], payload)
        elif topic == b"%s/status" % P.encode():
            # The retained one is for new subscribers, not a new session.
            if payload == b"online" and not retained:
                self._session()
        elif topic == b"%s/health" % P.encode() and self.keep_health and not retained:
            self.health.append(json.loads(payload))
        elif topic in self.others:
            self.others[topic](payload)

    def _session(self):
        self.sessions += 1
        self.duplicates.append(0)
        self._place = 0
        for boot in self.boots.values():
            boot.last = None

    def _event(self, below, payload):
        found = TAIL.search(payload, max(0, len(payload) - TAIL_BYTES))
        if not found:
            self.wrong.append(f"no envelope: {payload[:200]!r}")
            return
        boot_id, seq, time_us = found[1].decode(), int(found[2]), int(found[3])
        self.events += 1
        is_new = self._number(boot_id, seq, time_us)
        if self.boots[boot_id].sums.setdefault(seq, zlib.crc32(payload)) != zlib.crc32(payload):
            self.wrong.append(f"{boot_id} {seq} came again with other content")
        if is_new:
            self._new(below, payload, boot_id, seq)

    def _number(self, boot_id, seq, time_us):
        """Whether it is seen for the first time."""
        boot = self.boots.setdefault(boot_id, Boot(len(self.boots)))
        if not self.sessions:
            self.wrong.append(f"{boot_id} {seq} came before any `online`")
        if boot.place < self._place:
            self.wrong.append(f"{boot_id} {seq} came after an event of a later life")
        self._place = max(self._place, boot.place)
        before = boot.highest if boot.last is None else boot.last
        if boot.last is not None and seq <= before:
            self.wrong.append(f"{boot_id} {seq} came after {before} in the same session")
        elif seq > before + 1:
            self.holes.append((boot_id, before + 1, seq - 1))
        boot.last = seq
        if seq <= boot.highest:
            if self.duplicates:
                self.duplicates[-1] += 1
            return False
        boot.highest = seq
        boot.first_us = time_us if boot.first_us is None else boot.first_us
        boot.last_us = time_us
        return True

    def _new(self, below, payload, boot_id, seq):
        if below == b"event/playlist/emitted":
            found = OCCURRENCE.search(payload)
            self.occurrences[found[1].decode(), int(found[2]), int(found[3])] += 1
        elif below == b"event/playlist/stopped":
            data = json.loads(payload)["data"]
            self.stopped[data["playlist_id"]] = data
        elif below == b"gateway/gap":
            data = json.loads(payload)["data"]
            self.announced.append((data.get("boot_id", boot_id), data["from_seq"], data["to_seq"]))
        elif below in self.others:
            self.others[below](payload, boot_id, seq)

    # ---- the result ----

    def lost(self):
        """(boot_id, seq) of what is missing and was not announced, the first thousand."""
        told = collections.defaultdict(list)
        for boot_id, first, last in self.announced:
            told[boot_id].append((first, last))
        found = []
        for boot_id, first, last in self.holes:
            found += [(boot_id, seq) for seq in range(first, min(last, first + 1000) + 1)
                      if not any(a <= seq <= b for a, b in told[boot_id])]
        return found[:1000]

    def check(self, test):
        """Nothing is lost or out of order, and each occurrence comes once."""
        test.assertEqual(self.wrong[:10], [])
        test.assertEqual(self.lost()[:10], [])
        twice = [o for o, n in self.occurrences.items() if n > 1]
        test.assertEqual(twice[:10], [], "emitted twice")

    def check_run(self, test, run, step=0):
        """Every occurrence of the run's step up to its `stopped`, none left out."""
        seen = {repeat for r, s, repeat in self.occurrences if r == run and s == step}
        test.assertEqual(len(seen), self.stopped[run]["emitted_count"])
        test.assertEqual(seen, set(range(len(seen))))
        return len(seen)

    def unique(self):
        return sum(boot.highest for boot in self.boots.values())

    def rate(self):
        """Events a second, by their own time."""
        first = min(b.first_us for b in self.boots.values() if b.first_us is not None)
        last = max(b.last_us for b in self.boots.values() if b.last_us is not None)
        return self.unique() * 1e6 / max(1, last - first)


class Subscriber:
    """Subscribes to all below P at QoS 0 and counts. Speaks MQTT 3.1.1 by itself on a
    socket of its own: nothing is between the kernel's receive buffer and the count,
    so all that the broker had written when it was killed is counted."""

    # Some seconds of the load, so that the broker's write never waits.
    BUFFER_BYTES = 16 * 1024 * 1024

    def __init__(self, port, tally=None):
        self.tally = tally or Tally()
        self.condition = threading.Condition()
        self.error = None
        self.connect(port)

    def connect(self, port):
        self._socket = socket.socket()
        try:
            # Beyond the system's limit, where that is permitted.
            self._socket.setsockopt(socket.SOL_SOCKET, 33, self.BUFFER_BYTES)  # SO_RCVBUFFORCE
        except PermissionError:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.BUFFER_BYTES)
        self._socket.connect(("127.0.0.1", port))
        name = b"counting"
        body = b"\x00\x04MQTT\x04\x02\x00\x00" + struct.pack(">H", len(name)) + name
        self._socket.sendall(bytes([0x10, len(body)]) + body)
        topic = f"{P}/#".encode()
        body = b"\x00\x01" + struct.pack(">H", len(topic)) + topic + b"\x00"
        self._socket.sendall(bytes([0x82, len(body)]) + body)
        self._subscribed = False
        self._thread = threading.Thread(target=self._read, args=(self._socket,), daemon=True)
        self._thread.start()
        self.wait("SUBACK", lambda: self._subscribed)

    def reconnect(self, port):
        """Connect to a new broker, after all messages of the previous one are counted."""
        self._thread.join(TIMEOUT_S)
        if self._thread.is_alive():
            raise AssertionError("the connection of before has not ended")
        self._socket.close()
        self.connect(port)

    def close(self):
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._thread.join(TIMEOUT_S)
        self._socket.close()

    def _read(self, connection):
        buffer = b""
        try:
            while True:
                data = connection.recv(1 << 20)
                if not data:
                    return
                with self.condition:
                    buffer = self._packets(buffer + data)
                    self.condition.notify_all()
        except ConnectionResetError:
            pass
        except Exception as error:  # a fault here must not look like a loss
            self.error = error
            raise

    def _packets(self, buffer):
        at, end = 0, len(buffer)
        while at + 2 <= end:
            length, shift, body = 0, 0, at + 1
            while body < end and buffer[body] & 0x80:
                length |= (buffer[body] & 0x7f) << shift
                shift += 7
                body += 1
            if body >= end:
                break
            length |= buffer[body] << shift
            body += 1
            if body + length > end:
                break
            self._packet(buffer[at], buffer[body:body + length])
            at = body + length
        return buffer[at:]

    def _packet(self, first, body):
        if first >> 4 == 9:
            self._subscribed = body[2] < 0x80
        elif first >> 4 == 3:
            topic_end = 2 + (body[0] << 8 | body[1])
            self.tally.take(body[2:topic_end], body[topic_end:], bool(first & 1))

    def wait(self, what, predicate, process=None):
        """Until predicate() holds; it is asked again after every read. As long as more
        arrives it is waited for: a slow machine is no fault."""
        deadline, events = time.monotonic() + TIMEOUT_S, self.tally.events
        with self.condition:
            while not predicate():
                if self.error is not None:
                    raise AssertionError(f"{what}: {self.error!r}")
                if process is not None and process.poll() is not None:
                    raise AssertionError(f"{what}: the gateway ended with {process.returncode}")
                if self.tally.events != events:
                    deadline, events = time.monotonic() + TIMEOUT_S, self.tally.events
                if time.monotonic() > deadline:
                    raise AssertionError(f"timeout: {what}; {events} events, "
                                         f"{self.tally.sessions} sessions")
                self.condition.wait(0.5)

    def wait_events(self, more, process=None):
        target = self.tally.events + more
        self.wait(f"{more} more events", lambda: self.tally.events >= target, process)

    def wait_session(self, sessions, process=None):
        self.wait(f"session {sessions}", lambda: self.tally.sessions >= sessions, process)

    def wait_stopped(self, process=None):
        """The one run's end."""
        self.wait("the run's end", lambda: self.tally.stopped, process)
        return next(iter(self.tally.stopped))
