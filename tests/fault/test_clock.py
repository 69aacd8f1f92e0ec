# SPDX-License-Identifier: Apache-2.0
"""The wall clock jumps by hours, forward and back, while a gateway runs: only `timestamp` follows.
Runs, gestures, the connection and resumed runs use the monotonic clock, which can't be set."""

import functools
import time
import unittest

from connection import CONNECTIONS_PER_ATTEMPT, ConnectionTest, most_attempts
from wall_clock import HOUR_S, WallClock, offset_s
from harness import IS_V5, P, REGISTRY, Gateway, IntegrationTest, base_config, limit_s, until

# What a timestamp may be off for reasons other than the step (this machine's
# own clock is not this test's to hold).
CLOSE_S = 60
STEPS_S = (HOUR_S, -HOUR_S, 0, -24 * HOUR_S, 365 * 24 * HOUR_S, 0)
TICKS = 150
WINDOW_MS = 500
# Taps that a playlist makes, so that their distance does not depend on this
# machine's: ms since its start, and whether the second of two is a double tap.
TAPS_MS = (0, 400, 1500, 2100, 3000, 3500)


def taps():
    return [{"emit": "key.tap", "offset": f"{ms}ms", "producer_id": 1} for ms in TAPS_MS]


class ClockTest(IntegrationTest):
    """A gateway whose wall clock is the test's."""

    @classmethod
    def start_gateway(cls):
        cls.gateway.start = functools.partial(Gateway.start, cls.gateway, cls.clock.environment())
        super().start_gateway()


class Clock(ClockTest):
    """Forward and back while it runs."""

    @classmethod
    def config(cls):
        cls.clock = WallClock(cls.directory)
        config = base_config(cls.broker.port, cls.state_dir)
        config["playlists"].update({
            "metronome": {"max_runs": 100, "completion": "metronome.done", "steps": [
                {"emit": "metronome.tick", "repeat": TICKS, "interval": "20ms"}]},
            "tapping": {"steps": taps()},
        })
        config["gestures"].update({
            "taps": {"type": "double_tap", "source": "key.tap", "window": f"{WINDOW_MS}ms",
                     "emit": "key.double"},
            "rested": {"type": "double_tap", "source": "key.tap", "window": "60s",
                       "cooldown": "2s", "emit": "key.rested"},
            "slow": {"type": "sequence", "timeout": "550ms", "emit": "key.two",
                     "steps": [{"event": "key.tap"}, {"event": "key.tap"}]},
        })
        return config

    def setUp(self):
        self.clock.set(0)
        super().setUp()

    def marker(self, name):
        """An event emitted now."""
        since = self.watcher.mark()
        self.emit(name)
        return self.watcher.event(name, since=since)

    def set_and_look(self, shift_s):
        self.clock.set(shift_s)
        return self.marker("clock.marker")

    def test_timestamp_follows_at_once(self):
        first = offset_s(self.marker("clock.marker"))
        for shift_s in STEPS_S:
            with self.subTest(shift_s=shift_s):
                event = self.set_and_look(shift_s)
                self.assertAlmostEqual(offset_s(event) - first, shift_s, delta=CLOSE_S)
                self.assertAlmostEqual(self.clock.shown(event["timestamp"]), shift_s,
                                       delta=CLOSE_S)
                self.assertIn("the system's clock was set", self.gateway.log())

    def step_often(self, since, done):
        """Another hour at each event that is seen, until `done` comes."""
        steps = 0

        def step_or_done():
            nonlocal steps
            self.clock.set(STEPS_S[steps % len(STEPS_S)])
            steps += 1
            return any(m.topic == P + "/bus/" + done for m in self.watcher.messages[since:])
        self.watcher.wait(done, step_or_done, timeout_s=limit_s(90))
        return steps

    def test_a_run_keeps_its_times(self):
        since, asked = self.watcher.mark(), time.monotonic()
        run = self.ok("playlist/start", {"playlist": "metronome"})["run"]
        steps = self.step_often(since, "metronome/done")
        self.assertGreater(steps, 10)
        created = self.watcher.event("event.playlist.created", since=since)
        emitted = self.watcher.events("event.playlist.emitted", since)
        self.assertEqual([e["data"]["repeat_index"] for e in emitted], list(range(TICKS)))
        for k, event in enumerate(emitted):
            self.assertEqual(event["data"]["playlist_id"], run)
            self.assertEqual(event["data"]["offset"], round(k * 0.02, 6))
            self.assertGreaterEqual(event["data"]["late_us"], 0)
            self.assertAlmostEqual(event["monotonic_us"] - created["monotonic_us"], k * 20000,
                                   delta=1)
        # Not early: this machine's own clock was not set.
        for message in self.watcher.messages[since:]:
            if message.topic == P + "/bus/metronome/tick":
                k = (message.json["monotonic_us"] - created["monotonic_us"]) / 1e6
                self.assertGreaterEqual(message.time, asked + k - 1e-6)
        stopped = self.watcher.event("event.playlist.stopped", since=since)["data"]
        self.assertEqual((stopped["reason"], stopped["emitted_count"]), ("completed", TICKS))
        self.assertNotIn("skipped_count", stopped)
        self.assertEqual(self.watcher.events("event.playlist.overdue", since), [])
        late = sorted(e["data"]["late_us"] for e in emitted)
        print(f"{steps} steps of the clock; late_us p50 {late[TICKS // 2]}, max {late[-1]}")

    def test_gestures_keep_their_windows(self):
        since = self.watcher.mark()
        run = self.ok("playlist/start", {"playlist": "tapping"})["run"]
        self.step_often(since, "event/playlist/stopped")
        self.fence()
        start = self.watcher.event("event.playlist.created", lambda e: e["data"]["playlist_id"] == run,
                                   since)["monotonic_us"]

        def fired(event_type):
            return [round((e["monotonic_us"] - start) / 1000)
                    for e in self.watcher.events(event_type, since)]
        self.assertEqual(fired("key.tap"), list(TAPS_MS))
        # 0 to 400 and 3000 to 3500 ms: the window is inclusive; 1500 to 2100 is too long.
        self.assertEqual(fired("key.double"), [400, 3500])
        # The pairs are (0, 400), (1500, 2100), (3000, 3500); at 2100 it rests since 400.
        self.assertEqual(fired("key.rested"), [400, 3500])
        self.assertEqual(fired("key.two"), [400, 3500])

    def test_a_command_is_remembered_for_as_long(self):
        """Twice with one request_id: run once, though a day has passed by the wall clock."""
        since = self.watcher.mark()
        topic = f"{P}/reply/playlist/start"
        self.watcher.publish(f"{P}/cmd/playlist/start", {"playlist": "flash", "request_id": "again"})
        self.watcher.on_topic(topic, since)
        for shift_s in (24 * HOUR_S, -24 * HOUR_S):
            self.clock.set(shift_s)
            second = self.watcher.mark()
            self.watcher.publish(f"{P}/cmd/playlist/start",
                                 {"playlist": "flash", "request_id": "again"})
            self.watcher.on_topic(topic, second)
        self.assertEqual(len(self.watcher.events("event.playlist.created", since)), 1)

    @unittest.skipUnless(IS_V5, "MQTT 5 only")
    def test_a_command_does_not_expire_by_the_wall_clock(self):
        for shift_s in (HOUR_S, -HOUR_S):
            self.clock.set(shift_s)
            since = self.watcher.mark()
            self.watcher.publish(f"{P}/cmd/ping", {}, expiry_s=30)
            self.assertTrue(self.watcher.on_topic(f"{P}/reply/ping", since).json["ok"])

    def test_health_goes_on(self):
        """Its interval does not become an hour, and it has the current time."""
        for shift_s in (HOUR_S, -2 * HOUR_S):
            since = self.watcher.mark()
            self.clock.set(shift_s)
            health = self.watcher.message(
                "health of the new time", lambda m, s=shift_s: m.topic == f"{P}/health"
                and abs(self.clock.shown(m.json["timestamp"]) - s) < CLOSE_S, since).json
            self.assertTrue(health["mqtt"]["connected"])
            uptime = health["uptime_s"]
            later = self.watcher.message(
                "uptime", lambda m, u=uptime: m.topic == f"{P}/health" and m.json["uptime_s"] > u,
                since).json
            self.assertLess(later["uptime_s"], HOUR_S)


class Restart(ClockTest):
    """Runs across kill -9 while the wall clock is set, and across a restart of the machine."""

    REPEAT, INTERVAL_S = 60, 0.05

    @classmethod
    def config(cls):
        cls.clock = WallClock(cls.directory)
        config = base_config(cls.broker.port, cls.state_dir)
        config["gestures"] = {}
        config["playlists"] = {
            name: {"on_restart": "resume", "late": late, "steps": [
                {"emit": "run.tick", "repeat": cls.REPEAT, "interval": f"{cls.INTERVAL_S * 1000:.0f}ms"}]}
            for name, late in (("bursting", "burst"), ("newest", "skip"))}
        return config

    def interrupted_life(self, name, before_s=0):
        """Start a run, let it emit some, set the clock by before_s, and kill -9."""
        self.clock.set(0)
        since = self.watcher.mark()
        run = self.ok("playlist/start", {"playlist": name})["run"]
        self.watcher.wait("some ticks",
                          lambda: len(self.emitted(run, since)) >= 5)
        if before_s:
            self.clock.step(before_s)
            n = len(self.emitted(run, since))
            self.watcher.wait("more ticks", lambda: len(self.emitted(run, since)) > n + 2)
        self.gateway.kill()
        return run, since

    def emitted(self, run, since):
        return [e["data"] for e in self.watcher.events("event.playlist.emitted", since)
                if e["data"]["playlist_id"] == run]

    def next_life(self, run, since, step_s, reboot):
        """The second life's `created`, `overdue` and `stopped` of the run."""
        if reboot:
            self.clock.reboot()
        self.clock.step(step_s)
        again = self.watcher.mark()
        self.start_gateway()
        stopped = self.watcher.event("event.playlist.stopped",
                                     lambda e: e["data"]["playlist_id"] == run, since)
        self.assertEqual(REGISTRY.errors("event.playlist.stopped", stopped["data"]), [])
        created = self.watcher.event("event.playlist.created",
                                     lambda e: e["data"]["playlist_id"] == run, again)["data"]
        overdue = self.watcher.events("event.playlist.overdue", again)
        self.assertEqual(created["cause"], "restore")
        self.assertEqual(stopped["data"]["reason"], "completed")
        self.assertGreaterEqual(created["offset"], 0)
        emitted = self.emitted(run, since)
        indices = [e["repeat_index"] for e in self.unique(run, since)]
        self.assertEqual(indices, sorted(set(indices)), "emitted twice or out of order")
        for data in emitted:
            self.assertAlmostEqual(data["offset"], data["repeat_index"] * self.INTERVAL_S, places=6)
            self.assertGreaterEqual(data["late_us"], 0)
        skipped = stopped["data"].get("skipped_count", 0)
        self.assertEqual(len(indices) + skipped, self.REPEAT)
        return created, overdue, stopped["data"]

    def unique(self, run, since):
        """What was sent again after the kill, with the same seq, once."""
        seen = {}
        for e in self.watcher.events("event.playlist.emitted", since):
            if e["data"]["playlist_id"] == run:
                seen.setdefault((e["boot_id"], e["seq"]), e["data"])
        return list(seen.values())

    def length_s(self):
        return (self.REPEAT - 1) * self.INTERVAL_S

    def test_within_a_boot_of_the_machine(self):
        """The wall clock has no effect, whatever it was set to."""
        for name, step_s in (("bursting", HOUR_S), ("newest", -HOUR_S)):
            with self.subTest(name=name, step_s=step_s):
                run, since = self.interrupted_life(name)
                created, _, _ = self.next_life(run, since, step_s, reboot=False)
                self.assertLess(created["offset"], HOUR_S / 2)

    def test_a_new_boot_with_the_clock_ahead(self):
        """The difference counts as downtime: the rest is emitted at once, and reported."""
        run, since = self.interrupted_life("bursting")
        created, overdue, stopped = self.next_life(run, since, HOUR_S, reboot=True)
        self.assertGreaterEqual(created["offset"], HOUR_S)
        self.assertEqual(len(overdue), 1)
        self.assertEqual(stopped["emitted_count"], self.REPEAT)

    def test_a_new_boot_with_the_clock_behind(self):
        """The downtime is unknown: the run continues where it was, and that is logged."""
        run, since = self.interrupted_life("newest")
        last = max(e["repeat_index"] for e in self.emitted(run, since))
        created, overdue, _ = self.next_life(run, since, -HOUR_S, reboot=True)
        self.assertGreaterEqual(created["offset"], last * self.INTERVAL_S - 1e-6)
        self.assertLess(created["offset"], self.length_s())
        self.assertEqual(overdue, [])
        self.assertIn("the system's clock is ", self.gateway.log())
        self.assertIn("behind the last time in the run journal", self.gateway.log())

    def test_a_clock_that_was_set_while_the_run_was_active(self):
        """A machine without a battery: it starts in the past, its clock is set, and it restarts."""
        for before_s in (365 * 24 * HOUR_S, -HOUR_S):
            with self.subTest(before_s=before_s):
                run, since = self.interrupted_life("bursting", before_s)
                created, _, _ = self.next_life(run, since, 0, reboot=True)
                self.assertLess(created["offset"], HOUR_S / 2)
                self.assertNotIn("behind what", self.gateway.log())


class Connection(ConnectionTest):
    """Keepalive, backoff and the wait for acknowledgements."""

    def setUp(self):
        super().setUp()
        self.clock = WallClock(self.directory)

    def connect(self):
        self.broker = self.new_broker("broker", "allow_anonymous true")
        self.proxy = self.new_proxy(self.broker.port)
        self.start(self.config(f"mqtt://127.0.0.1:{self.proxy.port}", keepalive="2s"),
                   self.clock.environment())
        self.log_has("connected to")

    def connections(self):
        return self.gateway.log().count("info: connected to")

    def test_a_good_connection_stays(self):
        self.connect()
        begin = time.monotonic()
        for shift_s in STEPS_S:
            self.clock.set(shift_s)
            # Longer than a keepalive; the fault's own duration.
            end = time.monotonic() + 1.5
            until("the step lasts", lambda end=end: time.monotonic() > end,
                  process=self.gateway.process)
        self.assertGreater(time.monotonic() - begin, 4 * 2)
        self.assertEqual((self.connections(), self.proxy.connections), (1, 1), self.gateway.log())
        self.gateway.stop()

    def test_a_dead_connection_is_found(self):
        for shift_s in (-HOUR_S, HOUR_S):
            with self.subTest(shift_s=shift_s):
                if not self.gateway:
                    self.connect()
                before = self.connections()
                self.proxy.hang()
                self.clock.set(shift_s)
                until("the loss is logged", lambda n=before: self.gateway.log().count(
                    "connection to the broker lost") >= n, process=self.gateway.process)
                self.clock.set(0)
                self.proxy.drop_all()
                self.proxy.resume()
                until("connected again", lambda n=before: self.connections() > n,
                      process=self.gateway.process)
        self.gateway.stop()

    def test_backoff(self):
        """It neither pauses for an hour nor retries without a delay."""
        self.connect()
        self.broker.kill()
        self.proxy.drop_all()
        begin, seen = time.monotonic(), self.proxy.connections
        for k in range(6):
            self.clock.set(STEPS_S[k % len(STEPS_S)])
            n = self.proxy.connections
            until("another attempt", lambda n=n: self.proxy.connections > n,
                  process=self.gateway.process)
        connections = self.proxy.connections - seen
        self.assertLessEqual(connections,
                             CONNECTIONS_PER_ATTEMPT * most_attempts(time.monotonic() - begin))
        self.broker.start()
        until("connected again", lambda: self.connections() == 2, process=self.gateway.process)
        self.gateway.stop()

    def test_an_answer_that_never_comes(self):
        """While it connects: the time for that is not the wall clock's either."""
        self.broker = self.new_broker("broker", "allow_anonymous true")
        self.proxy = self.new_proxy(self.broker.port)
        self.proxy.mute = True
        self.start(self.config(f"mqtt://127.0.0.1:{self.proxy.port}", keepalive="2s"),
                   self.clock.environment())
        until("it has begun", lambda: self.proxy.connections >= 1, process=self.gateway.process)
        self.clock.set(-HOUR_S)
        self.log_has("no connection to the broker")
        self.proxy.mute = False
        self.proxy.drop_all()
        self.log_has("connected to")
        self.gateway.stop()


if __name__ == "__main__":
    unittest.main()
