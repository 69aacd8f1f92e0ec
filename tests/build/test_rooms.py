# SPDX-License-Identifier: Apache-2.0
"""An include that cuebus_room() does not allow must not compile.

The forbidden includes are derived from that table and from the flags that each file is really
compiled with. Environment: that of house.py, and ROOMS: for each room "folder:used,used".
"""

import concurrent.futures
import os
import pathlib
import re
import unittest

from house import HOUSE, SOURCE, compiles, read_commands

INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]*)"|<([^>]*)>)', re.M)
# What is offered to others, as <cuebus/bus.h>.
PUBLIC = {"bus/include/cuebus", "drivers/include/drivers"}


def read_table():
    table = {}
    for entry in os.environ["ROOMS"].split():
        room, used = entry.split(":")
        table[room] = set(filter(None, used.split(",")))
    return table


def visible(table, room):
    """The room and all that it may include."""
    found, todo = set(), [room]
    while todo:
        room = todo.pop()
        if room not in found:
            found.add(room)
            todo += table[room]
    return found


class Walls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.table = read_table()
        cls.flags = {}
        for path, (flags, _) in sorted(read_commands().items()):
            cls.flags.setdefault(str(pathlib.Path(path).parent), flags)
        cls.headers = {room: sorted(p.name for p in (SOURCE / room).glob("*.h"))
                       for room in cls.table}

    def each(self, function, arguments):
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for failure in pool.map(function, arguments):
                if failure:
                    self.fail(failure)

    def test_the_table_has_all_rooms(self):
        self.assertGreater(len(self.table), 20)
        for room in self.table:
            self.assertTrue(self.headers[room] or room in self.flags, room)
            self.assertLessEqual(self.table[room], set(self.table), room)

    def test_no_room_uses_itself(self):
        for room, used in self.table.items():
            for other in used:
                self.assertNotIn(room, visible(self.table, other), f"{room} uses {other}")

    def test_every_file_is_in_a_room(self):
        for part in HOUSE:
            for path in (SOURCE / part).rglob("*.[ch]"):
                folder = str(path.parent.relative_to(SOURCE))
                self.assertIn(folder, self.table.keys() | PUBLIC, path.name)

    def test_each_name_is_there_once(self):
        """Two headers of one name: an include would find either."""
        seen = {}
        for room, headers in self.headers.items():
            for name in headers:
                self.assertNotIn(name, seen, room)
                seen[name] = room

    def test_nothing_is_included_by_way_of_a_folder(self):
        """ "../service/loop.h" would bypass every rule."""
        for part in HOUSE:
            for path in (SOURCE / part).rglob("*.[ch]"):
                for quoted, angled in INCLUDE.findall(path.read_text("utf-8")):
                    self.assertNotIn("/", quoted, path.name)
                    self.assertNotIn("..", angled, path.name)

    def test_rooms_of_headers_only_include_what_they_may(self):
        for room in self.table.keys() - self.flags.keys():
            allowed = {name for r in visible(self.table, room) for name in self.headers[r]}
            for name in self.headers[room]:
                quoted = [q for q, _ in INCLUDE.findall((SOURCE / room / name).read_text("utf-8")) if q]
                self.assertLessEqual(set(quoted), allowed, name)

    def test_what_is_allowed_compiles(self):
        def check(room):
            text = "".join(f'#include "{name}"\n' for seen in sorted(visible(self.table, room))
                           for name in self.headers[seen])
            good, said = compiles(self.flags[room], text + "int rooms_test;\n")
            return None if good else f"{room} may include what does not compile there:\n{said}"

        self.each(check, self.flags.keys() & self.table.keys())

    def test_a_stray_include_does_not(self):
        def check(pair):
            room, name = pair
            good, said = compiles(self.flags[room], f'#include "{name}"\nint rooms_test;\n')
            if good:
                return f'{room}: #include "{name}" compiles'
            if not re.search(rf"{re.escape(name)}['’]?:? .*(No such file|not found)", said):
                return f'{room}: #include "{name}" fails for another reason:\n{said}'
            return None

        # Of each room that is not below, the first header: it has all or none of a folder.
        pairs = [(room, self.headers[other][0]) for room in self.flags.keys() & self.table.keys()
                 for other in self.table.keys() - visible(self.table, room) if self.headers[other]]
        self.assertGreater(len(pairs), 100)
        self.each(check, sorted(pairs))

    def test_no_header_of_another_room_is_found(self):
        """All of them, by asking the preprocessor."""
        def check(room):
            names = [name for other in self.table.keys() - visible(self.table, room)
                     for name in self.headers[other]]
            text = "".join(f'#if __has_include("{name}")\n#error found {name}\n#endif\n' for name in names)
            good, said = compiles(self.flags[room], text + "int rooms_test;\n")
            return None if good else f"{room}: {said}"

        self.each(check, self.flags.keys() & self.table.keys())


if __name__ == "__main__":
    unittest.main()
