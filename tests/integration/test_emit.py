# SPDX-License-Identifier: Apache-2.0
"""P/emit: what becomes an event, and what is refused and reported."""

import unittest

from harness import P, TIMEOUT_S, IntegrationTest, limit_s


class Emit(IntegrationTest):
    def refused(self, topic, payload, code, retain=False):
        """Published again until it is told: at most one refusal a second is,
        the others are counted."""
        since = self.watcher.mark()
        for _ in range(int(TIMEOUT_S)):
            self.control.publish(f"{P}/emit/{topic}", payload, retain=retain)
            try:
                event = self.watcher.event(
                    "gateway.refused",
                    lambda e: e["data"]["topic"] == f"{P}/emit/{topic}"
                    and e["data"]["code"] == code, since, timeout_s=limit_s(1.1))
            except AssertionError:
                continue
            self.assertTrue(event["data"]["message"])
            return event["data"]
        self.fail(f"no gateway.refused with code {code} for {topic}: "
                  f"{self.watcher.events('gateway.refused', since)}")

    def test_any_json(self):
        for payload, data in ((b"", None), (b"null", None), (b"3", 3), (b'"x"', "x"),
                              (b" [1, 2] ", [1, 2]), (b'{"a": {"b": true}}', {"a": {"b": True}})):
            with self.subTest(payload=payload):
                since = self.watcher.mark()
                self.control.publish(f"{P}/emit/some/thing", payload)
                event = self.watcher.event("some.thing", since=since)
                self.assertEqual(event["data"], data)
                self.assertEqual(event["producer_id"], 0)
                self.assertIsNone(event["cause_seq"])

    def test_numbers_keep_their_spelling(self):
        since = self.watcher.mark()
        text = b'{"big":123456789012345678901234567890,"dec":0.10,"exp":1e2}'
        self.control.publish(f"{P}/emit/some/number", text)
        message = self.watcher.on_topic(f"{P}/bus/some/number", since)
        self.assertIn(b'"data":' + text, message.payload)

    def test_all_qos(self):
        for qos in (0, 1, 2):
            since = self.watcher.mark()
            self.control.publish(f"{P}/emit/with/qos", b"%d" % qos, qos=qos)
            self.assertEqual(self.watcher.event("with.qos", since=since)["data"], qos)

    def test_malformed_json(self):
        for payload in (b"{", b"{'a':1}", b"[1,]", b"nul", b'"\xff"', b'{"a":1,"a":2}'):
            with self.subTest(payload=payload):
                self.refused("bad/json", payload, "invalid_json")
        self.assertEqual(self.watcher.events("bad.json"), [])

    def test_reserved_types(self):
        for topic in ("event/playlist/stopped", "gateway/gap", "gesture/x", "input/resync"):
            with self.subTest(topic):
                self.refused(topic, b"{}", "refused")

    def test_malformed_types(self):
        for topic in ("Upper/case", "a//b", "a/b/c/d/e/f/g/h/i", "dotted.level", "sp ace"):
            with self.subTest(topic):
                self.refused(topic, b"1", "invalid_request")

    def test_too_large(self):
        self.refused("big/one", b'"%s"' % (b"x" * 5000), "limit")

    def test_too_deep(self):
        self.refused("deep/one", b"[" * 40 + b"]" * 40, "limit")

    def test_retained_left_over_is_not_taken(self):
        self.control.publish(f"{P}/emit/left/over", b"1", retain=True)
        try:
            self.gateway.stop()
            since = self.watcher.mark()
            self.start_gateway()
            self.emit("after.left.over")
            self.watcher.event("after.left.over", since=since)
            self.assertEqual(self.watcher.events("left.over", since), [])
        finally:
            self.control.publish(f"{P}/emit/left/over", b"", retain=True)

    def test_refusals_in_a_row_are_counted(self):
        since = self.watcher.mark()
        for _ in range(50):
            self.control.publish(f"{P}/emit/gateway/gap", b"1")
        self.emit("after.refusals")
        self.watcher.event("after.refusals", since=since)
        told = len(self.watcher.events("gateway.refused", since))
        self.assertLess(told, 50)
        last = self.refused("gateway/gap", b"1", "refused")
        while last["suppressed"] == 0:
            last = self.refused("gateway/gap", b"1", "refused")
        self.assertGreater(last["suppressed"], 0)


if __name__ == "__main__":
    unittest.main()
