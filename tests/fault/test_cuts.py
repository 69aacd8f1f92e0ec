# SPDX-License-Identifier: Apache-2.0
"""A connection that is cut thousands of times, in the middle of any packet, in both directions:
nothing is lost, the order is kept, and the broker never gets an invalid packet.

A driver of its own runs the egress and its outbox with a backoff of milliseconds. The whole
gateway, whose backoff grows to 30 s, is cut a few times in each of several lives.

Environment: CUEBUS_FAULT_CUTS (how often the driver's connections are cut), CUEBUS_FAULT_SEED
(where), EGRESS_DRIVER (the binary).
"""

import json
import os
import re
import subprocess
import threading
import unittest
from collections import Counter

from connection import ConnectionTest
from cutting_proxy import ACTIONS, CuttingProxy
from harness import (P, SLOW, TIMEOUT_S, Client, check_message, check_sequence, mortal,
                     until)

CUTS = int(os.environ.get("CUEBUS_FAULT_CUTS", "3000"))
SEED = int(os.environ.get("CUEBUS_FAULT_SEED", int.from_bytes(os.urandom(4), "big")))
WRAPPER = os.environ.get("CUEBUS_WRAPPER", "").split()
# Each mostly waits for paho, which over MQTT 5 looks at its socket every 100 ms; not under
# valgrind.
DRIVERS = 4 if WRAPPER else 16
PROTOCOLS = ("5", "3.1.1")  # in turns: what arrives is read in another way in each
LIVES, CUTS_PER_LIFE = 6, 4
# <unknown> has not sent a CONNECT: that is the probe which asks a silent peer whether it speaks TLS.
MALFORMED = re.compile(r"(?<!Client <unknown> disconnected due to )(malformed|protocol error|invalid"
                       r"|corrupt)", re.I)


def payload_of(seq):
    """As egress_driver.c makes it."""
    padding = seq * 7919 % 300 + (8000 if seq % 97 == 0 else 0)
    return b"%d:" % seq + bytes([ord("a") + seq % 26]) * padding


def inbound(number):
    """As egress_driver.c expects it."""
    return b"%d:" % number + bytes([ord("a") + number % 26]) * (number % 3000)


class Driver:
    """The process, and the proxy before it."""

    def __init__(self, test, broker, number):
        self.name = f"d{number}"
        self.proxy = CuttingProxy(broker.port, SEED + number)
        test.addCleanup(self.proxy.close)
        self.log = open(test.directory / f"{self.name}.log", "w+", encoding="utf-8")
        test.addCleanup(self.log.close)
        self.process = subprocess.Popen(
            mortal([*WRAPPER, os.environ["EGRESS_DRIVER"], str(self.proxy.port),
                    str(test.folder(self.name)), self.name]),
            env=dict(os.environ, CUEBUS_PROTOCOL=PROTOCOLS[number % 2]),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True)
        test.addCleanup(self.process.stdout.close)
        test.addCleanup(self.process.wait)
        test.addCleanup(self.process.kill)

    def finish(self):
        self.process.stdin.close()
        output = self.process.stdout.read()
        code = self.process.wait(TIMEOUT_S + 30 * SLOW)
        self.log.seek(0)
        if code != 0:
            raise AssertionError(f"{self.name} ended with {code}: {output}\n{self.log.read()}")
        return json.loads(output)


class Cuts(ConnectionTest):
    def setUp(self):
        super().setUp()
        self.broker = self.new_broker("broker", "allow_anonymous true", "max_queued_messages 0",
                                      "log_type notice")

    def connect(self):
        client = Client(self.broker)
        self.addCleanup(client.close)
        return client

    def check_broker_log(self):
        log = (self.broker.directory / "mosquitto.log").read_text("utf-8", "replace")
        self.assertIn("New client connected", log)  # so such lines would be there too
        self.assertEqual([line for line in log.splitlines() if MALFORMED.search(line)], [])

    # ---- the egress ----

    def feed(self, drivers, stop):
        """Messages for the drivers, until all of it is over."""
        client = self.connect()
        number = 0
        while not stop.wait(0.003):
            for driver in drivers:
                number += 1
                client.publish(f"cuts/1/{driver.name}/emit/fed", inbound(number))

    def check_events(self, name, messages, count):
        """Each event, first seen in order, with what was put into it."""
        highest = 0
        for message in messages:
            seq = int(message.payload.split(b":")[0])
            self.assertEqual(message.payload, payload_of(seq), f"{name}: seq {seq}")
            self.assertLessEqual(seq, highest + 1, f"{name}: lost, or out of order")
            highest = max(highest, seq)
        self.assertEqual(highest, count, f"{name}: the last ones are lost")

    def all_run(self, drivers):
        """The number of cuts."""
        for driver in drivers:
            self.assertIsNone(driver.process.poll(), f"{driver.name} ended")
        return sum(driver.proxy.cuts for driver in drivers)

    def cut_drivers(self, cuts, n_drivers):
        print(f"seed {SEED}", flush=True)
        watcher = self.connect().subscribe("cuts/1/+/bus/#").subscribe("cuts/1/+/status")
        drivers = [Driver(self, self.broker, n) for n in range(n_drivers)]
        over = threading.Event()
        feeder = threading.Thread(target=self.feed, args=(drivers, over))
        feeder.start()
        try:
            until("cuts", lambda: self.all_run(drivers) >= cuts, timeout_s=600 * SLOW)
            for driver in drivers:
                driver.proxy.settle()
            for driver in drivers:
                # After so many failures the pause before the next attempt is at its longest.
                until("a whole connection", driver.proxy.is_settled, timeout_s=180 * SLOW,
                      process=driver.process)
        finally:
            over.set()
            feeder.join()
        results = {driver.name: driver.finish() for driver in drivers}
        for driver in drivers:
            self.wait_last(watcher, driver.name, results[driver.name]["put"])
        return drivers, watcher, results

    def wait_last(self, watcher, name, count):
        """The watcher may be far behind, and an `offline` that it gets now may be the will of
        a connection that was cut long ago. What follows the last event is the last word."""
        topic = f"cuts/1/{name}/"
        last = watcher.message(f"{name}: its last event", lambda m: m.topic == topic
                               + "bus/numbered/event" and m.payload.startswith(b"%d:" % count))
        watcher.message("offline", lambda m: m.topic == topic + "status"
                        and m.payload == b"offline", watcher.messages.index(last))

    def tell(self, drivers, results, events):
        actions = sum((d.proxy.actions for d in drivers), Counter())
        places = sum((d.proxy.places for d in drivers), Counter())
        total = {key: sum(r[key] for r in results.values()) for key in next(iter(results.values()))}
        print(f"{sum(actions.values())} cuts: {dict(actions)}\nin the middle of: {dict(places)}\n"
              f"{events} messages of {total['put']} events; {total}", flush=True)
        return actions, places, total

    def test_the_egress_loses_nothing(self):
        drivers, watcher, results = self.cut_drivers(CUTS, DRIVERS)
        seen = 0
        for driver in drivers:
            result = results[driver.name]
            topic = f"cuts/1/{driver.name}/bus/numbered/event"
            messages = [m for m in watcher.messages if m.topic == topic]
            self.check_events(driver.name, messages, result["put"])
            seen += len(messages)
            self.assertEqual((result["left"], result["dropped"], result["disk_failures"]),
                             (0, 0, 0))
        actions, places, total = self.tell(drivers, results, seen)
        self.assertGreaterEqual(sum(actions.values()), CUTS)
        self.assertGreater(total["received"], 0)
        if CUTS >= 500:
            # Enough for each way of breaking the connection and each place.
            self.assertEqual(set(actions), set(ACTIONS))
            for place in ("CONNECT", "CONNACK", "PUBLISH", "PUBLISH header", "PUBACK"):
                self.assertGreater(places[place], 0, places)
        self.check_broker_log()

    # ---- the whole gateway ----

    def gateway_config(self, port):
        config = self.config(f"mqtt://127.0.0.1:{port}")
        config["gateway"]["state_dir"] = str(self.folder("state"))
        config["inputs"] = {"door": {"driver": "sim", "kind": "switch", "event": "door.changed"}}
        config["playlists"] = {"burst": {"trigger": "door.changed", "steps": [
            {"emit": "burst.tick", "data": {"text": "x" * 50}, "repeat": 100000,
             "interval": "4ms"}]}}
        return config

    def test_the_gateway_loses_nothing(self):
        """Its first event, the door's state, starts the burst in each life."""
        watcher = self.connect().subscribe(P + "/#")
        proxy = CuttingProxy(self.broker.port, SEED)
        self.addCleanup(proxy.close)
        self.start(self.gateway_config(proxy.port))
        for life in range(LIVES):
            if life:
                self.gateway.start()
            target = proxy.cuts + CUTS_PER_LIFE
            until("cuts", lambda t=target: proxy.cuts >= t, process=self.gateway.process)
            if life % 2:
                self.gateway.kill()
            else:
                self.gateway.stop()
        proxy.settle()
        since = watcher.mark()
        self.gateway.start()
        self.log_has("connected to mqtt://")  # an `online` may still be of the life that was killed
        watcher.message("online", lambda m: m.topic == P + "/status" and m.payload == b"online",
                        since)
        self.gateway.stop()
        watcher.message("offline", lambda m: m.topic == P + "/status"
                        and m.payload == b"offline", since)
        self.check_gateway_events(watcher)
        self.check_broker_log()
        print(f"seed {SEED}: {proxy.cuts} cuts in {LIVES} lives: {dict(proxy.actions)}, "
              f"in the middle of: {dict(proxy.places)}", flush=True)

    def check_gateway_events(self, watcher):
        events = watcher.events()
        self.assertEqual(check_sequence(events), [])
        self.assertEqual([e for e in events if e["event_type"] == "gateway.gap"], [])
        highest, boots = {}, []
        for event in events:
            boot = event["boot_id"]
            if boot not in highest:
                boots.append(boot)
            self.assertLessEqual(event["seq"], highest.get(boot, 0) + 1,
                                 "lost, or a new event out of order")
            highest[boot] = max(highest.get(boot, 0), event["seq"])
        self.assertLessEqual(len(boots), LIVES + 1)
        for message in watcher.messages:
            self.assertEqual(check_message(message), [], message)


if __name__ == "__main__":
    unittest.main()
