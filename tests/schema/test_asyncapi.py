# SPDX-License-Identifier: Apache-2.0
"""asyncapi.yaml: every reference resolves and every topic and schema is in it."""

import unittest

import yaml

from cuebus_schemas import SCHEMAS, load_all

DOCUMENT = yaml.safe_load((SCHEMAS / "asyncapi.yaml").read_text("utf-8"))
PREFIX = "{prefix}/1/{gateway}/"


def walk(node):
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from walk(value)
    elif isinstance(node, list):
        for value in node:
            yield from walk(value)


class AsyncApi(unittest.TestCase):
    def test_version(self):
        self.assertEqual(DOCUMENT["asyncapi"], "3.0.0")

    def test_refs_resolve(self):
        for node in walk(DOCUMENT):
            ref = node.get("$ref")
            if ref is None:
                continue
            with self.subTest(ref):
                if ref.startswith("#/"):
                    target = DOCUMENT
                    for part in ref[2:].split("/"):
                        target = target[part]
                else:
                    self.assertTrue((SCHEMAS / ref).is_file())

    def test_addresses_and_parameters(self):
        for key, channel in DOCUMENT["channels"].items():
            with self.subTest(key):
                address = channel["address"]
                self.assertTrue(address.startswith(PREFIX))
                for name in channel["parameters"]:
                    self.assertIn("{%s}" % name, address)
                self.assertEqual(address.count("{"), len(channel["parameters"]))
                self.assertTrue(channel["messages"])

    def test_every_topic(self):
        addresses = {c["address"][len(PREFIX):] for c in DOCUMENT["channels"].values()}
        expected = {
            "status", "info", "health", "input/{name}", "output/{name}", "playlist/{name}", "schema/{name}",
            "bus/{event_type}", "emit/{event_type}",
        }
        names = load_all()
        reserved = ("event.", "gateway.")
        single = ("input.resync", "input.failed", "input.restored", "gesture.near_miss")
        for name in names:
            if name.startswith("cmd."):
                expected.add("cmd/" + name[4:].replace(".", "/", 1))
            elif name.startswith("reply.") and name != "reply.error":
                expected.add("reply/" + name[6:].replace(".", "/", 1))
            elif name.startswith(reserved) or name in single:
                expected.add("bus/" + name.replace(".", "/"))
        self.assertEqual(addresses, expected)

    def test_operations(self):
        used = set()
        for key, operation in DOCUMENT["operations"].items():
            with self.subTest(key):
                self.assertIn(operation["action"], ("send", "receive"))
                channel = operation["channel"]["$ref"].rsplit("/", 1)[1]
                used.add(channel)
                topic = DOCUMENT["channels"][channel]["address"][len(PREFIX):]
                incoming = topic.startswith(("cmd/", "emit/"))
                self.assertEqual(operation["action"], "receive" if incoming else "send")
                if topic.startswith("cmd/"):
                    reply = operation["reply"]["channel"]["$ref"].rsplit("/", 1)[1]
                    used.add(reply)
                    self.assertEqual(
                        DOCUMENT["channels"][reply]["address"][len(PREFIX):],
                        "reply/" + topic[4:],
                    )
        self.assertEqual(used, set(DOCUMENT["channels"]))


if __name__ == "__main__":
    unittest.main()
