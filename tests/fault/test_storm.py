# SPDX-License-Identifier: Apache-2.0
"""Tens of thousands of interrupts a second, from inside and from outside: other runs keep their
times, no queue exceeds its limit, and `P/health` reports the load.

The storm from inside is a playlist whose event is re-emitted by 200 mirrors, 250 times a second:
50,000 events/s, each of them an interrupt, a tap and a change of state. Their type is not bridged,
so they load the bus and not the broker. The one from outside is mosquitto_pub processes that
publish as fast as they can.
"""

import subprocess
import sys
import unittest

from storm import RSS_GROWTH_KIB, SANITIZED, SHARE, TICK_MS, StormTest, metronome
from harness import P, base_config, find_program

MIRRORS = int(200 * SHARE)
SEED_MS = 4
STORM_MS = 10000
SEEDS = STORM_MS // SEED_MS
INTERRUPTS = SEEDS * MIRRORS
CALM_MS = 500  # of the metronome before and after the storm
TICKS = (STORM_MS + 2 * CALM_MS) // TICK_MS
PULSES = STORM_MS // TICK_MS // 2  # in the first half of the storm
DEBOUNCE_MS = 200
COOLDOWN_MS = 1000
LIMITS = {"queue_events": 10000, "outbox_events": 100000, "inbox_messages": 64,
          "commands_per_second": 100, "emits_per_second": 1000000}


class Inside(StormTest):
    @classmethod
    def config(cls):
        config = base_config(cls.broker.port, cls.state_dir)
        config["mqtt"]["qos"] = {"alarm.*": "off", "event.playlist.emitted": 0}
        config["limits"] = LIMITS
        config["inputs"] = {}
        config["gestures"] = {
            f"mirror.{k}": {"type": "gated_mirror", "gate": ["alarm.gate"], "initial": True,
                            "mirror": ["alarm.seed"], "emit": "alarm.raised",
                            "output_producer_id": 1}
            for k in range(MIRRORS)}
        config["gestures"]["taps"] = {
            "type": "double_tap", "source": "alarm.raised", "window": "1s",
            "cooldown": f"{COOLDOWN_MS}ms", "emit": "taps.fired"}
        config["playlists"] = {
            "metronome": metronome(TICKS, trigger="storm.begins"),
            "storm": {"trigger": "storm.begins", "steps": [
                {"emit": "alarm.seed", "offset": f"{CALM_MS}ms", "repeat": SEEDS,
                 "interval": f"{SEED_MS}ms"}]},
            "pulse": {"trigger": "storm.begins", "steps": [
                {"emit": "pulse.tick", "offset": f"{CALM_MS}ms", "repeat": PULSES,
                 "interval": f"{TICK_MS}ms"}]},
            "fragile": {"trigger": "metronome.tick", "interrupts": ["alarm.raised"],
                        "max_runs": 1000, "steps": [{"emit": "fragile.end", "offset": "50ms"}]},
            "debounced": {"trigger": "pulse.tick", "interrupts": ["alarm.raised"],
                          "interrupt_debounce": f"{DEBOUNCE_MS}ms", "max_runs": 1000,
                          "steps": [{"emit": "debounced.end", "offset": "10m"}]},
        }
        return config

    def ended(self, playlist, since):
        return [e for e in self.watcher.events("event.playlist.stopped", since)
                if e["data"]["playlist_name"] == playlist]

    def test_an_interrupt_storm(self):
        since, rss = self.watcher.mark(), self.rss_kib()
        before = self.health_after("health", lambda h: True, since)
        self.emit("storm.begins")
        run = self.watcher.event("event.playlist.created", lambda e: e["data"]["playlist_name"]
                                 == "metronome", since)["data"]["playlist_id"]
        self.metronome_kept_time(run, TICKS, since)
        grown = self.rss_kib() - rss
        after = self.health_after("health", lambda h: True, self.watcher.mark())
        self.print_rates(since, "bus", "events", "events on the bus")
        playlists, gestures = after["playlists"], after["gestures"]
        print(f"\n  {INTERRUPTS} interrupts: {playlists['interrupts_redundant']} redundant, "
              f"{playlists['interrupts_debounced']} debounced, {gestures['cooled_down']} taps cooled "
              f"down; bus queue peak {after['bus']['queue_peak']}, RSS grew by {grown} KiB",
              file=sys.stderr)
        self.ok("playlist/stop", {"all": True})
        self.is_bounded(since, LIMITS)
        self.assertGreaterEqual(after["bus"]["events"] - before["bus"]["events"],
                                INTERRUPTS + SEEDS + TICKS)
        # Each found nothing, or was too soon, or stopped something.
        stopping = {e["monotonic_us"] for name in ("fragile", "debounced")
                    for e in self.ended(name, since) if e["data"]["reason"] == "interrupted"}
        self.assertGreater(playlists["interrupts_redundant"], INTERRUPTS // 10)
        self.assertGreater(playlists["interrupts_debounced"], INTERRUPTS // 10)
        self.assertGreaterEqual(playlists["interrupts_redundant"]
                                + playlists["interrupts_debounced"] + len(stopping), INTERRUPTS)
        self.interrupts_are_debounced(since)
        self.fragile_runs_end_once(since)
        self.cooldown_holds(since, gestures)
        if not SANITIZED:
            self.assertLess(grown, RSS_GROWTH_KIB)

    def interrupts_are_debounced(self, since):
        """By the times of the interrupts, which the steps have from their deadlines: a late
        gateway has `stopped` closer together, but not more of them."""
        times = {e["monotonic_us"] for e in self.ended("debounced", since)
                 if e["data"]["reason"] == "interrupted"}
        self.assertGreater(len(times), 3)
        self.assertLessEqual(len(times), STORM_MS // DEBOUNCE_MS + 1)

    def fragile_runs_end_once(self, since):
        """Each began with a tick and was stopped by the next interrupt; before and after
        the storm it came to its end."""
        created = [e["data"]["playlist_id"]
                   for e in self.watcher.events("event.playlist.created", since)
                   if e["data"]["playlist_name"] == "fragile"]
        ended = [e["data"] for e in self.ended("fragile", since)]
        self.assertEqual(len(created), TICKS)
        self.assertEqual(sorted(data["playlist_id"] for data in ended), sorted(created))
        interrupted = [data for data in ended if data["reason"] == "interrupted"]
        self.assertGreater(len(interrupted), STORM_MS // TICK_MS - 5)
        for data in interrupted:
            self.assertEqual(data["interrupt_event"]["event_type"], "alarm.raised")
            self.assertEqual(data["emitted_count"], 0)

    def cooldown_holds(self, since, gestures):
        fired = [e["monotonic_us"] for e in self.watcher.events("taps.fired", since)]
        self.assertEqual(len(fired), STORM_MS // COOLDOWN_MS)
        for a, b in zip(fired, fired[1:]):
            self.assertGreaterEqual(b - a, COOLDOWN_MS * 1000)
        self.assertEqual(len(fired) + gestures["cooled_down"], INTERRUPTS // 2)


class Outside(StormTest):
    PUBLISHERS = 3
    EMITS = int(40000 * SHARE)     # each
    COMMANDS = int(10000 * SHARE)
    TICKS = 400

    @classmethod
    def config(cls):
        config = base_config(cls.broker.port, cls.state_dir)
        config["mqtt"]["qos"] = {"alarm.*": "off", "event.playlist.emitted": 0}
        config["limits"] = LIMITS
        config["inputs"] = {}
        config["gestures"] = {}
        config["playlists"] = {
            "metronome": metronome(cls.TICKS),
            "fragile": {"trigger": "metronome.tick", "interrupts": ["alarm.outside"],
                        "max_runs": 1000, "steps": [{"emit": "fragile.end", "offset": "100ms"}]},
        }
        return config

    def storm(self, topic, line, n, publishers):
        """All lines published at QoS 0, by so many processes at a time."""
        feed = self.directory / "lines"
        feed.write_text((line + "\n") * n)
        processes = []
        for _ in range(publishers):
            with open(feed, "rb") as lines:
                processes.append(subprocess.Popen(
                    [find_program("mosquitto_pub"), "-h", "127.0.0.1", "-p", str(self.broker.port),
                     "-t", topic, "-q", "0", "-l"], stdin=lines, stdout=subprocess.DEVNULL))
        for process in processes:
            self.assertEqual(process.wait(), 0)

    def quiet(self):
        """The first health report between which and the next nothing came in. A publisher has
        ended when the broker's socket has its last bytes, so the broker may still have some."""
        token = 0
        while True:
            since = self.watcher.mark()
            token += 1
            # A full inbox drops it: that it comes means that there is room again.
            self.control.publish(f"{P}/emit/storm/over", str(token))
            try:
                self.watcher.event("storm.over", lambda e, n=token: e["data"] == n, since, 2)
                break
            except AssertionError:
                self.assertLess(token, 100, "the gateway takes nothing in any more")
        came = -1

        def nothing_came(health):
            nonlocal came
            before, came = came, health["mqtt"]["received"] + health["mqtt"]["inbox_dropped"]
            return came == before
        return self.next_health(nothing_came)

    def next_health(self, condition):
        """The next report for which it holds, each being looked at once."""
        while True:
            health = self.health_after("health", lambda h: True, self.watcher.mark())
            if condition(health):
                return health

    def test_emits_and_commands(self):
        since = self.watcher.mark()
        before = self.health_after("health", lambda h: True, since)
        run = self.ok("playlist/start", {"playlist": "metronome"})["run"]
        rss = self.rss_kib()
        self.storm(f"{P}/emit/alarm/outside", "true", self.EMITS, self.PUBLISHERS)
        emitted = self.quiet()
        self.storm(f"{P}/cmd/ping", "{}", self.COMMANDS, 1)
        after = self.quiet()
        self.metronome_kept_time(run, self.TICKS, since)
        grown = self.rss_kib() - rss
        self.is_bounded(since, LIMITS)
        sent = self.EMITS * self.PUBLISHERS
        taken = emitted["mqtt"]["received"] - before["mqtt"]["received"]
        dropped = emitted["mqtt"]["inbox_dropped"]
        self.assertGreater(taken, 0)
        self.assertLessEqual(taken + dropped, sent + 100)
        if not dropped:
            # The broker was slower than the gateway; unit.inbox fills it. A full lane refuses
            # nothing yet, and the other lane may hold the command that began.
            self.assertLessEqual(emitted["mqtt"]["inbox_peak"], LIMITS["inbox_messages"] + 1)
        self.assertEqual(after["mqtt"]["refused"], 0)
        self.commands_are_answered(before, after, since)
        self.print_rates(since, "mqtt", "received", "messages taken in")
        print(f"\n  {sent} events from outside: {taken} taken, {dropped} dropped, inbox peak "
              f"{emitted['mqtt']['inbox_peak']}; {self.COMMANDS} commands: "
              f"{after['commands']['rate_limited']} over the rate; RSS grew by {grown} KiB",
              file=sys.stderr)
        if not SANITIZED:
            self.assertLess(grown, RSS_GROWTH_KIB)

    def commands_are_answered(self, before, after, since):
        """Each command that was taken has exactly one reply, and what was over the rate says so."""
        ok, limited = (after["commands"][k] - before["commands"][k] for k in ("ok", "rate_limited"))
        self.assertGreater(limited, 0)

        topic, seen, refused = f"{P}/reply/ping", since, 0

        def all_refused():
            """Each message is looked at once: there are very many."""
            nonlocal seen, refused
            while seen < len(self.watcher.messages):
                message = self.watcher.messages[seen]
                seen += 1
                refused += message.topic == topic and b'"ok":false' in message.payload
            return refused >= limited
        self.watcher.wait("all replies", all_refused)
        replies = [m.json for m in self.watcher.messages[since:] if m.topic == topic]
        codes = [r["error"]["code"] for r in replies if not r["ok"]]
        self.assertEqual(codes, ["limit"] * limited)
        # `playlist/start` was one of those that went well.
        self.assertEqual(sum(r["ok"] for r in replies), ok - 1)


if __name__ == "__main__":
    unittest.main()
