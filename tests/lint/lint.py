#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Look at the sources without running them.

    scripts/lint                  all checks but tidy, which takes minutes
    scripts/lint CHECK...         only these
    scripts/lint --staged         what the next commit would hold; for .githooks/pre-commit
    scripts/lint --fix            format the C sources

Checks:
  format    C: the form of .clang-format, by clang-format 14
  columns   C: no line over 100 columns, tabs of 8
  sizes     files under 500 lines, C functions under 60 (tests/lint/sizes.py lists exceptions)
  shell     shellcheck on every script, found by its first line
  spelling  codespell; tests/lint/words and misspelt list what it should let pass
  python    flake8 (.flake8)
  tidy      C: clang-tidy 14 (.clang-tidy) on all that build/dev compiles; --build DIR for another

Exit status: 0; 1 something was found; 77 no check could run, for lack of its tool.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import sizes

ROOT = pathlib.Path(__file__).resolve().parents[2]
COLUMNS = 100
CLANG = 14
# Generated data.
NOT_TEXT = ("tests/fuzz/corpus/",)


class Missing(Exception):
    """A tool that is not installed."""


class Tree:
    """The files to look at, by their paths below root."""

    def __init__(self, root, paths):
        self.root = pathlib.Path(root)
        self.paths = [p for p in paths if (self.root / p).is_file() and not (self.root / p).is_symlink()]

    def of(self, *suffixes):
        return [p for p in self.paths if p.endswith(suffixes)]

    def with_shebang(self, pattern):
        found = []
        for path in self.paths:
            with open(self.root / path, "rb") as file:
                if re.match(pattern, file.readline(100)):
                    found.append(path)
        return found

    def read(self, path):
        return (self.root / path).read_text("utf-8")

    def run(self, command, paths):
        """Its output when it finds something, "" otherwise."""
        if not paths:
            return ""
        result = subprocess.run([*command, *paths], cwd=self.root, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return "" if result.returncode == 0 else result.stdout or f"{command[0]}: exit status {result.returncode}\n"


def git(*arguments):
    result = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=True)
    return [os.fsdecode(name) for name in result.stdout.split(b"\0") if name]


def clang_tool(name):
    """Another version formats otherwise and finds other things."""
    seen = []
    for program in (f"{name}-{CLANG}", name):
        path = shutil.which(program)
        if path:
            text = subprocess.run([path, "--version"], capture_output=True, text=True).stdout
            version = re.search(r"version (\d+)", text)
            if version and int(version[1]) == CLANG:
                return path
            seen.append(f"{path} is version {version[1] if version else '?'}")
    raise Missing(f"{name} {CLANG} is needed, the one of Debian 12; {'; '.join(seen) or 'there is none'}")


def tool(name):
    path = shutil.which(name)
    if not path:
        raise Missing(f"{name} is not installed; scripts/setup does it")
    return path


def check_format(tree, _options):
    program = clang_tool("clang-format")
    said = tree.run([program, "--dry-run", "-Werror"], tree.of(".c", ".h"))
    wrong = sorted({line.split(":")[0] for line in said.splitlines() if "[-Wclang-format-violations]" in line})
    if said and not wrong:
        return said
    return f"not in the form of .clang-format; mend: scripts/lint --fix {' '.join(wrong)}\n" if wrong else ""


def check_columns(tree, _options):
    return "".join(f"{path}:{number}: {len(line.expandtabs(8))} columns; {COLUMNS} at most\n"
                   for path in tree.of(".c", ".h")
                   for number, line in enumerate(tree.read(path).splitlines(), 1)
                   if len(line.expandtabs(8)) > COLUMNS)


def check_sizes(tree, _options):
    return "".join(f"{path}:{line}: {what}\n"
                   for path in sorted({*tree.of(".c", ".h", ".py"), *tree.with_shebang(rb"#!")})
                   for line, what in sizes.faults(path, tree.read(path)))


def check_shell(tree, _options):
    return tree.run([tool("shellcheck"), "-f", "gcc"], tree.with_shebang(rb"#!.*\b(ba|da)?sh\b"))


def check_spelling(tree, _options):
    program, lists = tool("codespell"), ROOT / "tests" / "lint"
    paths = [p for p in tree.paths if not p.startswith((*NOT_TEXT, "tests/lint/misspelt"))]
    tests = [p for p in paths if p.startswith("tests/")]
    rest = [p for p in paths if not p.startswith("tests/")]
    words = ["--ignore-words", lists / "words"]
    return (tree.run([program, *words], rest) +
            tree.run([program, *words, "--ignore-words", lists / "misspelt"], tests))


def check_python(tree, _options):
    if subprocess.run(["/usr/bin/python3", "-c", "import flake8"], stderr=subprocess.DEVNULL).returncode:
        raise Missing("flake8 is not installed; scripts/setup does it")
    return tree.run(["/usr/bin/python3", "-m", "flake8", "--config", ROOT / ".flake8"],
                    sorted({*tree.of(".py"), *tree.with_shebang(rb"#!.*\bpython3?\b")}))


def check_tidy(tree, options):
    program = clang_tool("clang-tidy")
    database = pathlib.Path(options.build) / "compile_commands.json"
    if not database.exists():
        return f"{database} is missing: cmake --preset dev\n"
    compiled = {os.path.relpath(entry["file"], ROOT) for entry in json.loads(database.read_text())}
    paths = [p for p in tree.of(".c") if p in compiled]
    command = [program, "-p", options.build, "--quiet", "--extra-arg=-Wno-unknown-warning-option"]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = pool.map(lambda path: tree.run(command, [path]), paths)
        return "".join(re.sub(r"(?m)^\d+ warnings?.* generated\.\n", "", text) for text in found)


CHECKS = {"format": check_format, "columns": check_columns, "sizes": check_sizes, "shell": check_shell,
          "spelling": check_spelling, "python": check_python, "tidy": check_tidy}


def fix(tree):
    program = clang_tool("clang-format")
    return tree.run([program, "-i"], tree.of(".c", ".h"))


def look(tree, names, options):
    status, skipped = 0, 0
    for name in names:
        try:
            found = CHECKS[name](tree, options)
        except Missing as missing:
            print(f"lint: {name} is skipped: {missing}")
            skipped += 1
            continue
        if found:
            print(f"lint: {name}:\n{found}", end="")
            status = 1
    return 77 if skipped and skipped == len(names) else status


def staged(options):
    """A copy of what is staged: the files in the tree may hold more than the commit will."""
    paths = git("diff", "--cached", "--name-only", "--diff-filter=ACMR", "-z")
    with tempfile.TemporaryDirectory() as directory:
        for path in [".clang-format", *paths]:
            subprocess.run(["git", "checkout-index", f"--prefix={directory}/", "--", path],
                           cwd=ROOT, check=path != ".clang-format")
        return look(Tree(directory, paths), options.checks, options)


def main():
    parser = argparse.ArgumentParser(usage="\n" + __doc__, add_help=False)
    parser.add_argument("-h", "--help", action="store_true")
    parser.add_argument("--staged", action="store_true")
    parser.add_argument("--fix", action="store_true")
    parser.add_argument("--build", default=str(ROOT / "build" / "dev"))
    parser.add_argument("checks", nargs="*")
    options = parser.parse_args()
    if options.help:
        print(__doc__, end="")
        return 0
    everything = git("ls-files", "--cached", "--others", "--exclude-standard", "-z")
    if options.fix:
        print(fix(Tree(ROOT, options.checks or everything)), end="")
        return 0
    for name in options.checks:
        if name not in CHECKS:
            print(f"scripts/lint: there is no check '{name}'\n{__doc__}", end="", file=sys.stderr)
            return 64
    options.checks = options.checks or [name for name in CHECKS if name != "tidy"]
    if options.staged:
        return staged(options)
    return look(Tree(ROOT, everything), options.checks, options)


if __name__ == "__main__":
    sys.exit(main())
