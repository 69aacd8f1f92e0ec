# SPDX-License-Identifier: Apache-2.0
"""The gateway is killed (SIGKILL) 20 times under 2,000 events/s, with the outbox on disk. What a
consumer must find, over all lives:
  - of each life all seqs, without a hole, to the last that was committed at the kill: a lost event
    was not published, and was not yet on disk;
  - an event that a reply confirms arrived before the reply, because both go through the same
    outbox, which sends only what is committed;
  - no occurrence of the playlist is lost or emitted twice: the next process emits again, from the
    same journal, what was emitted but not committed (on_restart: resume).

The committed seqs are read from a copy of the database made between two lives.
"""

import contextlib
import json
import random
import re
import shutil
import sqlite3
import threading
import time
import unittest

from connection import ConnectionTest
from counting import SANITIZED, Subscriber, scaled
from harness import BROKER_LINES, P, Client

KILLS = scaled(20, 5)
INTERVAL = "4ms" if SANITIZED else "1ms"  # two events each
ASK_EVERY_S = 0.004
ASKED = re.compile(rb'"data":\{"ask":(\d+)\}')


class Asker:
    """Asks for an event with a number of its own, again and again, and looks at what comes
    back in the one stream that the subscriber sees."""

    def __init__(self, broker, tally):
        self.emitted = {}  # ask: (boot_id, seq)
        self.replies = {}  # ask: seq
        self.asks = 0
        self.wrong = []
        tally.others[b"asked"] = self._on_event
        tally.others[f"{P}/reply/event/emit".encode()] = self._on_reply
        self._client = Client(broker)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        # The pace of the load, under limits.commands_per_second.
        while not self._end.wait(ASK_EVERY_S):
            try:
                self._client.publish(f"{P}/cmd/event/emit", {
                    "event_type": "asked", "data": {"ask": self.asks}, "request_id": self.asks})
            except AssertionError as error:
                self.wrong.append(str(error))
                return
            self.asks += 1

    def stop(self):
        self._end.set()
        self._thread.join()
        self._client.close()

    def _on_event(self, payload, boot_id, seq):
        ask = int(ASKED.search(payload)[1])
        if ask in self.emitted:
            self.wrong.append(f"ask {ask} was emitted twice")
        self.emitted[ask] = (boot_id, seq)

    def _on_reply(self, payload):
        reply = json.loads(payload)
        ask = reply["request_id"]
        if not reply["ok"]:
            self.wrong.append(f"refused: {reply}")
            return
        self.replies[ask] = reply["result"]["seq"]

    def check_replies(self, test):
        """A reply may overtake its event; but what it confirms comes, over a kill too."""
        for ask, seq in self.replies.items():
            test.assertEqual(self.emitted.get(ask, (None, None))[1], seq, f"ask {ask}")


class GatewayKills(ConnectionTest):
    def setUp(self):
        super().setUp()
        self.broker = self.new_broker("broker", *BROKER_LINES)
        self.subscriber = Subscriber(self.broker.port)
        self.addCleanup(self.subscriber.close)
        self.tally = self.subscriber.tally
        self.rng = random.Random(20261125)
        self.committed = {}     # boot_id: the highest seq that was on disk at a kill
        self.behind_ms = []     # at each kill, of the last committed event

    def load_config(self, sync, protocol):
        config = self.config(f"mqtt://127.0.0.1:{self.broker.port}", protocol=protocol)
        config["gateway"]["state_dir"] = str(self.directory / "state")
        config["outbox"] = {"sync": sync}
        config["playlists"] = {"load": {
            "trigger": "load.start", "interrupts": ["load.stop"], "on_restart": "resume",
            "steps": [{"emit": "load.tick", "data": {"text": "x" * 60}, "repeat": 1000000,
                       "interval": INTERVAL}]}}
        return config

    def tell(self, word):
        client = Client(self.broker)
        client.publish(f"{P}/emit/load/{word}")
        client.close()

    def look_at_disk(self, killed_ns):
        """The lives and seqs in the database as the kill has left it; of a copy, because
        the look itself would tidy up the log."""
        copy = self.directory / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.directory / "state", copy)
        # Closed here and now: the close removes the log by its name, and the next copy's has the same.
        with contextlib.closing(sqlite3.connect(copy / "outbox.db")) as db:
            rows = db.execute("SELECT boot_id, max(seq), payload FROM messages WHERE seq > 0 "
                              "GROUP BY boot_id").fetchall()
        for boot_id, seq, _ in rows:
            self.committed[boot_id] = max(seq, self.committed.get(boot_id, 0))
        if rows:
            last_us = max(json.loads(payload)["monotonic_us"] for _, _, payload in rows)
            self.behind_ms.append((killed_ns / 1000 - last_us) / 1000)

    def kill_gateway(self):
        self.gateway.kill()
        self.look_at_disk(time.monotonic_ns())

    def next_life(self):
        sessions = self.tally.sessions
        self.gateway.start()
        self.subscriber.wait_session(sessions + 1, self.gateway.process)

    def kill_at_some_time(self):
        """Sometimes while it sends what was left, sometimes later."""
        self.subscriber.wait_events(self.rng.choice((1, 40, 400, 1500, 2500)),
                                    self.gateway.process)
        self.kill_gateway()

    def nothing_is_lost(self, sync, protocol=5):
        asker = Asker(self.broker, self.tally)
        try:
            self.start(self.load_config(sync, protocol))
            self.subscriber.wait_session(1, self.gateway.process)
            self.tell("start")
            # The first kill must not come before there is a run: the asks make events too.
            self.subscriber.wait("the run", lambda: self.tally.occurrences, self.gateway.process)
            for _ in range(KILLS):
                self.kill_at_some_time()
                self.next_life()
        finally:
            asker.stop()
        self.tell("stop")
        run = self.subscriber.wait_stopped(self.gateway.process)
        self.gateway.stop()
        self.tally.check(self)
        self.assertEqual(self.tally.announced, [])
        occurrences = self.tally.check_run(self, run)
        self.assertEqual(asker.wrong[:5], [])
        asker.check_replies(self)
        self.assertGreater(len(asker.replies), 0)
        self.check_committed()
        duplicates = self.tally.duplicates
        behind = sorted(self.behind_ms)
        print(f"\n{KILLS} kills of the gateway under {self.tally.rate():.0f} events/s (sync "
              f"{sync}, MQTT {protocol}): {self.tally.unique()} events of {len(self.tally.boots)} "
              f"lives, {occurrences} occurrences, {len(asker.replies)} of {asker.asks} asks "
              f"answered, 0 lost; {sum(duplicates)} duplicates (at most {max(duplicates)} after "
              f"a kill); the last committed event was {behind[0]:.1f} to {behind[-1]:.1f} ms "
              f"(median {behind[len(behind) // 2]:.1f}) old when the process had ended")

    def check_committed(self):
        """Of a life that was killed, exactly what was committed has been seen. (Where all
        of it had been sent and acknowledged there are no rows to compare with.)"""
        self.assertGreater(len(self.committed), 0)
        for boot_id, seq in self.committed.items():
            self.assertIn(boot_id, self.tally.boots)
            self.assertEqual(self.tally.boots[boot_id].highest, seq, boot_id)

    def test_batch(self):
        self.nothing_is_lost("batch")

    def test_always(self):
        self.nothing_is_lost("always")

    def test_always_311(self):
        self.nothing_is_lost("always", "3.1.1")


if __name__ == "__main__":
    unittest.main()
