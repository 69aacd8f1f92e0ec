#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The claims of README.md, CONTRIBUTING.md and docs/*.md that a script can check are true.

Environment: CUEBUS and VERDICTS (programs), CTEST and BUILD_DIR. The table of topics and the names
of counters are compared with what a gateway started by the test publishes. Prints the number of
claims that were checked, and FILE:LINE of each that is false.
"""

import pathlib
import shutil
import sys
import tempfile

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "docs"), str(TESTS / "integration")]
from claims import Claims, code_names, read_documents  # noqa: E402
from claims_config import ConfigClaims  # noqa: E402
from claims_program import ProgramClaims  # noqa: E402
from claims_wire import WireClaims, has_field  # noqa: E402
from environment import CUEBUS, P  # noqa: E402
from gateway_process import Gateway, base_config  # noqa: E402
from mqtt_broker import Broker  # noqa: E402
from mqtt_client import Client  # noqa: E402

# If fewer are checked, a document changed its form and this script misses its claims.
EXPECTED = 900


def real_messages():
    """Of a gateway with an outbox on disk that emits an event and answers a ping: what a
    subscriber of that time and one that comes later get."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="cuebus-claims-"))
    (directory / "state").mkdir()
    broker, gateway = Broker(directory), None
    try:
        broker.start()
        watcher = Client(broker).subscribe(f"{P}/#")
        config = base_config(broker.port, directory / "state")
        config["outputs"] = {"lamp": {"driver": "sim", "on_event": "lamp.set", "value": "/on"}}
        gateway = Gateway(directory, config).start()
        watcher.message("online", lambda m: m.payload == b"online")
        watcher.publish(f"{P}/cmd/event/emit", {"event_type": "lamp.set", "data": {"on": True}})
        watcher.event("lamp.set")
        watcher.on_topic(f"{P}/reply/event/emit")
        watcher.on_topic(f"{P}/health")
        late = Client(broker).subscribe(f"{P}/#")
        # What is retained comes before what is published after the subscription.
        late.publish(f"{P}/emit/fence")
        late.on_topic(f"{P}/emit/fence")
        for client in (watcher, late):
            client.close()
        gateway.stop()
        return watcher.messages, late.messages
    finally:
        if gateway:
            gateway.kill()
        broker.stop()
        shutil.rmtree(directory, ignore_errors=True)


def check_topics(claims, documents, live, late):
    """The table of topics: each that goes out does, retained and at the QoS that it says."""
    for row in documents["docs/topics.md"].rows("The wire"):
        begin = P + code_names(row.cells[0])[0][1:].partition("<")[0]
        if row.cells[1] != "out":
            continue
        found = [m for m in live if m.topic.startswith(begin)]
        qos, retained = int(row.cells[3][0]), row.cells[2].startswith("yes")
        claims.check(row.place, f"{row.cells[0]} is published at QoS {qos}",
                     found and all(m.qos == qos for m in found if "quiet" not in m.topic))
        kept = [m for m in late if m.topic.startswith(begin) and m.retain]
        claims.check(row.place, f"{row.cells[0]} is {'' if retained else 'never '}retained", bool(kept) == retained)


def check_health(claims, documents, health):
    """Each counter that is named is in the message, not only in the schema."""
    for document in documents.values():
        for place, span in document.spans():
            parts = span.split(".")
            if len(parts) == 2 and has_field(span):
                claims.check(place, f"{span} in a real P/health", parts[1] in health.get(parts[0], {}))
    for row in documents["docs/operations.md"].rows("Limits"):
        for counter in code_names(row.cells[3]):
            claims.check(row.place, f"counter {counter}", has_field(counter))


def main():
    claims, documents = Claims(), read_documents()
    ConfigClaims(claims, documents, CUEBUS).check()
    WireClaims(claims, documents).check()
    ProgramClaims(claims, documents, CUEBUS).check()
    live, late = real_messages()
    check_topics(claims, documents, live, late)
    check_health(claims, documents, next(m.json for m in live if m.topic == f"{P}/health"))
    print(*claims.faults, sep="\n")
    for name in documents:
        print(f"{len(set(claims.checked.get(name, ()))):5} {name}")
    print(f"{claims.count} claims checked, {len(claims.faults)} do not hold")
    return 1 if claims.faults or claims.count < EXPECTED else 0


if __name__ == "__main__":
    sys.exit(main())
