#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Schema and reader agree on random configurations.

    random_agrees.py CUEBUS [COUNT [SEED]]

What the reader takes the schema takes. What the schema takes and the reader refuses is refused
for a reason that a schema can't say: those are listed here, and in docs/configuration.md. The
first half has a fixed seed, the second a new one, which is printed.
"""

import collections
import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile

import jsonschema

from check_configs import ENVIRONMENT
from random_configs import Generator

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from time_limits import limit_s  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
FINDING = re.compile(r": error: (.*) \[([a-z-]+)\]$")
FIXED_SEED = 20261130

# Rule, text of the finding, and how docs/configuration.md names it.
BEYOND = (
    ("range", r"must be from \d+(us|ms|s|m|h) to ", "the range of a duration"),
    ("duration", r"finer than a nanosecond|at most 10 years", "the range of a duration"),
    ("range", r"\d+ bytes long", "lengths are of bytes, the schema's of characters"),
    ("range", r"a text of \d+ bytes", "lengths are of bytes, the schema's of characters"),
    ("event-type", r"128", "lengths are of bytes, the schema's of characters"),
    ("definition", r"last repeat would be later", "sums over the steps of a playlist"),
    ("step-rate", r"", "sums over the steps of a playlist"),
    ("match", r"did you mean|too deeply|values", "an operator of another language"),
    ("when", r"did you mean|too deeply|values", "an operator of another language"),
    ("definition", r"too deeply|values", "depth and size of a predicate"),
    ("output-value", r"", "what one definition says of another"),
    ("line-in-use", r"", "what one definition says of another"),
    ("payload-bytes", r"", "what `limits` bounds"),
    ("json-depth", r"", "what `limits` bounds"),
    ("definitions", r"", "what `limits` bounds"),
    ("config-bytes", r"", "what `limits` bounds"),
    ("topic", r"no character in Unicode", "non-characters of Unicode beyond U+FFFF"),
    ("environment", r"", "the environment (`${NAME}`)"),
    ("file", r"", "the environment (`${NAME}`)"),
)


def is_beyond(text, rule):
    return any(rule == r and re.search(pattern, text) for r, pattern, _ in BEYOND)


def compare(cuebus, validator, config, folder):
    """Texts of where the two differ and should not; whether the reader took it."""
    text = json.dumps(config)
    path = pathlib.Path(folder, "c.json")
    path.write_text(text)
    result = subprocess.run([cuebus, "check", path], capture_output=True, env=ENVIRONMENT,
                            timeout=limit_s(600))
    if result.returncode not in (0, 78):
        return [f"exit code {result.returncode}: {result.stderr.decode()}"], False
    errors = [e.message for e in validator.iter_errors(config)]
    if result.returncode == 0:
        return [f"taken, and the schema refuses it: {e}" for e in errors[:1]], True
    if errors:
        return [], False
    found = [m.groups() for m in map(FINDING.search, result.stdout.decode().splitlines()) if m]
    return [f"refused, and the schema takes it: {t} [{r}]" for t, r in found
            if not is_beyond(t, r)][:3], False


def undocumented():
    text = (ROOT / "docs/configuration.md").read_text("utf-8")
    return [f"docs/configuration.md does not say: {name}"
            for name in sorted({name for _, _, name in BEYOND}) if name not in text]


def main():
    cuebus, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 200
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.SystemRandom().randrange(2**32)
    schema = json.loads((ROOT / "schemas/config.schema.json").read_text())
    validator = jsonschema.Draft202012Validator(schema)
    faults, tally = undocumented(), collections.Counter()
    for each in (FIXED_SEED, seed):
        generator = Generator(schema, random.Random(each))
        with tempfile.TemporaryDirectory() as folder:
            for i in range(count // 2):
                config = generator.make()
                found, taken = compare(cuebus, validator, config, folder)
                tally[taken] += 1
                faults += [f"seed {each}, number {i}: {f}\n  {json.dumps(config)}" for f in found]
    print(*faults[:20], sep="\n")
    print(f"seeds {FIXED_SEED} and {seed}: {tally[True]} taken, {tally[False]} refused, "
          f"{len(faults)} differences")
    # Both must have been tried, or the generator has gone astray.
    return 1 if faults or min(tally[True], tally[False]) < count // 20 else 0


if __name__ == "__main__":
    sys.exit(main())
