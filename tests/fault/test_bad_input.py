# SPDX-License-Identifier: Apache-2.0
"""Invalid input from a table, sent to a real gateway: each message gets one clear error, nothing
crashes, nothing leaks, and the counters in `P/health` agree with what was sent."""

import json
import os
import pathlib
import random
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from bad_messages import COMMANDS, EMITS, GOOD, mutate  # noqa: E402
from harness import IS_V5, P, SLOW, IntegrationTest, base_config, strict_loads, until  # noqa: E402

CODES = {"invalid_json", "invalid_request", "unknown_command", "not_found", "busy", "limit",
         "refused", "stale"}
# Replies awaited at a time: below what the inbox holds.
BATCH = 100
# A definition, reply and key are remembered for 60 s (16 MiB at most), and an allocator keeps some.
RSS_GROWTH_KIB = 32 * 1024
SANITIZED = "san" in os.environ["CUEBUS"] or "CUEBUS_WRAPPER" in os.environ
MUTATIONS = int(os.environ.get("CUEBUS_MUTATIONS", "2000" if SANITIZED else "10000"))


class BadInput(IntegrationTest):
    @classmethod
    def config(cls):
        config = base_config(cls.broker.port, cls.state_dir)
        config["limits"] = {"payload_bytes": 4096, "commands_per_second": 1000000,
                            "definitions": 200, "active_runs": 200, "state_entries": 1000}
        return config

    def health(self):
        """The counters up to now: wait for two snapshots, the second begun after this call."""
        self.catch_up()
        since = self.watcher.mark()
        self.watcher.wait("two health messages", lambda: len(
            [m for m in self.watcher.messages[since:] if m.topic == f"{P}/health"]) >= 2)
        return [m for m in self.watcher.messages[since:] if m.topic == f"{P}/health"][-1].json

    def answered(self, counters):
        commands = counters["commands"]
        return commands["ok"] + commands["failed"] + commands["repeated"]

    def rss_kib(self):
        status = pathlib.Path(f"/proc/{self.gateway.process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])

    def is_fine(self, health):
        self.assertEqual(health["bus"]["handler_failures"], 0)
        self.assertEqual(health["mqtt"]["inbox_dropped"], 0)
        self.assertTrue(health["mqtt"]["connected"])
        for word in ("Sanitizer", "runtime error", "impossible", "a handler failed"):
            self.assertNotIn(word, self.gateway.log())

    def test_commands(self):
        before = self.health()
        failed = 0
        for command, payload, code in COMMANDS:
            with self.subTest(command=command[:60], payload=str(payload)[:120]):
                reply = self.control.request_raw(command, payload)
                error = reply.get("error")
                self.assertFalse(reply["ok"] and code, reply)
                if code:
                    failed += 1
                    self.assertEqual(error["code"], code, error)
                if error:
                    self.assertGreater(len(error["message"]), 5)
                    self.assertLess(len(error["message"]), 600)
        after = self.health()
        self.is_fine(after)
        self.assertEqual(self.answered(after) - self.answered(before), len(COMMANDS))
        self.assertGreaterEqual(after["commands"]["failed"] - before["commands"]["failed"], failed)
        self.assertEqual(after["commands"]["store_error"], None)
        # Nothing of it was defined.
        names = {p["name"] for p in self.ok("playlist/list")["playlists"]}
        self.assertNotIn("made", names)

    def test_emits(self):
        before, since = self.health(), self.watcher.mark()
        for topic, payload, _ in EMITS:
            self.control.publish(f"{P}/emit/{topic}", payload)
        # At most one a second is reported, with the number of the others; so one by one the
        # last of each is seen.
        told = 0

        def all_told():
            nonlocal told
            events = self.watcher.events("gateway.refused", since)
            told = sum(1 + e["data"]["suppressed"] for e in events)
            return told >= len(EMITS)
        self.watcher.wait("all refusals told or counted", all_told)
        self.assertEqual(told, len(EMITS))
        after = self.health()
        self.is_fine(after)
        self.assertEqual(after["mqtt"]["refused"] - before["mqtt"]["refused"], len(EMITS))
        self.assertEqual([e for e in self.watcher.events(since=since)
                          if e["event_type"] not in ("gateway.refused", "test.fence")], [])

    def test_emits_say_why(self):
        for topic, payload, code in EMITS[::3]:
            with self.subTest(topic=topic, payload=payload[:40]):
                since = self.watcher.mark()
                until("told", lambda: self.told(topic, payload, code, since))

    def told(self, topic, payload, code, since):
        self.control.publish(f"{P}/emit/{topic}", payload)
        try:
            event = self.watcher.event("gateway.refused", lambda e: e["data"]["topic"]
                                       == f"{P}/emit/{topic}", since, timeout_s=1.2 * SLOW)
        except AssertionError:
            return False
        self.assertEqual(event["data"]["code"], code)
        self.assertGreater(len(event["data"]["message"]), 5)
        return True

    def test_topics_without_a_name(self):
        """`P/cmd` and `P/emit` themselves match the subscriptions."""
        before = self.health()
        for topic in ("cmd", "emit", "cmd/", "emit/"):
            self.control.publish(f"{P}/{topic}", b"{}")
        self.ok("ping")
        after = self.health()
        self.is_fine(after)
        counted = (after["mqtt"]["refused"] - before["mqtt"]["refused"]
                   + self.answered(after) - self.answered(before))
        self.assertEqual(counted, 4 + 1)

    def test_far_too_large(self):
        """Over MQTT 5 the broker was asked not to send such a one; either way nothing breaks."""
        for topic in ("emit/far/too/large", "cmd/ping"):
            self.control.publish(f"{P}/{topic}", b'"' + b"x" * 3_000_000 + b'"')
        self.ok("ping")
        self.is_fine(self.health())

    def mutations(self, rng, n, seed):
        """Send them, in batches; each is answered exactly once by valid JSON."""
        topic = f"{P}/reply/{self.control.name}/mutants"
        self.control.subscribe(topic)
        for begin in range(0, n, BATCH):
            since, sent = self.control.mark(), {}
            for k in range(begin, min(begin + BATCH, n)):
                command, payload = rng.choice(GOOD)
                data = mutate(rng, json.dumps(payload).encode())
                if rng.random() < 0.02:
                    command = command.replace(rng.choice(command), rng.choice("abc/_ 0Z"), 1)
                token = b"%d-%d" % (seed, k)
                sent[token] = (command, data)
                self.control.publish(f"{P}/cmd/{command}", data, response=topic,
                                     correlation=token, wait=False)
            replies = {}

            def all_answered():
                replies.clear()
                for m in self.control.messages[since:]:
                    if m.topic == topic:
                        replies.setdefault(m.correlation, []).append(m)
                return len(replies) >= len(sent)
            try:
                self.control.wait("all replies", all_answered)
            except AssertionError:
                missing = [sent[t] for t in sent if t not in replies]
                self.fail(f"seed {seed}: no reply to {missing[:5]}; {self.gateway.log()[-2000:]}")
            for token, messages in replies.items():
                self.assertEqual(len(messages), 1, (seed, sent[token]))
                self.is_reply(messages[0], (seed, sent[token]))

    def is_reply(self, message, what):
        reply = strict_loads(message.payload.decode("utf-8"))
        if reply["ok"]:
            self.assertIn("result", reply, what)
            return
        self.assertIn(reply["error"]["code"], CODES, what)
        self.assertGreater(len(reply["error"]["message"]), 5, what)

    @unittest.skipUnless(IS_V5, "replies are told apart by correlation data")
    def test_mutations(self):
        seed = int(os.environ.get("CUEBUS_SEED", random.randrange(2**32)))
        print(f"seed {seed}: repeat with CUEBUS_SEED={seed}", file=sys.stderr)
        rng = random.Random(seed)
        before = self.health()
        self.mutations(rng, MUTATIONS // 4, seed)
        rss = self.rss_kib()
        self.mutations(rng, MUTATIONS - MUTATIONS // 4, seed + 1)
        grown = self.rss_kib() - rss
        self.ok("playlist/stop", {"all": True})
        after = self.health()
        self.is_fine(after)
        self.assertEqual(self.answered(after) - self.answered(before), MUTATIONS + 1)
        self.assertEqual(after["commands"]["rate_limited"], 0)
        self.assertEqual(after["commands"]["store_error"], None)
        print(f"RSS grew by {grown} KiB over the last {MUTATIONS - MUTATIONS // 4}", file=sys.stderr)
        if not SANITIZED:
            self.assertLess(grown, RSS_GROWTH_KIB)


if __name__ == "__main__":
    unittest.main()
