# SPDX-License-Identifier: Apache-2.0
"""What must hold for each message of a gateway, and for all of them together."""

from environment import P
from mqtt_client import REGISTRY

ENVELOPE_KEYS = [
    "event_type", "producer_id", "timestamp", "data", "boot_id", "seq", "monotonic_us", "cause_seq",
]

# Schema of the data, for the event types of the test configuration.
DATA_SCHEMAS = {
    "button.press": "input.button",
    "button.release": "input.button",
    "estop.changed": "input.switch",
    "dial.turned": "input.rotary",
    "rain.pulse": "input.counter",
    "button.double_tap": "gesture.taps",
    "sensor.combo": "gesture.simultaneous",
    "lock.opened": "gesture.sequence",
    "mic.level.gated": "gesture.mirror",
    "color.cycle.complete": "completion",
}


VIEWS = ("input/", "output/", "playlist/")


def check_message(message):
    """What is wrong with a message below P, by its topic."""
    below = message.topic[len(P) + 1:]
    if below in ("cmd", "emit") or below.startswith(("cmd/", "emit/")):
        return []
    if below == "status":
        return REGISTRY.errors("status", message.payload.decode())
    if message.payload == b"" and below.startswith(VIEWS):
        return []  # the view was removed
    value = message.json
    if below in ("info", "health"):
        return REGISTRY.errors(below, value)
    if below.startswith(VIEWS):
        return REGISTRY.errors("view." + below.split("/")[0], value)
    if below.startswith("reply/"):
        name = below.replace("/", ".")
        return REGISTRY.errors(name, value) if name in REGISTRY.schemas else []
    if below.startswith("bus/"):
        return check_event(below, message, value)
    return [f"a topic that the contract does not know: {message.topic}"]


def check_event(below, message, value):
    errors = REGISTRY.errors("envelope", value)
    if list(value) != ENVELOPE_KEYS:
        errors.append(f"order of keys: {list(value)}")
    if below != "bus/" + value["event_type"].replace(".", "/"):
        errors.append(f"{value['event_type']} on {message.topic}")
    if message.retain:
        errors.append("an event must not be retained")
    schema = DATA_SCHEMAS.get(value["event_type"])
    if schema:
        errors += REGISTRY.errors(schema, value["data"])
    return errors


def missing_seqs(events):
    """Per boot, what is missing between the first and the last seq."""
    seen = {}
    for event in events:
        seen.setdefault(event["boot_id"], set()).add(event["seq"])
    return {boot: sorted(set(range(min(seqs), max(seqs) + 1)) - seqs)
            for boot, seqs in seen.items()}


def check_sequence(events):
    """seq is without gaps per boot; what comes twice is the same."""
    seen = {}
    for event in events:
        key = (event["boot_id"], event["seq"])
        if seen.setdefault(key, event) != event:
            return [f"seq {key} twice with different content"]
    return [f"boot {boot}: seq missing: {missing[:10]}"
            for boot, missing in missing_seqs(events).items() if missing]


def check_runs(events):
    """No run stops twice, and nothing of it follows its `stopped`."""
    stopped, seen, errors = set(), set(), []
    for event in events:
        key = (event["boot_id"], event["seq"])
        if not event["event_type"].startswith("event.playlist.") or key in seen:
            continue
        seen.add(key)
        run = event["data"]["playlist_id"]
        if run in stopped:
            errors.append(f"{event['event_type']} after stopped of run {run}")
        if event["event_type"] == "event.playlist.stopped":
            stopped.add(run)
    return errors
