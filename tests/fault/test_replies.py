# SPDX-License-Identifier: Apache-2.0
"""A reply does not wait behind events."""

import unittest

from scripted_test import ScriptedTest
from harness import P
from scripted_broker import SWALLOW, TAKE


class Both:
    def test_ping_with_a_backlog(self):
        """The broker acknowledges events only when the ping was answered: with a full window that
        leaves one place free from time to time, the reply has it before 5,000 events."""
        config = self.settings(window=4)
        config["playlists"] = {"flood": {"trigger": "flood.start", "steps": [
            {"emit": "flood.tick", "repeat": 5000, "interval": "200us"}]}}
        config["mqtt"]["qos"] = {"event.*": "off"}
        broker = self.start_online(config)
        tick = f"{P}/bus/flood/tick"
        broker.on_publish = lambda s, p: SWALLOW if p.topic == tick else TAKE
        self.emit("flood.start")
        self.wait("a full window", lambda: len(self.sent(tick)) == 4)
        self.broker.publish(f"{P}/cmd/ping", b'{"request_id":"x"}')
        # One event at a time is acknowledged until the reply comes.
        reply = f"{P}/reply/ping"
        acknowledged = 0
        while not self.broker.on_topic(reply):
            self.wait("the next event", lambda n=acknowledged: len(self.sent(tick)) > n + 3
                      or self.broker.on_topic(reply))
            if acknowledged < len(self.sent(tick)):
                number = self.sent(tick)[acknowledged].number
                self.broker.session.send(b"\x40\x02" + number.to_bytes(2, "big"))
                acknowledged += 1
        self.assertLess(acknowledged, 4000)
        broker.on_publish = lambda s, p: TAKE
        self.broker.session.end()
        self.wait_event("flood.tick", 5000 - acknowledged)
        self.gateway.stop()


class V5(Both, ScriptedTest):
    pass


class V311(Both, ScriptedTest):
    protocol = "3.1.1"


if __name__ == "__main__":
    unittest.main()
