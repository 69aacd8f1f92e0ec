# SPDX-License-Identifier: Apache-2.0
"""The counting itself: each kind of wrong stream is reported."""

import json
import pathlib
import shutil
import tempfile
import unittest

from counting import Subscriber, Tally
from harness import P, Broker, Client


def envelope(seq, boot="b1", data=None):
    return json.dumps({"event_type": "x", "producer_id": 0, "timestamp": "", "data": data,
                       "boot_id": boot, "seq": seq, "monotonic_us": seq * 500,
                       "cause_seq": None}, separators=(",", ":")).encode()


def bus(below):
    return f"{P}/bus/{below}".encode()


class Counting(unittest.TestCase):
    def setUp(self):
        self.tally = Tally()

    def online(self):
        self.tally.take(f"{P}/status".encode(), b"online")

    def send(self, *seqs, boot="b1"):
        for seq in seqs:
            self.tally.take(bus("x"), envelope(seq, boot))

    def is_wrong(self):
        with self.assertRaises(AssertionError):
            self.tally.check(self)

    def test_a_good_stream_with_a_resent_end(self):
        self.online()
        self.send(1, 2, 3, 4)
        self.online()
        self.send(3, 4, 5, 6)
        self.online()
        self.send(7)
        self.tally.check(self)
        self.assertEqual(self.tally.duplicates, [0, 2, 0])
        self.assertEqual((self.tally.events, self.tally.unique()), (9, 7))
        self.assertEqual(round(self.tally.rate()), round(7 * 1e6 / 3000))

    def test_lives(self):
        self.online()
        self.send(1, 2)
        self.online()
        self.send(2, 3)
        self.send(1, 2, boot="b2")
        self.tally.check(self)
        self.send(4)  # the earlier life again
        self.is_wrong()

    def test_a_hole(self):
        self.online()
        self.send(1, 2, 5)
        self.assertEqual(self.tally.lost(), [("b1", 3), ("b1", 4)])
        self.is_wrong()

    def test_a_hole_between_sessions(self):
        self.online()
        self.send(1, 2)
        self.online()
        self.send(4)
        self.assertEqual(self.tally.lost(), [("b1", 3)])

    def test_the_first_is_missing(self):
        self.online()
        self.send(2)
        self.assertEqual(self.tally.lost(), [("b1", 1)])

    def test_an_announced_hole(self):
        self.online()
        self.send(1, 2, 5)
        gap = {"from_seq": 3, "to_seq": 3, "count": 1, "reason": "outbox_full"}
        self.tally.take(bus("gateway/gap"), envelope(6, data=gap))
        self.assertEqual(self.tally.lost(), [("b1", 4)])
        self.tally.take(bus("gateway/gap"), envelope(1, "b2", dict(gap, from_seq=4, to_seq=4,
                                                                  boot_id="b1")))
        self.tally.check(self)

    def test_a_duplicate_within_a_session(self):
        self.online()
        self.send(1, 2, 2)
        self.is_wrong()

    def test_a_duplicate_that_is_none(self):
        self.online()
        self.send(1, 2)
        self.online()
        self.tally.take(bus("x"), envelope(2, data=1))
        self.is_wrong()

    def test_out_of_order(self):
        self.online()
        self.send(1, 3, 2)
        self.is_wrong()

    def test_before_online(self):
        self.tally.take(f"{P}/status".encode(), b"online", retained=True)
        self.send(1)
        self.is_wrong()

    def test_no_envelope(self):
        self.online()
        self.tally.take(bus("x"), b'{"seq":1}')
        self.is_wrong()

    def test_data_is_not_taken_for_the_tail(self):
        self.online()
        self.tally.take(bus("x"), envelope(1, data={"boot_id": "b9", "seq": 7,
                                                    "monotonic_us": 1, "cause_seq": None}))
        self.tally.check(self)
        self.assertEqual(list(self.tally.boots), ["b1"])

    def test_an_occurrence_twice_and_one_left_out(self):
        self.online()

        def emitted(seq, repeat):
            self.tally.take(bus("event/playlist/emitted"), envelope(seq, data={
                "playlist_id": "ab", "definition_id": "cd", "playlist_name": "load",
                "step_index": 0, "repeat_index": repeat}))
        emitted(1, 0)
        emitted(2, 2)
        self.tally.check(self)
        self.tally.take(bus("event/playlist/stopped"),
                        envelope(3, data={"playlist_id": "ab", "emitted_count": 2}))
        with self.assertRaises(AssertionError):
            self.tally.check_run(self, "ab")
        emitted(4, 2)
        self.is_wrong()


class Reading(unittest.TestCase):
    def test_packets_of_all_sizes(self):
        directory = pathlib.Path(tempfile.mkdtemp(prefix="cuebus-fault-"))
        self.addCleanup(shutil.rmtree, directory, ignore_errors=True)
        broker = Broker(directory).start()
        self.addCleanup(broker.stop)
        subscriber = Subscriber(broker.port)
        self.addCleanup(subscriber.close)
        publisher = Client(broker)
        self.addCleanup(publisher.close)
        publisher.publish(f"{P}/status", b"online")
        # Around where the length takes one byte more, and larger than one read.
        sizes = [0, 1, 50, 127, 128, 129, 16200, 16383, 16384, 3 << 20]
        for seq, size in enumerate(sizes, 1):
            publisher.publish(f"{P}/bus/x", envelope(seq, data="y" * size))
        subscriber.wait("all", lambda: subscriber.tally.events == len(sizes))
        subscriber.tally.check(self)
        self.assertEqual(subscriber.tally.unique(), len(sizes))


if __name__ == "__main__":
    unittest.main()
