# SPDX-License-Identifier: Apache-2.0
"""Random JSON, and mutations of valid JSON that follow the grammar or nearly follow it."""

import json

from bad_messages import mutate

WORDS = ["", "a", "z.z", "go.go", "button.press", "estop.changed", "event.playlist.created",
         "gateway.gap", "*", "a.*", ".*", "+", "#", "$SYS/x", "../../etc/passwd", "a/b", "\0", "\u2028",
         "\ud83d\ude00", "\u202e", "x" * 129, "x" * 300, "1s", "-1s", "1us", "99999999999h", "0s", "%s%n",
         "${HOSTILE_PW}", "${PATH}", "${", "restart", "queued", "resume", "burst", "double_tap",
         "true", "null", "__proto__", "request_id"]
NUMBERS = [0, 1, -1, 2, 31, 32, 33, 255, 256, 65535, 65536, 2**31, 2**32 - 1, 2**32, 2**53, 2**53 + 1,
           2**63 - 1, 2**64, -2**63, 10**30, 0.5, -0.0, 1e-7, 1e300, 5e-324, 1000000, 1000000000]
# Texts that json.dumps can't write: they replace a marker in its output.
RAW = ["1e400", "-1e400", "9" * 400, "1E+9", "7.0", "01", "+1", ".5", "NaN", "-Infinity", "1e999999999",
       "[" * 31 + "]" * 31, "[" * 40 + "]" * 40, "[" * 5000, '{"a":' * 40 + "1" + "}" * 40, '"\\ud800"',
       '"\\u0000"', '{"a":1,"a":2}', "'x'", "tru", "/* x */1", "1,", "\ufeff1"]
MARK = "\x01raw\x01"


def scalar(rng):
    kind = rng.randrange(10)
    if kind < 4:
        return rng.choice(WORDS)
    if kind < 7:
        return rng.choice(NUMBERS)
    if kind == 7:
        return rng.choice([True, False, None])
    if kind == 8:
        return "y" * int(2 ** (rng.random() * 12))
    return MARK


def value(rng, depth=3):
    kind = rng.randrange(6) if depth > 0 else 0
    if kind < 4:
        return scalar(rng)
    if kind == 4:
        return [value(rng, depth - 1) for _ in range(rng.randrange(4))]
    return {rng.choice(WORDS): value(rng, depth - 1) for _ in range(rng.randrange(4))}


def places(node, found):
    """Every container in the value, with each of its keys."""
    if isinstance(node, dict):
        pairs = list(node.items())
    elif isinstance(node, list):
        pairs = list(enumerate(node))
    else:
        return found
    for key, child in pairs:
        found.append((node, key))
        places(child, found)
    return found


def change(rng, document):
    """One to three changes in place: values replaced, removed, added, exchanged, nested."""
    for _ in range(rng.randint(1, 3)):
        found = places(document, [])
        if not found:
            return
        node, key = rng.choice(found)
        kind = rng.randrange(8)
        if kind < 3:
            node[key] = value(rng)
        elif kind == 3:
            del node[key]
        elif kind == 4 and isinstance(node, dict):
            node[rng.choice(WORDS)] = value(rng)
        elif kind == 4:
            node.extend([node[key]] * rng.randint(1, 50))
        elif kind == 5:
            other, other_key = rng.choice(found)
            # A copy, so that no document contains itself.
            node[key] = json.loads(json.dumps(other[other_key]))
        elif kind == 6:
            node[key] = [node[key]]
        else:
            child = node[key]
            for _ in range(rng.choice([2, 20, 29, 33, 60])):
                child = {"x": child} if rng.random() < 0.5 else [child]
            node[key] = child


def text(rng, document):
    """As JSON, in one of several spellings, with what json.dumps can't write."""
    written = json.dumps(document, ensure_ascii=rng.random() < 0.5,
                         separators=rng.choice([(",", ":"), (", ", ": "), (" ,\n", "\t:")]))
    marker = json.dumps(MARK)
    while marker in written:
        written = written.replace(marker, rng.choice(RAW), 1)
    if rng.random() < 0.03 and written.startswith("{") and len(written) > 2:
        written = written[:-1] + "," + written[1:]  # every key twice
    return written.encode("utf-8", "surrogatepass")


def body(rng, example):
    """Unchanged, mutated by the grammar, mutated as text, or unrelated."""
    kind = rng.random()
    document = json.loads(json.dumps(example))
    if kind < 0.3:
        return text(rng, document)
    if kind < 0.75:
        change(rng, document)
        return text(rng, document)
    if kind < 0.93:
        return mutate(rng, text(rng, document))
    if kind < 0.98:
        return text(rng, value(rng, 4))
    return rng.randbytes(rng.randrange(200))
