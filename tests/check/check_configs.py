#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Run `cuebus check` on every configuration of this folder.

bad/   one fault each; exit code 78 and exactly what NAME.expected says; `cuebus
       run` ends the same way, with the same on standard error
warn/  warnings only; exit code 0 and exactly what NAME.expected says
good/  exit code 0 and no output

A case is a file NAME.json, or a folder NAME with main.json and conf.d.
The last line on standard error counts the findings.

    check_configs.py CUEBUS            run
    check_configs.py CUEBUS --update   rewrite the .expected files; read them before the commit
"""

import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from time_limits import limit_s  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
ENVIRONMENT = {
    "CUEBUS_TEST_SET": "value-of-the-environment",
    "CUEBUS_TEST_TOKEN": "value-of-the-token",
    "LC_ALL": "C.UTF-8",
    "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", ""),
    "UBSAN_OPTIONS": os.environ.get("UBSAN_OPTIONS", ""),
    "TSAN_OPTIONS": os.environ.get("TSAN_OPTIONS", ""),
    "LSAN_OPTIONS": os.environ.get("LSAN_OPTIONS", ""),
}
EXIT = {"bad": 78, "warn": 0, "good": 0}


def cases(kind):
    for path in sorted((HERE / kind).iterdir()):
        if path.is_dir():
            yield path.name, f"{path.name}/main.json"
        elif path.suffix == ".json":
            yield path.stem, path.name


def summary(name, text):
    errors = sum(": error: " in line for line in text.splitlines())
    warnings = sum(": warning: " in line for line in text.splitlines())
    return (
        f"{name}: {errors} error{'' if errors == 1 else 's'}, "
        f"{warnings} warning{'' if warnings == 1 else 's'}\n"
    )


def check_run(cuebus, kind, path, expected):
    """The service does not start with it, and prints the same findings as `check`."""
    result = subprocess.run(
        [cuebus, "run", "-c", path], cwd=HERE / kind, env=ENVIRONMENT, capture_output=True, timeout=limit_s(60)
    )
    said = (result.returncode, result.stdout.decode(), result.stderr.decode())
    if said == (78, "", expected):
        return []
    return [f"run ended with {said[0]}, printed:\n{said[1]}{said[2]}expected:\n{expected}"]


def check(cuebus, kind, name, path, update):
    """The differences from the expected output."""
    result = subprocess.run(
        [cuebus, "check", path], cwd=HERE / kind, env=ENVIRONMENT, capture_output=True, timeout=limit_s(60)
    )
    out, err = result.stdout.decode(), result.stderr.decode()
    expected_path = HERE / kind / (name + ".expected")
    if update and kind != "good":
        expected_path.write_text(out)
    expected = "" if kind == "good" else expected_path.read_text()
    faults = []
    if out != expected:
        faults.append(f"printed:\n{out}expected:\n{expected}")
    if result.returncode != EXIT[kind]:
        faults.append(f"exit code {result.returncode}, expected {EXIT[kind]}")
    if err != summary(path, expected):
        faults.append(f"on standard error: {err}")
    if kind == "bad":
        faults += check_run(cuebus, kind, path, expected)
    if kind != "good" and not expected:
        faults.append("nothing is expected, so nothing is tested")
    return faults


def main():
    cuebus, update = os.path.abspath(sys.argv[1]), "--update" in sys.argv
    failed = total = 0
    for kind in EXIT:
        for name, path in cases(kind):
            total += 1
            faults = check(cuebus, kind, name, path, update)
            failed += bool(faults)
            for fault in faults:
                print(f"{kind}/{name}: {fault}")
    print(f"{total} configurations, {failed} failed")
    sys.exit(1 if failed or total < 100 else 0)


if __name__ == "__main__":
    main()
