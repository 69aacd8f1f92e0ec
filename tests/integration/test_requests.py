# SPDX-License-Identifier: Apache-2.0
"""How a request is answered: response topic, correlation, request_id,
deliveries in duplicate, retained and expired commands."""

import unittest

from harness import IS_V5, P, IntegrationTest

START = f"{P}/cmd/playlist/start"


class Requests(IntegrationTest):
    def replies(self, client, topic, since):
        return [m for m in client.messages[since:] if m.topic == topic]

    def count_created(self, since):
        """After what was asked for before has been carried out: commands are
        carried out in order."""
        self.ok("ping")
        self.emit("fence")
        self.watcher.event("fence", since=since)
        return len(self.watcher.events("event.playlist.created", since))

    def test_request_id_comes_back_as_given(self):
        client = self.connect().subscribe(f"{P}/reply/ping")
        for request_id in ('"a"', "7", "-1.5", '"\\u00e4"'):
            with self.subTest(request_id):
                since = client.mark()
                client.publish(f"{P}/cmd/ping", b'{"request_id":%s}' % request_id.encode())
                reply = client.on_topic(f"{P}/reply/ping", since)
                self.assertIn(b'"request_id":' + request_id.encode().replace(
                    b"\\u00e4", b"\\u00e4"), reply.payload.replace(b"\xc3\xa4", b"\\u00e4"))

    def test_without_request_id_it_is_null(self):
        client = self.connect().subscribe(f"{P}/reply/ping")
        client.publish(f"{P}/cmd/ping", b"")
        self.assertIsNone(client.on_topic(f"{P}/reply/ping").json["request_id"])

    def test_qos_0_and_2_are_answered_too(self):
        client = self.connect().subscribe(f"{P}/reply/ping")
        for qos in (0, 1, 2):
            with self.subTest(qos):
                since = client.mark()
                client.publish(f"{P}/cmd/ping", {"request_id": f"q{qos}"}, qos=qos)
                reply = client.on_topic(f"{P}/reply/ping", since)
                self.assertEqual(reply.json["request_id"], f"q{qos}")
                self.assertEqual(reply.qos, 1)
                self.assertFalse(reply.retain)

    def test_request_id_of_a_start_is_in_created(self):
        since = self.watcher.mark()
        self.control.publish(START, {"playlist": "flash", "request_id": "me-1"})
        created = self.watcher.event("event.playlist.created", since=since)
        self.assertEqual(created["data"]["request_id"], "me-1")

    def test_duplicate_runs_once_and_is_answered_twice(self):
        client = self.connect().subscribe(f"{P}/reply/playlist/start")
        since, seen = self.watcher.mark(), client.mark()
        for _ in range(2):
            client.publish(START, {"playlist": "flash", "request_id": "twice"})
        client.wait("two replies", lambda: len(
            self.replies(client, f"{P}/reply/playlist/start", seen)) == 2)
        first, second = self.replies(client, f"{P}/reply/playlist/start", seen)
        self.assertNotIn("repeated", first.json)
        self.assertEqual(dict(first.json, repeated=True), second.json)
        self.assertEqual(self.count_created(since), 1)

    def test_two_clients_that_count_alike_are_told(self):
        """The same request from both: `repeated` tells the second client that its own was not executed."""
        replies = []
        for _ in range(2):
            client = self.connect().subscribe(f"{P}/reply/playlist/start")
            client.publish(START, {"playlist": "flash", "request_id": 4711})
            replies.append(client.on_topic(f"{P}/reply/playlist/start").json)
        self.assertNotIn("repeated", replies[0])
        self.assertIs(replies[1]["repeated"], True)

    def test_request_id_of_254_bytes(self):
        client = self.connect().subscribe(f"{P}/reply/ping")
        for size, ok in ((254, True), (255, False)):
            with self.subTest(size):
                seen = client.mark()
                client.publish(f"{P}/cmd/ping", {"request_id": "r" * size})
                reply = client.on_topic(f"{P}/reply/ping", seen).json
                self.assertEqual(reply["ok"], ok)
                self.assertEqual(reply["request_id"], "r" * size if ok else None)
                if not ok:
                    self.assertIn("254 bytes at most", reply["error"]["message"])

    def test_two_ids_run_twice(self):
        client = self.connect().subscribe(f"{P}/reply/playlist/start")
        since = self.watcher.mark()
        for request_id in ("one", "two"):
            client.publish(START, {"playlist": "flash", "request_id": request_id})
        client.wait("two replies", lambda: len(client.messages) == 2)
        runs = {m.json["result"]["run"] for m in client.messages}
        self.assertEqual(len(runs), 2)
        self.assertEqual(self.count_created(since), 2)

    def test_without_an_id_it_runs_each_time(self):
        since = self.watcher.mark()
        for _ in range(2):
            self.control.publish(START, {"playlist": "flash"})
        self.assertEqual(self.count_created(since), 2)

    def test_retained_command_is_refused(self):
        """Both while the gateway listens (it sees no flag then: Retain As
        Published makes it), and left over from before it subscribed."""
        client = self.connect().subscribe(f"{P}/reply/playlist/start")
        since = self.watcher.mark()
        client.publish(START, {"playlist": "flash", "request_id": "kept"}, retain=True)
        try:
            if IS_V5:
                reply = client.on_topic(f"{P}/reply/playlist/start").json
                self.assertEqual((reply["ok"], reply["error"]["code"]), (False, "refused"))
                self.assertEqual(self.count_created(since), 0)
            else:
                # 3.1.1 has no Retain As Published: a fresh retained message looks like any other.
                client.on_topic(f"{P}/reply/playlist/start")
            self.gateway.stop()
            since = self.watcher.mark()
            self.start_gateway()
            self.assertEqual(self.count_created(since), 0)
        finally:
            client.publish(START, b"", retain=True)

    @unittest.skipUnless(IS_V5, "MQTT 5 only")
    def test_response_topic_and_correlation(self):
        client = self.connect()
        topic = f"{P}/reply/my/own"
        client.subscribe(topic).subscribe(f"{P}/reply/ping")
        client.publish(f"{P}/cmd/ping", {"request_id": "x"}, response=topic, correlation=b"\0\xff!")
        reply = client.on_topic(topic)
        self.assertEqual(reply.correlation, b"\0\xff!")
        self.assertEqual(reply.json["request_id"], "x")
        self.ok("ping")
        self.assertEqual(self.replies(client, f"{P}/reply/ping", 0), [])

    @unittest.skipUnless(IS_V5, "MQTT 5 only")
    def test_response_topic_below_a_configured_prefix(self):
        client = self.connect().subscribe("clients/me/in")
        client.publish(f"{P}/cmd/ping", {}, response="clients/me/in", correlation=b"c")
        self.assertTrue(client.on_topic("clients/me/in").json["ok"])

    @unittest.skipUnless(IS_V5, "MQTT 5 only")
    def test_forbidden_response_topic(self):
        """Refused, not run, and nothing is published there: told on the
        command's own reply topic."""
        client = self.connect()
        client.subscribe("elsewhere/#").subscribe(f"{P}/#")
        since = self.watcher.mark()
        for n, response in enumerate(("elsewhere/door", f"{P}/cmd/playlist/stop",
                                      f"{P}/bus/a", f"{P}/replyx", "clientsx",
                                      # Not over 200 levels: later brokers refuse these themselves.
                                      f"{P}/reply/" + "a/" * 100 + "a", "clients/" + "x" * 249,
                                      f"{P}/reply//x", f"{P}/reply/x/", "clients/x/")):
            with self.subTest(response):
                seen = client.mark()
                client.publish(START, {"playlist": "flash", "request_id": f"r{n}"},
                               response=response, correlation=b"%d" % n)
                reply = client.on_topic(f"{P}/reply/playlist/start", seen)
                self.assertEqual(reply.json["error"]["code"], "refused")
                self.assertEqual(reply.json["request_id"], f"r{n}")
        self.assertEqual(self.count_created(since), 0)
        self.assertEqual([m for m in client.messages if m.topic.startswith("elsewhere/")], [])

    @unittest.skipUnless(IS_V5, "MQTT 5 only")
    def test_duplicate_by_correlation(self):
        client = self.connect()
        topic = f"{P}/reply/{client.name}"
        client.subscribe(topic)
        since = self.watcher.mark()
        for _ in range(2):
            client.publish(START, {"playlist": "flash"}, response=topic, correlation=b"same")
        client.wait("two replies", lambda: len(client.messages) == 2)
        self.assertEqual(dict(client.messages[0].json, repeated=True), client.messages[1].json)
        self.assertEqual(self.count_created(since), 1)

    @unittest.skipUnless(IS_V5, "MQTT 5 only")
    def test_message_expiry_not_reached(self):
        client = self.connect()
        topic = f"{P}/reply/{client.name}"
        client.subscribe(topic)
        client.publish(f"{P}/cmd/ping", {}, response=topic, correlation=b"e", expiry_s=60)
        self.assertTrue(client.on_topic(topic).json["ok"])


if __name__ == "__main__":
    unittest.main()
