# SPDX-License-Identifier: Apache-2.0
"""kill -9 of a real gateway while runs are active: exactly one `stopped` for each run over all lives,
and a resumed run loses and repeats no occurrence."""

import pathlib
import random
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from harness import REGISTRY, IntegrationTest, P, base_config, until  # noqa: E402

KILLS = 8
TICKS = 30
STEPS = [
    {"emit": "run.tick", "repeat": TICKS, "interval": "100ms", "data": {"n": 1}},
    {"emit": "run.bell", "offset": "1550ms"},
]
OCCURRENCES = {(0, k) for k in range(TICKS)} | {(1, 0)}
LIFECYCLE = ("created", "emitted", "stopped", "overdue", "rejected")


def playlists():
    made = {
        name: {"on_restart": policy, "late": late, "max_runs": 1000, "trigger": f"go.{name}",
               "completion": f"{name}.done", "metadata": {"policy": policy}, "steps": STEPS}
        for name, policy, late in (
            ("aborting", "abort", "burst"), ("bursting", "resume", "burst"),
            ("newest", "resume", "skip"), ("skipping", "skip", "burst"))
    }
    made["queued"] = {"on_restart": "resume", "mode": "queued", "max_runs": 1000,
                      "steps": [{"emit": "queue.tick", "repeat": 3, "interval": "100ms"}]}
    return made


class Life:
    """One run's lifecycle events, each (boot_id, seq) once."""

    def __init__(self):
        self.created, self.emitted, self.stopped, self.overdue = [], [], [], []


class Runs(IntegrationTest):
    @classmethod
    def config(cls):
        config = base_config(cls.broker.port, cls.state_dir)
        config["playlists"] = playlists()
        config["gestures"] = {
            "lamp": {"type": "cycle", "source": "lamp.button", "emit": "lamp.set", "values": ["low", "high", "off"],
                     "restore": True},
            "scene": {"type": "cycle", "source": "lamp.button", "emit": "scene.set", "values": [1, 2, 3]}}
        return config

    def lives(self, since):
        runs, seen = {}, set()
        for event in self.watcher.events(since=since):
            kind = event["event_type"].removeprefix("event.playlist.")
            key = (event["boot_id"], event["seq"])
            if kind not in LIFECYCLE or key in seen:
                continue
            seen.add(key)
            errors = REGISTRY.errors(event["event_type"], event["data"])
            self.assertEqual(errors, [], event)
            self.assertNotEqual(kind, "rejected")
            getattr(runs.setdefault(event["data"]["playlist_id"], Life()), kind).append(event["data"])
        return runs

    def start_some(self, rng):
        started = []
        for name in playlists():
            for _ in range(rng.randint(1, 3)):
                started.append(self.ok("playlist/start", {"playlist": name})["run"])
        return started

    def steer_some(self, rng):
        """Pauses and tempos, which lose and repeat nothing either."""
        for _ in range(rng.randint(0, 5)):
            name = rng.choice([*playlists()])
            verb, more = rng.choice([("pause", {}), ("resume", {}), ("tempo", {"factor": 0.5}),
                                     ("tempo", {"factor": 3}), ("tempo", {"factor": 1})])
            self.ok(f"playlist/{verb}", {"playlist": name, **more})

    def kill_somewhere(self, rng):
        """After so and so many more messages: in the middle of whatever goes on then."""
        target = self.watcher.mark() + rng.randint(1, 60)
        self.watcher.wait("messages", lambda: len(self.watcher.messages) >= target)
        self.gateway.kill()

    def test_exactly_one_stopped_and_nothing_lost_or_repeated(self):
        rng = random.Random(20261123)
        begin = self.watcher.mark()
        runs = []
        for _ in range(KILLS):
            runs += self.start_some(rng)
            self.steer_some(rng)
            self.kill_somewhere(rng)
            self.start_gateway()
        self.ok("playlist/resume", {"all": True})
        for run in runs:
            self.watcher.event("event.playlist.stopped",
                               lambda e, run=run: e["data"]["playlist_id"] == run)
        self.assertEqual(self.ok("playlist/runs")["runs"], [])
        # A later restart reports nothing about them.
        since = self.watcher.mark()
        self.gateway.kill()
        self.start_gateway()
        self.emit("later")
        self.watcher.event("later", since=since)
        self.assertEqual([e for e in self.watcher.events(since=since)
                          if e["event_type"].startswith("event.playlist.")], [])
        lives = self.lives(begin)
        self.assertEqual(set(runs), set(lives), "runs that were not started")
        for run, life in lives.items():
            with self.subTest(run=run):
                self.check(life)
        reasons = {(life.stopped[0]["playlist_name"], life.stopped[0]["reason"],
                    life.stopped[0]["detail"]) for life in lives.values()}
        self.assertIn(("aborting", "cancelled", "restart"), reasons)
        self.assertIn(("bursting", "completed", None), reasons)
        resumed = [c for life in lives.values() for c in life.created if c["cause"] == "restore"]
        self.assertTrue(any(c["offset"] > 0 for c in resumed))

    def check(self, life):
        self.assertEqual(len(life.stopped), 1)
        stopped = life.stopped[0]
        name = stopped["playlist_name"]
        first = [c for c in life.created if c["cause"] != "restore"]
        self.assertLessEqual(len(first), 1)
        offsets = [c["offset"] for c in life.created if c["cause"] == "restore"]
        self.assertEqual(offsets, sorted(offsets))
        emitted = [(e["step_index"], e["repeat_index"]) for e in life.emitted]
        self.assertEqual(len(emitted), len(set(emitted)), f"{name}: emitted twice: {emitted}")
        self.assertEqual(stopped["emitted_count"], len(emitted), name)
        if stopped["reason"] != "completed":
            self.assertEqual((stopped["reason"], stopped["detail"]), ("cancelled", "restart"))
            self.assertEqual(name, "aborting")
            self.assertEqual(offsets, [])
            return
        skipped = stopped.get("skipped_count", 0)
        expected = 3 if name == "queued" else len(OCCURRENCES)
        self.assertEqual(len(emitted) + skipped, expected, name)
        if name in ("bursting", "queued"):
            self.assertEqual(skipped, 0)
        if name == "bursting":
            self.assertEqual(set(emitted), OCCURRENCES)

    def all_is_written(self):
        """The second snapshot that comes after this call was taken after it."""
        self.catch_up()
        for _ in range(2):
            since = self.watcher.mark()
            self.watcher.message("all is written", lambda m: m.topic == f"{P}/health"
                                 and m.json["outbox"]["unwritten_events"] == 0, since)

    def test_a_cycle_goes_on_from_its_value(self):
        """The one with `restore`; the other begins anew."""
        values = []
        for _ in range(5):
            since = self.watcher.mark()
            self.emit("lamp.button")
            values.append((self.watcher.event("lamp.set", since=since)["data"],
                           self.watcher.event("scene.set", since=since)["data"]))
            self.all_is_written()
            self.gateway.kill()
            self.start_gateway()
        self.assertEqual(values, [("low", 1), ("high", 1), ("off", 1), ("low", 1), ("high", 1)])

    def test_a_pause_and_a_position_outlast_a_kill(self):
        """Paused at the seventh tick or so, killed, started again: nothing comes until it is
        resumed, and then everything that is left."""
        run = self.ok("playlist/start", {"playlist": "bursting"})["run"]
        self.watcher.event("event.playlist.emitted", lambda e: e["data"]["playlist_id"] == run
                           and e["data"]["repeat_index"] == 6)
        self.ok("playlist/tempo", {"run": run, "factor": 2})
        self.ok("playlist/pause", {"run": run})
        paused = self.watcher.event("event.playlist.paused",
                                    lambda e: e["data"]["playlist_id"] == run)["data"]
        self.assertEqual(REGISTRY.errors("event.playlist.paused", paused), [])
        self.all_is_written()
        self.gateway.kill()
        since = self.watcher.mark()
        self.start_gateway()
        boot = self.ok("ping")["boot_id"]
        created = self.watcher.event("event.playlist.created", lambda e: e["boot_id"] == boot, since)["data"]
        self.assertEqual((created["offset"], created["paused"], created["tempo"]),
                         (paused["offset"], True, 2))
        listed = self.ok("playlist/runs")["runs"][0]
        self.assertEqual((listed["state"], listed["tempo"], listed["offset"]),
                         ("paused", 2, paused["offset"]))
        self.catch_up()
        # One of the life before that was not acknowledged may come again.
        self.assertEqual([e for e in self.watcher.events("run.tick", since) if e["boot_id"] == boot], [])
        self.ok("playlist/resume", {"run": run})
        stopped = self.watcher.event("event.playlist.stopped",
                                     lambda e: e["data"]["playlist_id"] == run)["data"]
        self.assertEqual((stopped["reason"], stopped["emitted_count"]), ("completed", len(OCCURRENCES)))
        life = self.lives(0)[run]
        self.assertEqual({(e["step_index"], e["repeat_index"]) for e in life.emitted}, OCCURRENCES)

    def test_health_counts_what_went_on(self):
        run = self.ok("playlist/start", {"playlist": "bursting"})["run"]
        aborted = self.ok("playlist/start", {"playlist": "aborting"})["run"]
        self.watcher.event("event.playlist.emitted",
                           lambda e: e["data"]["playlist_id"] == run)
        self.gateway.kill()
        self.start_gateway()
        self.watcher.event("event.playlist.stopped",
                           lambda e: e["data"]["playlist_id"] == aborted)
        self.watcher.event("event.playlist.stopped", lambda e: e["data"]["playlist_id"] == run)
        boot = self.ok("ping")["boot_id"]
        since = self.watcher.mark()
        health = self.watcher.message(
            "health", lambda m: m.topic.endswith("/health") and m.json["boot_id"] == boot
            and m.json["playlists"]["restored"] >= 1, since).json
        self.assertGreaterEqual(health["playlists"]["aborted"], 1)

    def test_sigterm_leaves_nothing_to_restore(self):
        run = self.ok("playlist/start", {"playlist": "bursting"})["run"]
        self.gateway.stop()
        self.start_gateway()
        stopped = self.watcher.event("event.playlist.stopped",
                                     lambda e: e["data"]["playlist_id"] == run)["data"]
        self.assertEqual((stopped["reason"], stopped["detail"]), ("cancelled", "shutdown"))
        self.emit("later")
        self.watcher.event("later")
        self.assertEqual(self.ok("playlist/runs")["runs"], [])

    def test_a_restart_longer_than_the_run_is_overdue(self):
        since = self.watcher.mark()
        run = self.ok("playlist/start", {"playlist": "bursting"})["run"]
        self.watcher.event("event.playlist.created",
                           lambda e: e["data"]["playlist_id"] == run, since)
        self.gateway.kill()
        # The run's expected end is 2.9 s after its start, and 5 s more make it overdue.
        end = time.monotonic() + 8.2
        until("the run is overdue", lambda: time.monotonic() > end)
        self.start_gateway()
        overdue = self.watcher.event("event.playlist.overdue",
                                     lambda e: e["data"]["playlist_id"] == run)["data"]
        self.assertGreaterEqual(overdue["overdue_by"], 5)
        stopped = self.watcher.event("event.playlist.stopped",
                                     lambda e: e["data"]["playlist_id"] == run)["data"]
        self.assertEqual(stopped["emitted_count"], len(OCCURRENCES))


if __name__ == "__main__":
    unittest.main()
