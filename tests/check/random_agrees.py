#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Schema and reader agree on configurations.

    random_agrees.py VERDICTS CUEBUS [COUNT [SEED]]

One half are random configurations from the schema (random_configs.py), the other half combines each
key with each value (key_configs.py). One part of each half has a fixed seed, the other a new one,
which is printed. With COUNT `all` every key gets every value, and nothing is random.

The schema accepts what the reader accepts. If the schema accepts what the reader refuses, the
reason is one that a schema can't express: each has its rule below, and its place in
docs/configuration.md. VERDICTS (config_verdicts.c) is the reader; some configurations also go
through `cuebus check`, which must give the same result.
"""

import collections
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile

import jsonschema

from check_configs import ENVIRONMENT
from key_configs import every_key
from random_configs import Generator
from schema_agrees import substitute

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "schema"))
from cuebus_schemas import strict_loads  # noqa: E402
from time_limits import limit_s  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
FINDING = re.compile(r": error: (.*) \[([a-z-]+)\]$")
FIXED_SEED = 20261130
# How many of each run also go through the program.
BY_PROGRAM = 20


def has_wide_text(text):
    return not text.isascii()


def has_late_noncharacter(text):
    return any(ord(c) > 0xFFFF and ord(c) & 0xFFFE == 0xFFFE for c in text)


def anything(_text):
    return True


RANGES = "the range of a duration"
BYTES = "lengths in bytes"
PREDICATES = "an operator of another language in a `match`"
SIZES = "the depth and size of a predicate"
NUMBERS = "the numbers of a `range`"
SUMS = "sums over the steps of a playlist"
OTHERS = "rules across definitions"
LIMITS = "the bounds of `limits`"
ENVIRONS = "the environment (`${NAME}`, `password_env`)"
# Rule, text of the finding, what the configuration must have for it (all strings in it,
# joined), and how docs/configuration.md names the reason.
BEYOND = (
    ("range", r"must be from \d+(us|ms|s|m|h) to \d+(us|ms|s|m|h)$", anything, RANGES),
    ("duration", r"finer than a nanosecond|at most 10 years", anything, RANGES),
    ("range", r"\d+ bytes long", has_wide_text, BYTES),
    ("range", r"a text of \d+ bytes", has_wide_text, BYTES),
    ("definition", r"last repeat would be later", anything, SUMS),
    ("step-rate", r"", anything, SUMS),
    ("rotary-range", r"", anything, NUMBERS),
    ("match", r"did you mean", anything, PREDICATES),
    ("when", r"did you mean", anything, PREDICATES),
    ("match", r"too deeply|values", anything, SIZES),
    ("when", r"too deeply|values", anything, SIZES),
    ("definition", r"too deeply|values", anything, SIZES),
    ("output-value", r"", anything, OTHERS),
    ("line-in-use", r"", anything, OTHERS),
    ("payload-bytes", r"limits\.payload_bytes", anything, LIMITS),
    ("json-depth", r"limits\.json_depth", anything, LIMITS),
    ("definitions", r"limits\.definitions", anything, LIMITS),
    ("config-bytes", r"limits\.config_bytes", anything, LIMITS),
    ("topic", r"not Unicode characters", has_late_noncharacter, "Unicode non-characters beyond U+FFFF"),
    ("value", r"a number has 63 characters at most$", anything, "numbers of more than 63 characters"),
    ("syntax", r"can't hold \\u0000", lambda text: "\0" in text, "U+0000"),
    ("environment", r"", lambda text: "${" in text or "password_env" in text, ENVIRONS),
)
Verdict = collections.namedtuple("Verdict", "taken findings printed")


def as_ecma(schema):
    """JSON Schema's `$` is the end, as in ECMA-262; Python's would match before a last newline."""
    if isinstance(schema, dict):
        return {key: re.sub(r"\$(?=$|[|)])", r"\\Z", part) if key == "pattern" and isinstance(part, str)
                else as_ecma(part) for key, part in schema.items()}
    return [as_ecma(part) for part in schema] if isinstance(schema, list) else schema


def reason_of(finding, rule, strings):
    return next((reason for r, pattern, witness, reason in BEYOND
                 if r == rule and re.search(pattern, finding) and witness(strings)), None)


def strings_of(value):
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return "\n".join([*value, *map(strings_of, value.values())])
    return "\n".join(map(strings_of, value)) if isinstance(value, list) else ""


def verdicts(program, texts):
    """The reader's verdict on each."""
    result = subprocess.run([program], input="\n".join(texts).encode() + b"\n", capture_output=True,
                            env=ENVIRONMENT, timeout=limit_s(600))
    if result.returncode != 0:
        raise AssertionError(f"{program} ended with {result.returncode}: {result.stderr.decode()}")
    found, lines = [], []
    for line in result.stdout.decode().split("\n"):
        if not line.startswith("= "):
            lines.append(line)
            continue
        errors = [m.groups() for m in map(FINDING.search, lines) if m]
        found.append(Verdict(line == "= taken", errors, "".join(x + "\n" for x in lines)))
        lines = []
    assert len(found) == len(texts), (len(found), len(texts))
    return found


def compare(validator, text, verdict, tally):
    """The unexpected differences between the two."""
    try:
        config = strict_loads(text)
    except ValueError as error:
        return [f"taken, and no JSON: {error}"] if verdict.taken else []
    merged = substitute(config)
    if not validator.is_valid(merged):
        if verdict.taken:
            fault = next(validator.iter_errors(merged)).message
            return [f"taken, and the schema refuses it: {fault[:300]}"]
        return []
    if verdict.taken:
        return []
    strings, differences = strings_of(config), []
    for finding, rule in verdict.findings:
        reason = reason_of(finding, rule, strings)
        tally[reason] += 1
        if reason is None:
            differences.append(f"refused, and the schema takes it: {finding} [{rule}]")
    return differences[:3]


def same_by_program(cuebus, text, verdict):
    """`cuebus check` gives the reader's result."""
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "c.json").write_text(text + "\n", "utf-8")
        result = subprocess.run([cuebus, "check", "c.json"], capture_output=True, env=ENVIRONMENT,
                                cwd=folder, timeout=limit_s(60))
    # What it says of files (secret-readable) is the program's alone.
    printed = "".join(line + "\n" for line in result.stdout.decode().split("\n")[:-1]
                      if "[secret-readable]" not in line)
    if (result.returncode, printed) == (0 if verdict.taken else 78, verdict.printed):
        return []
    return [f"`cuebus check` ended with {result.returncode} and says:\n{printed}"
            f"the reader:\n{verdict.printed}"]


def documented_faults():
    """docs/configuration.md has each reason, and nothing that is no reason here."""
    text = (ROOT / "docs/configuration.md").read_text("utf-8")
    listed = re.search(r"only `check` tests:\n\n(.*?)\n\n", text, re.S)[1]
    reasons = {reason for _, _, _, reason in BEYOND}
    faults = [f"docs/configuration.md does not say: {r}" for r in reasons if r not in listed]
    return faults + [f"docs/configuration.md: no rule here for: {line}" for line in listed.splitlines()
                     if not any(reason in line for reason in reasons)]


def random_texts(schema, seed, count):
    generator = Generator(schema, random.Random(seed))
    return [json.dumps(generator.make()) for _ in range(count)]


def choose(schema, count, seeds):
    """(text, where it is from) of all that is tried."""
    keys = list(dict.fromkeys(every_key(schema)))
    if count == "all":
        return [(text, "key_configs") for text in keys]
    chosen = []
    for seed in seeds:
        chosen += [(t, f"key_configs, seed {seed}")
                   for t in random.Random(seed).sample(keys, min(len(keys), int(count) // 4))]
        chosen += [(t, f"random_configs, seed {seed}, number {i}")
                   for i, t in enumerate(random_texts(schema, seed, int(count) // 4))]
    return chosen


def main():
    program, cuebus = map(os.path.abspath, sys.argv[1:3])
    count = sys.argv[3] if len(sys.argv) > 3 else "4000"
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else random.SystemRandom().randrange(2**32)
    schema = json.loads((ROOT / "schemas/config.schema.json").read_text())
    validator = jsonschema.Draft202012Validator(as_ecma(schema))
    chosen = choose(schema, count, (FIXED_SEED, seed))
    faults, tally = documented_faults(), collections.Counter()
    found = verdicts(program, [text for text, _ in chosen])
    for (text, origin), verdict in zip(chosen, found):
        faults += [f"{origin}: {fault}\n  {text[:2000]}" for fault in compare(validator, text, verdict, tally)]
    for k in random.Random(seed).sample(range(len(chosen)), BY_PROGRAM):
        faults += [f"{f}  {chosen[k][0][:2000]}" for f in same_by_program(cuebus, chosen[k][0], found[k])]
    print(*faults[:20], sep="\n")
    taken = sum(v.taken for v in found)
    print(f"seeds {FIXED_SEED} and {seed}: {len(found)} configurations, {taken} taken, "
          f"{len(found) - taken} refused, {len(faults)} differences; findings beyond the schema:")
    print(*(f"  {n} {reason}" for reason, n in sorted(tally.items(), key=lambda t: -t[1])), sep="\n")
    # Both must have been tried; otherwise the generators are wrong.
    return 1 if faults or min(taken, len(found) - taken) < len(found) // 20 else 0


if __name__ == "__main__":
    sys.exit(main())
