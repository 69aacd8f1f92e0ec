# SPDX-License-Identifier: Apache-2.0
"""Every command and configuration in README.md and docs/*.md is run.

Fenced blocks, by their language:

  jsonc    a configuration, or top-level parts of one: `cuebus check` must give
           no error (a part is completed with a version and a gateway)
  json     must parse; an envelope, a reply or what a line
           `<!-- schema: NAME -->` before the block names must validate
  console  (those of CONTRIBUTING.md: test_contributing.py, in a copy of the tree)
           lines that begin with `$ ` are run by bash in the repository's root,
           one shell for each block, and must succeed; the lines after them are
           the output, where a line `...` stands for any lines and `…` in a
           line for any text. mosquitto_pub and mosquitto_sub speak to a broker
           with a gateway on docs/operations.md's configuration.
  sh       run on other people's machines or elsewhere in CI: each first word
           must be a file of the repository or one of OUTSIDE
  trace    in docs/cookbook.md: test_cookbook.py
  text     not run; one after a line `<!-- gpio: NAME -->` is what tests/gpio sees

A block of any other language is an error. The configurations of
docs/configuration.md are run by tests/check, with their findings.
"""

import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "integration"))
from harness import CUEBUS, REGISTRY, Broker, Client, Gateway, find_program, limit_s  # noqa: E402

DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md",
             *sorted((ROOT / "docs").glob("*.md"))]
OUTSIDE = {"git", "cd", "cmake", "ctest", "sudo", "systemctl", "journalctl", "kill", "gpioinfo", "cuebus",
           "docker"}
FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\S*)\s*$")


class Block:
    def __init__(self, document, line, language, text, marks):
        self.place = f"{document.relative_to(ROOT)}:{line}"
        self.language = language
        self.text = text
        self.schema = marks.get("schema")
        self.gpio = marks.get("gpio")


def blocks():
    found = []
    for document in DOCUMENTS:
        opened, lines, marks = None, [], {}
        for number, line in enumerate(document.read_text("utf-8").splitlines(), 1):
            fence = FENCE.match(line)
            if opened is None and fence:
                opened = (number, fence["language"])
                lines = []
            elif opened and fence and not fence["language"]:
                found.append(Block(document, opened[0], opened[1], "\n".join(lines) + "\n", marks))
                opened, marks = None, {}
            elif opened:
                lines.append(line)
            else:
                told = re.match(r"<!-- (schema|gpio): (\S+) -->", line)
                marks = {told[1]: told[2]} if told else (marks if not line.strip() else {})
        if opened:
            raise AssertionError(f"{document}: block of line {opened[0]} has no end")
    return found


BLOCKS = blocks()


def of(language):
    return [b for b in BLOCKS if b.language == language
            and not (language == "jsonc" and b.place.startswith("docs/configuration.md:"))
            and not (language == "console" and b.place.startswith("CONTRIBUTING.md:"))]


def completed(text):
    """A configuration of a part of one: `{` … `}` around it where missing."""
    stripped = re.sub(r"//[^\n]*", "", text).strip()
    if not stripped.startswith("{"):
        text = "{\n" + text + "\n}"
    if '"gateway"' not in text:
        text = text.replace("{", '{ "version": 1, "gateway": { "id": "docs" },', 1)
    return text


def commands(text):
    """[(command, expected output lines)]"""
    found, here = [], None
    for line in text.splitlines():
        if here:
            found[-1][0] += "\n" + line
            here = None if line == here else here
        elif line.startswith("$ "):
            found.append([line[2:], []])
            document = re.search(r"<<'(\w+)'", line)
            here = document and document[1]
        elif found and found[-1][0].endswith("\\") and not found[-1][1]:
            found[-1][0] += "\n" + line
        elif found:
            found[-1][1].append(line)
        else:
            raise AssertionError(f"output before a command: {line}")
    return found


def as_pattern(lines):
    parts = []
    for line in lines:
        if line == "...":
            parts.append(r"(?:.*\n)*?")
        else:
            parts.append(r".*".join(map(re.escape, line.split("…"))) + r"\n")
    return re.compile("".join(parts) + r"\Z")


def run_console(case, block, directory, env, seconds):
    """Run the block's commands there: each must succeed and print what the block says."""
    script, marker = "set -o pipefail\n", "@@end@@"
    todo = commands(block.text)
    for command, _ in todo:
        script += f"{command}\necho \"{marker}$?\"\n"
    process = subprocess.Popen(["bash", "-c", script], cwd=directory, env=env, text=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, start_new_session=True)
    try:
        output, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        case.fail(f"does not end:\n{output}")
    parts = re.split(re.escape(marker) + r"(\d+)\n", output)
    for n, (command, expected) in enumerate(todo):
        got, status = parts[2 * n], parts[2 * n + 1]
        case.assertEqual(status, "0", f"{command}\n{got}")
        if expected and not as_pattern(expected).match(got):
            case.assertEqual(got.splitlines(), expected, command)


class Documents(unittest.TestCase):
    maxDiff = None

    def test_languages_are_known(self):
        for block in BLOCKS:
            with self.subTest(block.place):
                self.assertIn(block.language, ("jsonc", "json", "console", "sh", "trace", "text"))

    def test_configurations(self):
        self.assertTrue(of("jsonc"))
        for block in of("jsonc"):
            with self.subTest(block.place), tempfile.TemporaryDirectory() as directory:
                path = pathlib.Path(directory) / "cuebus.json"
                path.write_text(completed(block.text), "utf-8")
                env = dict(os.environ, CREDENTIALS_DIRECTORY=directory)
                result = subprocess.run([CUEBUS, "check", str(path)], capture_output=True,
                                        text=True, timeout=limit_s(60), env=env)
                self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_json(self):
        self.assertTrue(of("json"))
        for block in of("json"):
            with self.subTest(block.place):
                value = json.loads(block.text)
                name = block.schema
                if name is None and isinstance(value, dict):
                    if "boot_id" in value and "seq" in value:
                        name = "envelope"
                    elif "ok" in value and not value["ok"]:
                        name = "reply.error"
                self.assertIsNotNone(name, "which schema is this block's?")
                self.assertEqual(REGISTRY.errors(name, value), [])

    def test_sh(self):
        for block in of("sh"):
            for line in block.text.splitlines():
                line = line.split(" #")[0].strip()
                if not line or line.startswith("#"):
                    continue
                with self.subTest(block.place, line=line):
                    words = [w for w in shlex.split(line) if "=" not in w]
                    self.assertTrue(words[0] in OUTSIDE
                                    or os.access(ROOT / words[0], os.X_OK), words[0])

    def test_links(self):
        for document in DOCUMENTS:
            text = re.sub(r"```.*?```", "", document.read_text("utf-8"), flags=re.S)
            for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
                if "://" in target:
                    continue
                with self.subTest(str(document.relative_to(ROOT)), target=target):
                    self.assertTrue((document.parent / target).exists())


class Console(unittest.TestCase):
    """The console blocks, with a broker and a gateway for those that want them."""

    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.directory = pathlib.Path(tempfile.mkdtemp(prefix="cuebus-docs-"))
        cls.broker = Broker(cls.directory)
        cls.gateway = None
        try:
            cls.broker.start()
            cls._start_gateway()
            cls._wrap_programs()
        except BaseException:
            cls.tearDownClass()
            raise

    @classmethod
    def _start_gateway(cls):
        text = (ROOT / "scripts" / "demo.jsonc").read_text("utf-8")
        text = text.replace("${CUEBUS_DEMO_PORT}", str(cls.broker.port))
        client = Client(cls.broker).subscribe("cuebus/1/demo/status")
        cls.gateway = Gateway(cls.directory, text).start()
        client.message("online", lambda m: m.payload == b"online")
        client.close()

    @classmethod
    def _wrap_programs(cls):
        """The documents assume that the broker uses its usual port."""
        cls.bin = cls.directory / "bin"
        cls.bin.mkdir()
        for name in ("mosquitto_pub", "mosquitto_sub"):
            (cls.bin / name).write_text(
                f'#!/bin/sh\nexec {find_program(name)} -p {cls.broker.port} "$@"\n')
            (cls.bin / name).chmod(0o755)
        (cls.bin / "cuebus").symlink_to(CUEBUS)

    @classmethod
    def tearDownClass(cls):
        try:
            if cls.gateway:
                cls.gateway.stop()
        finally:
            cls.broker.stop()
            shutil.rmtree(cls.directory, ignore_errors=True)

    def test_console(self):
        self.assertTrue(of("console"))
        for block in of("console"):
            with self.subTest(block.place):
                self.run_block(block)

    def run_block(self, block):
        env = dict(os.environ, PATH=f"{self.bin}:{os.environ['PATH']}", LC_ALL="C.UTF-8")
        run_console(self, block, ROOT, env, limit_s(60))


if __name__ == "__main__":
    unittest.main()
