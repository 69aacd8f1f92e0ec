# SPDX-License-Identifier: Apache-2.0
"""side_by_side.py AT_ONCE FILE [TEST...]: run the tests of a unittest file, AT_ONCE of them at
a time, each in a process of its own. For files whose tests mostly wait, for delays and time
limits of the gateway, and share nothing: each test gets fixtures of its class of its own.

What a test prints comes when it ends, of those that fail at the very end."""

import ctypes
import importlib
import os
import pathlib
import signal
import sys
import tempfile
import time
import unittest

PR_SET_PDEATHSIG = 1
PASSED, FAILED, SKIPPED = 0, 1, 2


def flat(suite):
    for test in suite:
        yield from flat(test) if isinstance(test, unittest.TestSuite) else (test,)


def run_test(test):
    result = unittest.TextTestRunner(verbosity=2).run(unittest.TestSuite([test]))
    if not result.wasSuccessful() or result.unexpectedSuccesses:
        return FAILED
    if result.skipped:
        return SKIPPED
    return PASSED if result.testsRun == 1 else FAILED


class Child:
    """A test in its process; it dies with this one."""

    def __init__(self, test):
        self.name = test.id().removeprefix("side_by_side.")
        self.output = tempfile.TemporaryFile()
        self.started = time.monotonic()
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            status = FAILED
            try:
                ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
                os.dup2(self.output.fileno(), sys.stdout.fileno())
                os.dup2(self.output.fileno(), sys.stderr.fileno())
                status = run_test(test)
                sys.stdout.flush()
                sys.stderr.flush()
            finally:
                os._exit(status)

    def text(self):
        self.output.seek(0)
        return self.output.read().decode("utf-8", "replace")


def main(at_once, file, *names):
    path = pathlib.Path(file).resolve()
    sys.path.insert(0, str(path.parent))
    module = importlib.import_module(path.stem)
    loader = unittest.defaultTestLoader
    suite = loader.loadTestsFromNames(names, module) if names else loader.loadTestsFromModule(module)
    waiting = list(flat(suite))
    if not waiting:
        sys.exit(f"{file}: no tests")
    running, failed, counts, started = {}, [], {PASSED: 0, FAILED: 0, SKIPPED: 0}, time.monotonic()
    while waiting or running:
        while waiting and len(running) < int(at_once):
            child = Child(waiting.pop(0))
            running[child.pid] = child
        pid, status = os.wait()
        child = running.pop(pid)
        verdict = os.waitstatus_to_exitcode(status)
        if verdict not in (PASSED, SKIPPED):
            verdict = FAILED
            failed.append(child)
        counts[verdict] += 1
        word = {PASSED: "ok", FAILED: "FAIL", SKIPPED: "skipped"}[verdict]
        print(f"{child.name} ... {word} ({time.monotonic() - child.started:.1f} s)", flush=True)
        if verdict == PASSED:
            child.output.close()
    for child in failed:
        print(f"\n==== {child.name}\n{child.text()}")
    print(f"\nRan {sum(counts.values())} tests in {time.monotonic() - started:.1f} s\n")
    print(f"FAILED (failures={counts[FAILED]})" if failed else
          f"OK (skipped={counts[SKIPPED]})" if counts[SKIPPED] else "OK")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
