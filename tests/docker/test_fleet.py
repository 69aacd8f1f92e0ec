# SPDX-License-Identifier: Apache-2.0
"""compose.fleet.yaml from inside: three gateways behind one broker, and a cut uplink.
CUEBUS_FLEET_CUT_S is the duration of the cut (default 30)."""

import os
import threading
import time
import unittest

from rig import RigBroker, report
from engine import Container
from harness import TIMEOUT_S, check_runs, check_sequence, until

SITES = ("north", "east", "west")
CUT_S = int(os.environ.get("CUEBUS_FLEET_CUT_S", "30"))
# Each occurrence is two events on the bus, so 200 events a second, for longer
# than the cut lasts.
LOAD = {"steps": [{"emit": "load.tick", "repeat": (CUT_S + 10) * 100, "interval": "10ms"}]}
REPEAT = LOAD["steps"][0]["repeat"]


def prefix(site):
    return f"cuebus/1/{site}"


class Fleet(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.upstream = RigBroker("upstream")
        cls.watcher = cls.upstream.client("operator").subscribe("cuebus/1/+/#")
        cls.above, cls.local = {}, {}
        for site in SITES:
            cls.above[site] = cls.upstream.client("operator", prefix=prefix(site))
            cls.local[site] = RigBroker(f"{site}-broker").client("operator", prefix=prefix(site))
            cls.local[site].subscribe("cuebus/1/#").subscribe(f"fleet/{site}/uplink")

    @classmethod
    def tearDownClass(cls):
        for client in (cls.watcher, *cls.above.values(), *cls.local.values()):
            client.close()

    def setUp(self):
        for site in SITES:
            self.wait_uplink(site, b"1")
            self.wait_online(site)

    def ok(self, client, command, payload=None):
        reply = client.request(command, payload)
        self.assertTrue(reply["ok"], reply)
        return reply["result"]

    def wait_uplink(self, site, value):
        """The state of the uplink, as the site's own broker reports it."""
        client, topic = self.local[site], f"fleet/{site}/uplink"
        client.wait(f"{topic} {value}", lambda: [m.payload for m in client.messages
                                                 if m.topic == topic][-1:] == [value])

    def wait_online(self, site, since=0):
        self.watcher.message(f"{site} online", lambda m: m.topic == f"{prefix(site)}/status"
                             and m.payload == b"online", since)

    def wait_answer(self, site):
        """What is sent down before the gateway is back at its broker gets no reply."""
        def answered():
            try:
                return self.above[site].request("ping", timeout_s=TIMEOUT_S / 20)["ok"]
            except AssertionError:
                return False
        until(f"{site} answers", answered)

    def events(self, site, since, event_type=None):
        """The messages of this site that arrived upstream."""
        with self.watcher.condition:
            messages = self.watcher.messages[since:]
        found = [m.json for m in messages if m.topic.startswith(prefix(site) + "/bus/")]
        return [e for e in found if event_type in (None, e["event_type"])]

    def wait_stopped(self, site, run, since):
        topic = f"{prefix(site)}/bus/event/playlist/stopped"
        self.watcher.message(f"stopped of {site}'s run", lambda m: m.topic == topic
                             and m.json["data"]["playlist_id"] == run, since)

    def test_a_wildcard_sees_the_fleet(self):
        client = self.upstream.client("dashboard").subscribe("cuebus/1/+/status")
        self.addCleanup(client.close)
        client.subscribe("cuebus/1/+/info").subscribe("cuebus/1/+/bus/#")
        for site in SITES:
            self.assertEqual(client.on_topic(f"{prefix(site)}/status").payload, b"online")
            client.on_topic(f"{prefix(site)}/info")
            client.on_topic(f"{prefix(site)}/bus/clock/tick")

    def test_a_command_reaches_exactly_its_gateway(self):
        since = self.watcher.mark()
        marks = {site: self.local[site].mark() for site in SITES}
        run = self.ok(self.above["east"], "playlist/start", {"playlist": "flash"})["run"]
        self.wait_stopped("east", run, since)
        # A bridge keeps the order: after these nothing earlier comes down.
        boots = {self.ok(self.above[site], "ping")["boot_id"] for site in SITES}
        self.assertEqual(len(boots), len(SITES))
        for site in SITES:
            commands = {m.topic for m in self.local[site].messages[marks[site]:] if "/cmd/" in m.topic}
            expected = {f"{prefix(site)}/cmd/ping"}
            if site == "east":
                expected.add(f"{prefix(site)}/cmd/playlist/start")
            self.assertEqual(commands, expected, site)
        created = [(site, e["data"]["playlist_name"]) for site in SITES
                   for e in self.events(site, since, "event.playlist.created")]
        self.assertEqual(created, [("east", "flash")])

    def test_an_emit_from_upstream_and_no_loop(self):
        since = self.watcher.mark()
        self.above["west"].publish(f"{prefix('west')}/emit/heart/rate", {"bpm": 72})
        self.watcher.on_topic(f"{prefix('west')}/bus/heart/rate", since)
        for site in SITES:
            self.ok(self.above[site], "ping")
        counts = [len(self.events(site, since, "heart.rate")) for site in SITES]
        self.assertEqual(counts, [0, 0, 1])
        self.assertEqual(len([m for m in self.watcher.messages[since:] if "/emit/" in m.topic]), 1)

    def test_a_site_speaks_for_its_own_gateway_only(self):
        client = self.upstream.client("north")
        self.addCleanup(client.close)
        since = self.watcher.mark()
        for below in ("status", "bus/forged/event", "cmd/ping", "emit/forged/event"):
            client.publish(f"{prefix('east')}/{below}", b'"forged"')
        client.publish(f"{prefix('north')}/bus/own/event", b'"own"')
        self.watcher.message("its own", lambda m: m.payload == b'"own"', since)
        self.assertEqual([m for m in self.watcher.messages[since:] if b"forged" in m.payload], [])

    def test_a_site_that_is_gone(self):
        """Upstream the last status stays `online`: no client there can correct it.
        What stops is its health. When it is back it says so."""
        broker = Container("west-broker")
        broker.kill()
        client = self.upstream.client("dashboard").subscribe(f"{prefix('west')}/status")
        self.addCleanup(client.close)
        self.assertEqual(client.on_topic(f"{prefix('west')}/status").payload, b"online")
        since = self.watcher.mark()
        # No command is queued for it either, to be executed much later.
        self.above["west"].publish(f"{prefix('west')}/cmd/playlist/start", {"playlist": "flash"})
        broker.start()
        RigBroker("west-broker").wait()
        mark = self.local["west"].mark()
        self.local["west"].reconnect()
        self.wait_uplink("west", b"1")
        self.wait_answer("west")
        self.wait_online("west", since)
        self.watcher.on_topic(f"{prefix('west')}/health", since)
        self.assertEqual([m for m in self.local["west"].messages[mark:]
                          if m.topic.endswith("/cmd/playlist/start")], [])

    def test_a_cut_uplink_loses_nothing(self):
        since = self.watcher.mark()
        runs = {}
        for site in SITES:
            self.ok(self.above[site], "playlist/define", {"name": "load", "definition": LOAD})
        for site in SITES:
            runs[site] = self.ok(self.above[site], "playlist/start", {"playlist": "load"})["run"]
        for site in SITES:
            self.watcher.on_topic(f"{prefix(site)}/bus/load/tick", since)
        upstream = Container("upstream")
        upstream.pause()
        cut = time.monotonic()
        try:
            self.local_control()
            self.restart_a_site()
            left = CUT_S - (time.monotonic() - cut)
            threading.Event().wait(max(left, 0))  # how long the fault lasts; nothing is waited for
        finally:
            upstream.unpause()
        healed = time.monotonic()
        for site in SITES:
            self.wait_stopped(site, runs[site], since)
        report(f"uplink cut for {healed - cut:.1f} s, everything upstream "
               f"{time.monotonic() - healed:.1f} s after it was healed")
        for site in SITES:
            with self.subTest(site):
                self.check(site, since, runs[site])
            self.wait_uplink(site, b"1")

    def local_control(self):
        for site in SITES:
            client = self.local[site]
            mark = client.mark()
            run = self.ok(client, "playlist/start", {"playlist": "flash"})["run"]
            client.event("event.playlist.stopped", lambda e, run=run: e["data"]["playlist_id"] == run,
                         mark)

    def restart_a_site(self):
        """What waits for the uplink is on disk: it outlasts the site's broker."""
        broker = Container("north-broker")
        broker.stop()
        broker.start()
        RigBroker("north-broker").wait()
        self.local["north"].reconnect()

    def check(self, site, since, run):
        events = self.events(site, since)
        self.assertEqual(check_sequence(events) + check_runs(events), [])
        self.assertEqual([e for e in events if e["event_type"] == "gateway.gap"], [])
        highest = {}
        repeated = 0
        for event in events:
            last = highest.setdefault(event["boot_id"], event["seq"] - 1)
            self.assertLessEqual(event["seq"], last + 1, "what is new only goes up")
            repeated += event["seq"] <= last
            highest[event["boot_id"]] = max(last, event["seq"])
        ticks = {e["seq"] for e in events if e["event_type"] == "load.tick"}
        self.assertEqual(len(ticks), REPEAT)
        emitted = {e["data"]["repeat_index"] for e in events
                   if e["event_type"] == "event.playlist.emitted" and e["data"]["playlist_id"] == run}
        self.assertEqual(len(emitted), REPEAT)
        report(f"{site}: {len(events) - repeated} events, 0 lost, in order, {repeated} came twice")


if __name__ == "__main__":
    unittest.main()
