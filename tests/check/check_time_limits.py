#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""check_time_limits.py BUILD_DIR CTEST

Every time limit in the tests scales with CUEBUS_SLOW: ctest's own limits, and those written in
tests (limit_s() of tests/time_limits.py)."""

import json
import os
import pathlib
import re
import subprocess
import sys

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))
from time_limits import limit_s  # noqa: E402

FIXED = re.compile(r"\b(timeout|timeout_s)=[0-9.]+\s*[,)]|settimeout\([0-9.]+\)"
                   r"|(process|gateway)\.wait\([0-9.]+\)")
CMAKE = re.compile(r"\bset_tests_properties\([^()]*\bTIMEOUT\b")


def limits(build, ctest, slow):
    """{test: ctest's limit in seconds}."""
    printed = subprocess.run([ctest, "--test-dir", build, "--show-only=json-v1"], check=True,
                             capture_output=True, timeout=limit_s(60),
                             env=dict(os.environ, CUEBUS_SLOW=slow)).stdout
    return {test["name"]: {p["name"]: p["value"] for p in test["properties"]}.get("TIMEOUT")
            for test in json.loads(printed)["tests"]}


def unscaled(build, ctest):
    quick, slow, broken = (limits(build, ctest, s) for s in ("1", "2.5", "x"))
    return [f"{name}: ctest allows {quick[name]} s with CUEBUS_SLOW=1, {slow[name]} s with 2.5, "
            f"{broken[name]} s with x" for name in quick
            if not quick[name] or slow[name] != 3 * quick[name] or broken[name] != quick[name]]


def written():
    """Places where a number must be replaced by limit_s()."""
    found = []
    for path in sorted([*TESTS.rglob("*.py"), *TESTS.rglob("CMakeLists.txt")]):
        if path == pathlib.Path(__file__).resolve():
            continue
        text = path.read_text("utf-8")
        for match in (FIXED if path.suffix == ".py" else CMAKE).finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            found.append(f"{path.relative_to(TESTS)}:{line}: a fixed time limit: {match[0]}")
    return found


def main():
    wrong = unscaled(*sys.argv[1:]) + written()
    print("\n".join(wrong) or "all time limits scale")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
