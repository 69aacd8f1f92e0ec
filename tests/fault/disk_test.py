# SPDX-License-Identifier: Apache-2.0
"""A gateway whose state is on a small disk of its own, with a real broker behind a proxy that can
cut it off, and the checks of what must have arrived at the end. For test_disk.py."""

import subprocess

import namespace
from connection import ConnectionTest
from faulty_network import Proxy
from harness import P, Client, check_message, check_sequence, missing_seqs

DISK_BYTES = 16 << 20
TEXT = "x" * 300
TICKS = 300


class DiskTest(ConnectionTest):
    disk_bytes = DISK_BYTES

    def setUp(self):
        namespace.enter()
        super().setUp()
        self.disk = self.folder("disk")
        namespace.mount_small(self.disk, self.disk_bytes)
        self.addCleanup(subprocess.run, ["umount", "-l", str(self.disk)], check=True)
        self.state = self.disk / "state"
        self.state.mkdir()
        self.db = self.state / "outbox.db"
        self.broker = self.new_broker("broker", "allow_anonymous true", "max_queued_messages 0")
        self.proxy = Proxy(self.broker.port, receive_buffer=None)
        self.addCleanup(self.proxy.close)
        self.watcher = Client(self.broker)
        self.addCleanup(self.watcher.close)
        self.watcher.subscribe(P + "/bus/#").subscribe(P + "/status").subscribe(P + "/health")
        self.fences = self.checked = 0

    def disk_config(self):
        config = self.config(f"mqtt://127.0.0.1:{self.proxy.port}")
        config["gateway"]["state_dir"] = str(self.state)
        config["mqtt"]["remote"] = {"cmd": True}
        config["inputs"] = {"door": {"driver": "sim", "kind": "switch", "event": "door.changed"}}
        burst = [{"emit": "burst.tick", "data": {"text": TEXT}, "repeat": TICKS, "interval": "1ms"}]
        config["playlists"] = {
            "burst": {"trigger": "burst.start", "steps": burst},
            # Begins with the gateway, also without a broker.
            "first": {"trigger": "door.changed", "steps": burst},
        }
        return config

    def run_gateway(self):
        """Until it is online; its first burst is over or under way."""
        if self.gateway is None:
            self.start(self.disk_config())
        else:
            self.gateway.start()
        since = self.watcher.mark()
        self.watcher.message("online", lambda m: m.topic == P + "/status"
                             and m.payload == b"online", since)

    # ---- observations ----

    def health(self, what, condition, since=None):
        """The next P/health for which condition(its outbox) holds."""
        since = self.watcher.mark() if since is None else since
        try:
            message = self.watcher.message(f"health: {what}", lambda m: m.topic == P + "/health"
                                           and condition(m.json["outbox"]), since)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.gateway.log()}") from None
        return message.json["outbox"]

    def in_memory(self, *reasons):
        outbox = self.health("in memory", lambda o: o["disk"] == "memory"
                             and any(r in o["disk_reason"] for r in reasons))
        self.assertGreater(outbox["disk_failures"], 0)
        self.log_has("continuing in memory")
        return outbox

    def on_disk(self):
        outbox = self.health("on disk", lambda o: o["disk"] == "ok")
        self.assertIsNone(outbox["disk_reason"])

    def burst(self):
        """A run of many events."""
        since = self.watcher.mark()
        self.watcher.publish(f"{P}/emit/burst/start")
        return since

    def end_of_run(self, since):
        self.watcher.event("event.playlist.stopped", since=since)

    def cut_off(self):
        """Cut the gateway off from the broker."""
        self.proxy.mute = True
        self.proxy.drop_all()
        self.log_has("lost after")

    def bring_back(self):
        since = self.watcher.mark()
        self.proxy.mute = False
        self.proxy.drop_all()
        self.watcher.message("online", lambda m: m.topic == P + "/status"
                             and m.payload == b"online", since)

    def fence(self):
        """Wait until all earlier events are sent or given up."""
        self.fences += 1
        number = self.fences
        self.watcher.publish(f"{P}/emit/the/fence", b"%d" % number)
        self.watcher.event("the.fence", lambda e: e["data"] == number)

    def told(self):
        """The events that gateway.gap named: (boot_id, seq)."""
        told = set()
        for event in self.watcher.events("gateway.gap"):
            gap = event["data"]
            boot = gap.get("boot_id", event["boot_id"])
            told |= {(boot, seq) for seq in range(gap["from_seq"], gap["to_seq"] + 1)}
        return told

    def check_right(self):
        """Nothing arrived that was not put, and the order is kept."""
        events = self.watcher.events()
        highest, first = {}, {}
        for event in events:
            boot, seq = event["boot_id"], event["seq"]
            if event["event_type"] == "burst.tick":
                self.assertEqual(event["data"], {"text": TEXT})
            self.assertEqual(first.setdefault((boot, seq), event), event)
            if seq > highest.get(boot, 0):
                highest[boot] = seq
        order = list(first)
        for boot in highest:
            seqs = [seq for b, seq in order if b == boot]
            self.assertEqual(seqs, sorted(seqs), "new events came out of order")
        messages = self.watcher.messages[self.checked:]
        self.checked += len(messages)
        for message in messages:
            self.assertEqual(check_message(message), [], message)

    def check_complete(self, gaps_allowed=False):
        events = self.watcher.events()
        missing = {(boot, seq) for boot, seqs in missing_seqs(events).items() for seq in seqs}
        seen = {(e["boot_id"], e["seq"]) for e in events}
        missing |= {(boot, 1) for boot, _ in seen} - seen
        self.assertLessEqual(missing, self.told(), "neither sent nor named")
        if not gaps_allowed:
            self.assertEqual(check_sequence(events), [])
            self.assertEqual(self.told(), set())
        self.check_right()
        return len(missing)

    def set_aside(self):
        return sorted(p for p in self.state.iterdir() if ".corrupt-" in p.name
                      and not p.name.endswith(("-wal", "-shm")))
