# SPDX-License-Identifier: Apache-2.0
"""The shipped program is hardened: the properties that readelf shows, and the flags that each of our
files was compiled with (a binary does not show whether FORTIFY is level 3 or 2)."""

import json
import platform
import re
import unittest

from package import BUILD, ROOT, extracted, output


class Hardening(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.program = extracted(cls) / "usr/bin/cuebus"

    def readelf(self, *options):
        return output("readelf", "--wide", *options, self.program)

    def test_pie(self):
        self.assertRegex(self.readelf("-h"), r"Type:\s+DYN")
        self.assertRegex(self.readelf("-d"), r"FLAGS_1\).*\bPIE\b")

    def test_full_relro(self):
        self.assertIn("GNU_RELRO", self.readelf("-l"))
        dynamic = self.readelf("-d")
        self.assertRegex(dynamic, r"\(FLAGS\).*\bBIND_NOW\b")
        self.assertRegex(dynamic, r"FLAGS_1\).*\bNOW\b")

    def test_no_executable_stack_and_nothing_writable_and_executable(self):
        segments = re.findall(r"^\s+(\w+)\s+(?:0x\w+\s+){5}([RWE ]{3})", self.readelf("-l"), re.M)
        self.assertIn(("GNU_STACK", "RW "), segments)
        self.assertIn(("LOAD", "R E"), segments)
        for kind, flags in segments:
            self.assertFalse("W" in flags and "E" in flags, kind)

    def test_no_search_path_and_no_text_relocations(self):
        dynamic = self.readelf("-d")
        for tag in ("RPATH", "RUNPATH", "TEXTREL"):
            self.assertNotIn(tag, dynamic)

    def test_stack_protector_and_fortify_are_used(self):
        symbols = self.readelf("--dyn-syms")
        self.assertIn("__stack_chk_fail@", symbols)
        fortified = set(re.findall(r"\b(__\w+_chk)@", symbols))
        self.assertGreaterEqual(len(fortified), 5, fortified)

    @unittest.skipUnless(platform.machine() in ("x86_64", "aarch64"), "has no such thing")
    def test_control_flow_protection(self):
        """Each object of ours is marked. The linker marks the program only when the
        C library's startup files are too, which Debian 12's are not."""
        pattern = {"x86_64": r"x86 feature:.*\bIBT\b.*\bSHSTK\b",
                   "aarch64": r"AArch64 feature:.*\bBTI\b.*\bPAC\b"}[platform.machine()]
        objects = sorted(BUILD.rglob("*.o"))
        self.assertGreater(len(objects), 50)
        for path in objects:
            with self.subTest(path.name):
                self.assertRegex(output("readelf", "-nW", path), pattern)
        startup = [output("gcc", f"-print-file-name={name}").strip() for name in ("Scrt1.o", "crti.o")]
        if all(re.search(pattern, output("readelf", "-nW", path)) for path in startup):
            self.assertRegex(self.readelf("-n"), pattern)

    def test_every_file_was_compiled_with_the_flags(self):
        entries = [e for e in json.loads((BUILD / "compile_commands.json").read_text())
                   if e["file"].endswith(".c")]
        self.assertGreater(len(entries), 50)
        wanted = ["-D_FORTIFY_SOURCE=3", "-fstack-protector-strong", "-O2"]
        if platform.machine() == "x86_64":
            wanted += ["-fcf-protection=full", "-fstack-clash-protection"]
        for entry in entries:
            words = entry["command"].split()
            with self.subTest(entry["file"]):
                for flag in wanted:
                    self.assertIn(flag, words)
                self.assertTrue({"-fPIC", "-fPIE"} & set(words))
                self.assertNotIn("-O0", words)
                self.assertLess(words.index("-U_FORTIFY_SOURCE"),
                                words.index("-D_FORTIFY_SOURCE=3"))

    def test_it_is_stripped_and_does_not_tell_where_it_was_built(self):
        sections = self.readelf("-S")
        self.assertNotIn(".debug_info", sections)
        self.assertNotIn(".symtab", sections)
        self.assertNotIn(str(ROOT).encode(), self.program.read_bytes())


if __name__ == "__main__":
    unittest.main()
