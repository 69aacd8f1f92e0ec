# SPDX-License-Identifier: Apache-2.0
"""The ABI of libcuebus.so is the one that is committed."""

import os
import re
import subprocess
import tempfile
import unittest

# Of abidiff's status: it failed, and not that it found a difference.
FAILED = 1 | 2


def abidiff(committed, built):
    run = subprocess.run([os.environ["ABIDIFF"], "--no-show-locs", committed, built],
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if run.returncode & FAILED:
        raise RuntimeError(f"abidiff ended with {run.returncode}\n{run.stdout}")
    return run.returncode, run.stdout


class Abi(unittest.TestCase):
    def dump(self, folder, pattern=None, replacement=None):
        """A dump of the library that was just built, with the text of a pattern in it replaced."""
        path = os.path.join(folder, "libcuebus.abi")
        subprocess.run([*os.environ["ABIDW"].split("|"), "--out-file", path, os.environ["SHARED"]], check=True)
        if pattern:
            with open(path, encoding="utf-8") as file:
                text, n = re.subn(pattern, replacement, file.read())
            self.assertGreater(n, 0, pattern)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        return path

    def test_it_is_the_one_committed(self):
        with tempfile.TemporaryDirectory() as folder:
            status, report = abidiff(os.environ["COMMITTED"], self.dump(folder))
        if status != 0:
            self.fail("The ABI of libcuebus.so is not the one in bus/abi/libcuebus.abi.\n"
                      f"{report}\n"
                      "If the change is meant, write the file anew and commit it:\n"
                      "    cmake --build --preset dev --target abi\n"
                      "If programs built before can't run with it (anything but a function more), also\n"
                      "raise CUEBUS_SOVERSION in bus/CMakeLists.txt.")

    def test_a_difference_is_found(self):
        for replace in (("'cue_bus_new'", "'cue_bus_make'"),  # another function
                        ("(name='cue_budget' [^>]*size-in-bits)='192'", r"\1='256'")):
            with self.subTest(replace), tempfile.TemporaryDirectory() as folder:
                self.assertNotEqual(abidiff(os.environ["COMMITTED"], self.dump(folder, *replace))[0], 0)


if __name__ == "__main__":
    unittest.main()
