#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""docs/architecture.md agrees with the tree: each named folder and file exists, the table of rooms
is that of CMake, and only rooms that see a library include its headers."""

import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "architecture.md").read_text()

TOP = ("bench", "bus", "dashboard", "docker", "docs", "drivers", "gateway", "packaging",
       "schemas", "scripts", "tests")

# As the table writes it: the library of CMake, and what its headers look like.
LIBRARIES = {
    "cJSON": (None, r"cjson/"),
    "SQLite": ("PkgConfig::SQLITE", r"sqlite3\.h"),
    "paho": ("paho_mqtt3cs", r"MQTT\w+\.h"),
    "OpenSSL": ("OpenSSL::SSL", r"openssl/"),
    "libuv": ("PkgConfig::UV", r"uv\.h"),
    "libgpiod": (None, r"gpiod\.h"),
}
API = {"cuebus_api": "bus/include", "cuebus_drivers": "drivers/include"}


def rows():
    """Room to what it sees, as the document has it."""
    return {room: re.sub("`", "", sees).split(", ") if sees != "nothing" else []
            for room, sees in re.findall(r"^\| `([\w/]+)` \| .+ \| ([^|]+) \|$", TEXT, re.M)
            if (ROOT / room).is_dir()}


def cmake_rooms():
    """The same, as CMake has it."""
    rooms = {}
    names = {cmake: name for name, (cmake, _) in LIBRARIES.items() if cmake} | API
    for folder in ("bus", "gateway"):
        text = (ROOT / folder / "CMakeLists.txt").read_text()
        for call in re.findall(r"^cuebus_room\(([^)]*)\)", text, re.M):
            room, *words = call.split()
            rooms[room] = [names.get(word, word) for word in words
                           if word not in ("USES", "LINKS")]
    return rooms


class Architecture(unittest.TestCase):
    def test_the_rooms_are_those_of_cmake(self):
        said, built = rows(), cmake_rooms()
        said.pop("drivers/src")
        said["bus/json"].remove("cJSON")
        self.assertEqual({room: sorted(sees) for room, sees in said.items()},
                         {room: sorted(sees) for room, sees in built.items()})

    def test_each_path_exists(self):
        paths = {path for path in re.findall(r"`([\w./-]+)`", TEXT)
                 if path.split("/")[0] in TOP and ("/" in path or path in TOP)}
        self.assertGreater(len(paths), 60)
        self.assertEqual([], sorted(path for path in paths if not (ROOT / path).exists()))

    def test_each_file_has_its_folder(self):
        self.assertEqual([], re.findall(r"`(\w+\.(?:[ch]|py))`", TEXT))

    def test_only_rooms_that_see_a_library_include_it(self):
        # cJSON is in the public interface of the bus, so that every room sees it.
        for library, (_, pattern) in LIBRARIES.items():
            if library == "cJSON":
                continue
            users = {room for room, sees in rows().items() if library in sees}
            found = set()
            for top in ("bus", "drivers", "gateway"):
                for path in (ROOT / top).rglob("*.[ch]"):
                    if re.search(rf'^#include [<"]{pattern}', path.read_text(), re.M):
                        found.add(str(path.parent.relative_to(ROOT)))
            self.assertEqual(users, found, library)


if __name__ == "__main__":
    unittest.main()
