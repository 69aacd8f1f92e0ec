# SPDX-License-Identifier: Apache-2.0
"""Every command of the contract, valid or not, is answered exactly once, on the topic that it asked
for, and by its schema.

CUEBUS_COMMANDS is the number of commands (default 1500), CUEBUS_SEED repeats a run.
"""

import collections
import os
import random
import sys
import unittest

from command_bodies import COMMANDS, LIMITS, PREFIX, Generator
from harness import IS_V5, P, REGISTRY, IntegrationTest, base_config

COUNT = int(os.environ.get("CUEBUS_COMMANDS", "1500"))
# Fewer than the inbox holds.
BATCH = 100
# What a schema can't say of a request, by the message and what the request must have for it.
BEYOND = (
    (" bytes", lambda body: not str(body).isascii()),  # lengths are of bytes
    ("has no line", lambda body: "line" in body),  # what the configuration has
)

# Which field is missing can't be said where one of several must be there.
ONE_OF_SEVERAL = {f"playlist/{verb}" for verb in ("stop", "pause", "resume", "seek", "tempo")}


class Answered(IntegrationTest):
    @classmethod
    def config(cls):
        config = base_config(cls.broker.port, cls.state_dir)
        config["mqtt"]["reply_prefixes"] = [PREFIX]
        config["limits"] = {**LIMITS, "commands_per_second": 1000000, "definitions": 400,
                            "active_runs": 200}
        return config

    def setUp(self):
        super().setUp()
        self.answers = self.connect("answers").subscribe(P + "/reply/#").subscribe(PREFIX + "#")
        self.tally = collections.Counter()

    def send(self, commands):
        """(command, reply) of all: each reply is there, once, and nothing else."""
        since = self.answers.mark()
        for c in commands:
            self.control.publish(f"{P}/cmd/{c.name}", c.payload, response=c.response,
                                 correlation=c.correlation, wait=False)
        expected = collections.Counter(c.key for c in commands)
        self.answers.wait("all replies", lambda: len(self.answers.messages) - since >= len(commands))
        messages = self.answers.messages[since:]
        got = collections.Counter((m.topic, m.correlation, repr(m.json["request_id"])) for m in messages)
        wrong = [c for c in commands if (expected - got)[c.key]]
        self.assertEqual((wrong[:5], list((got - expected).elements())[:5]), ([], []))
        by_key = collections.defaultdict(list)
        for message in messages:
            by_key[message.topic, message.correlation, repr(message.json["request_id"])].append(message)
        return [(c, by_key[c.key].pop(0).json, expected[c.key] == 1) for c in commands]

    def check(self, command, reply, is_alone):
        """is_alone: no other command of the batch has the same key."""
        known = command.name in COMMANDS and is_alone
        name = "reply." + command.name.replace("/", ".") if known else "reply.error"
        errors = [] if not known and reply["ok"] else REGISTRY.errors(name, reply)
        if not reply["ok"] and is_alone:
            self.tally[reply["error"]["code"]] += 1
            errors += self.check_error(command, reply["error"])
        elif is_alone:
            self.tally["ok"] += 1
            if command.is_request() is False or command.name not in COMMANDS:
                errors.append("the schema refuses the request")
        return [f"{e}: {command}: {reply}" for e in errors]

    def check_error(self, command, error):
        """The error names the fault and its place."""
        path, message = error.get("path", ""), error["message"]
        field = path.split("/")[1] if path else ""
        if len(message) < 10:
            return ["the message says nothing"]
        if error["code"] != "invalid_request":
            return []
        # An escape in a request_id counts as it is written; the schema counts what it stands for.
        if "as it is written" in message and command.request_id() is None:
            return []
        if command.is_request() and not any(text in message and witness(command.body())
                                            for text, witness in BEYOND):
            return ["the schema takes the request"]
        if not path and command.body() is not None and command.name not in ONE_OF_SEVERAL:
            return ["no path to the field"]
        if field and field != "definition" and field not in message:
            return [f"the message does not name the field {field}"]
        return []

    def test_all(self):
        seed = int(os.environ.get("CUEBUS_SEED", random.randrange(2**32)))
        print(f"seed {seed}: repeat with CUEBUS_SEED={seed}", file=sys.stderr)
        generator = Generator(random.Random(seed), IS_V5)
        errors = []
        for begin in range(0, COUNT, BATCH):
            commands = [generator.make() for _ in range(min(BATCH, COUNT - begin))]
            for each in self.send(commands):
                errors += self.check(*each)
        print(f"{COUNT} commands answered once each: {dict(self.tally)}", file=sys.stderr)
        # A superfluous reply would have come before this one.
        self.ok("ping")
        self.answers.wait("the last reply", lambda: len(self.answers.messages) > COUNT)
        self.assertEqual(len(self.answers.messages), COUNT + 1)
        self.assertEqual(errors[:10], [], f"{len(errors)} of {COUNT}")
        self.assertGreater(self.tally["ok"], COUNT // 10)
        self.assertGreater(self.tally["invalid_request"], COUNT // 10)


if __name__ == "__main__":
    unittest.main()
