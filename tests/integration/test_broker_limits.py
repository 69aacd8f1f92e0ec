# SPDX-License-Identifier: Apache-2.0
"""A broker that does not take everything: what it does not take is told."""

import unittest

import test_gap
from harness import IS_V5, P, IntegrationTest


class LimitedBroker(IntegrationTest):
    @classmethod
    def check_gaps(cls, events):
        return test_gap.Gap.check_gaps.__func__(cls, events)

    def gap(self, since):
        gap = self.watcher.event("gateway.gap", since=since)["data"]
        self.assertEqual(gap["reason"], "broker_refused")
        return gap


@unittest.skipUnless(IS_V5, "over MQTT 3.1.1 a broker does not tell its Maximum Packet Size")
class PacketSize(LimitedBroker):
    @classmethod
    def broker_settings(cls):
        return "max_packet_size 2000\n"

    def test_event_too_large_is_a_gap(self):
        since = self.watcher.mark()
        self.emit("big.one", "x" * 1850)  # fits on its way in, not with the envelope
        gap = self.gap(since)
        self.assertEqual((gap["count"], gap["from_seq"]), (1, gap["to_seq"]))
        self.emit("after.gap")
        after = self.watcher.event("after.gap", since=since)
        self.assertGreater(after["seq"], gap["to_seq"])
        self.assertEqual(self.check_gaps(self.watcher.events()), [])

    def test_reply_too_large_is_answered(self):
        for _ in range(3):  # large ones again and again
            error = self.fails("limit", "config/get")
            self.assertIn("more than the broker takes", error["message"])
        self.ok("ping")


@unittest.skipUnless(IS_V5, "over MQTT 3.1.1 a broker can't say that it refuses a message")
class AccessControl(LimitedBroker):
    @classmethod
    def broker_settings(cls):
        acl = cls.directory / "acl"
        cls.directory.chmod(0o711)  # started by root, mosquitto reads it as another user
        acl.write_text("topic readwrite #\n"
                       f"topic deny {P}/bus/secret/#\n")
        # With 0 (no limit) mosquitto 2.0.11 hangs up after each message it refuses.
        return f"acl_file {acl}\nmax_queued_messages 100000\n"

    def test_event_that_is_not_allowed_is_a_gap(self):
        since = self.watcher.mark()
        for i in range(5):
            self.emit("secret.word", i)
        self.emit("after.gap")
        self.watcher.event("after.gap", since=since)
        self.watcher.wait("all gaps", lambda: sum(
            e["data"]["count"] for e in self.watcher.events("gateway.gap", since)) == 5)
        self.gap(since)
        self.assertEqual(self.watcher.events("secret.word"), [])
        self.assertEqual(self.check_gaps(self.watcher.events()), [])


del LimitedBroker

if __name__ == "__main__":
    unittest.main()
