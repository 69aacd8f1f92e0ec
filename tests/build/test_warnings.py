# SPDX-License-Identifier: Apache-2.0
"""A warning ends the builds of the developers' presets and no other: a newer compiler, which has
more warnings, must not stop an install."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ["CUEBUS_SOURCE"])
CMAKE = os.environ["CMAKE"]
# In place of a new warning: every compiler has this one, and our code triggers it often.
NEW_WARNING = "-DCMAKE_C_FLAGS=-Wpadded"
OF_DEVELOPERS = {"dev", "asan-ubsan", "tsan", "fuzz", "bench", "platform"}


def values(presets, name):
    """The cache variables of a preset, with those that it inherits; of several parents the first wins."""
    preset = presets[name]
    parents = preset.get("inherits", [])
    inherited = {}
    for parent in reversed([parents] if isinstance(parents, str) else parents):
        inherited |= values(presets, parent)
    return inherited | preset.get("cacheVariables", {})


class Warnings(unittest.TestCase):
    def build(self, *options):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([CMAKE, "-S", SOURCE, "-B", folder, "-G", "Ninja", "-DCUEBUS_TESTS=OFF",
                            NEW_WARNING, *options], check=True, capture_output=True)
            build = subprocess.run([CMAKE, "--build", folder, "--target", "cuebus_bus"],
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertIn("padd", build.stdout)  # it did warn
        return build.returncode

    def test_a_plain_build_goes_on(self):
        self.assertEqual(self.build(), 0)

    def test_a_strict_one_does_not(self):
        self.assertNotEqual(self.build("-DCMAKE_COMPILE_WARNING_AS_ERROR=ON"), 0)

    def test_the_presets(self):
        presets = {p["name"]: p for p in
                   json.loads((SOURCE / "CMakePresets.json").read_text())["configurePresets"]}
        strict = {name for name, preset in presets.items() if not preset.get("hidden")
                  and values(presets, name).get("CMAKE_COMPILE_WARNING_AS_ERROR") == "ON"}
        self.assertEqual(strict, OF_DEVELOPERS)


if __name__ == "__main__":
    unittest.main()
