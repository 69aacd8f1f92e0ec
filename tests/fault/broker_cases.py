# SPDX-License-Identifier: Apache-2.0
"""One gateway, many cases of a broker that misbehaves, and what must hold after each case."""

import dataclasses
import json
import re
import signal
import time
import typing

from scripted_test import ScriptedTest
from harness import TIMEOUT_S, P

# The gateway writes lines of one kind five times in 10 s, so a process takes no more cases.
CASES_PER_GATEWAY = 4
SEND_AGAIN_S = 0.5
# Log levels that name a cause.
LEVEL = re.compile(r"^\S+ (error|warning): (.*)$")
# The log's texts about the end of a session.
LOST = "connection to the broker lost after"
NO_REASON = "the broker closed it and gave no reason"
# Follows from the third of these on.
IN_A_ROW = "connections in a row within a minute and gave no reason"
# The machine, not the broker: a flood takes longer to handle than a backlog may.
BUSY = "events that waited too long start nothing more"


@dataclasses.dataclass
class Case:
    name: str
    # Called with the test; sets the broker's handlers or sends something. Returns the
    # condition under which the broker has misbehaved, or None: as soon as it returns.
    misbehave: typing.Callable
    # Each must be in the log; a warning or an error that none of `says` and `may_say` is in
    # names a wrong cause.
    says: tuple = ()
    may_say: tuple = ()
    # Whether a new connection is made for it, by other settings: no delay and no memory of
    # the cases before is in the way.
    connects: bool = True
    # Whether the gateway has no reason to end that session, and the test must give it one.
    lasts: bool = False
    # Checked when the connection works again.
    after: typing.Callable = None


def once(name, action, in_this_session=False):
    """Set the handler @p name so that it does @p action in a session to come, or in this one,
    for the first packet that action takes (it gives None for the others)."""
    def misbehave(test):
        broker, done = test.broker, []
        old = [] if in_this_session else list(broker.sessions)
        good = getattr(broker, name)

        def handler(session, p):
            result = None if done or session in old else action(session, p)
            if result is None:
                return good(session, p)
            done.append(p)
            return result
        setattr(broker, name, handler)
        return lambda: done
    return misbehave


class BrokerCases(ScriptedTest):
    """Derive a class for each protocol. What its method cases_<name>(is_v5) yields becomes the
    tests test_<name>_<n>, a gateway and CASES_PER_GATEWAY cases each."""

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        for name in [n for n in dir(cls) if n.startswith("cases_")]:
            cases = list(getattr(cls, name)(cls.protocol == "5"))
            if not cases:
                raise ValueError(f"{cls.__name__}.{name} has no cases")
            for first in range(0, len(cases), CASES_PER_GATEWAY):
                some = cases[first:first + CASES_PER_GATEWAY]
                setattr(cls, f"test_{name.removeprefix('cases_')}_{first // CASES_PER_GATEWAY + 1}",
                        lambda self, some=some: self.run_cases(some))

    def run_cases(self, cases):
        self.start_gateway()
        for case in cases:
            with self.subTest(case.name):
                self.run_case(case)
        self.gateway.stop()

    def start_gateway(self):
        # paho 1.3.12 loses some bytes with packets that it refuses.
        forgiven = self.directory / "lsan.supp"
        forgiven.write_text("leak:libpaho-mqtt3cs\n")
        environment = {"LSAN_OPTIONS": f"suppressions={forgiven}:print_suppressions=0"}
        self.keepalive_s = 5
        self.probes = 0
        self.start(self.settings(keepalive="5s"), environment)
        self.online()

    def reconnect(self):
        """Other settings for the same broker."""
        self.keepalive_s += 1
        self.gateway.write(self.settings(keepalive=f"{self.keepalive_s}s"))
        self.gateway.signal(signal.SIGHUP)

    def run_case(self, case):
        mark = len(self.gateway.log())
        done = case.misbehave(self)
        if case.connects:
            self.reconnect()
        if done:
            self.wait(f"{case.name}: misbehaved", done)
        self.broker.behave()
        if case.lasts:
            self.reconnect()
            self.wait(f"{case.name}: another session", lambda: any(
                s.connect.keep_alive == self.keepalive_s for s in self.broker.sessions))
        self.probe(case.name)
        self.check_named()
        if case.after:
            case.after(self)
        self.check_log(case, self.gateway.log()[mark:])

    def probe(self, name):
        """Events flow and a command is answered, if necessary over another session."""
        self.through(f"{name}: an event", f"{P}/bus/probe/event",
                     lambda n: (f"{P}/emit/probe/event", str(n).encode()),
                     lambda e, n: e["data"] == n)
        self.through(f"{name}: a reply", f"{P}/reply/ping",
                     lambda n: (f"{P}/cmd/ping", json.dumps({"request_id": f"probe-{n}"}).encode()),
                     lambda e, n: e["request_id"] == f"probe-{n}" and e["ok"])

    def through(self, what, topic, make, is_it):
        """Sent repeatedly: it may be lost with a session that ends, or with earlier messages."""
        self.probes += 1
        n, again_at = self.probes, 0

        def came():
            nonlocal again_at
            session = self.broker.session
            online = any(p.topic == P + "/status" and p.payload == b"online"
                         for p in session.packets)
            if online and time.monotonic() >= again_at:
                again_at = time.monotonic() + SEND_AGAIN_S
                self.broker.publish(*make(n))
            return any(is_it(json.loads(p.payload), n) for p in self.broker.on_topic(topic))
        self.wait(what, came, 2 * TIMEOUT_S)

    def check_log(self, case, log):
        causes = [m[2] for m in map(LEVEL.match, log.splitlines()) if m]
        for text in case.says:
            self.assertIn(text, log, case.name)
        for cause in causes:
            self.assertTrue(any(text in cause for text in case.says + case.may_say),
                            f"{case.name}: a cause that was none: {cause}\n{log}")
