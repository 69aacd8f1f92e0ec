# SPDX-License-Identifier: Apache-2.0
"""How long files and functions are, and how many parameters functions have.

    tests/lint/sizes.py          the functions of each folder: number, median, p90, longest
    tests/lint/sizes.py COMMIT   the same at that commit

A function is measured from the first line of its signature to its closing brace. It is
found by the form that clang-format gives it: both braces are alone in the first column.
"""

import collections
import statistics
import subprocess
import sys

FILE_LINES = 500
FUNCTION_LINES = 60
# Of a function in PROGRAM; a format's arguments (...) do not count.
PARAMETERS = 5
PROGRAM = ("bus/", "drivers/", "gateway/")
# What may be longer or have more, and why: {"path": "reason"}, {"path:function": "reason"}.
LONG_FILES = {}
LONG_FUNCTIONS = {}

MANY_PARAMETERS = {
    "gateway/commands/command_error.c:command_fail_errno": "the texts of one sentence",
    "gateway/config/lint/lint_events.c:check_filters": "a list with its length and its place in the file",
    "gateway/config/lint/lint_events.c:check_types": "a list with its length and its place in the file",
    "gateway/mqtt/tls_peer.c:on_free_context": "OpenSSL's type of callback",
    "gateway/mqtt/tls_peer.c:on_hello": "OpenSSL's type of callback",
    "gateway/mqtt/tls_peer.c:on_new_context": "OpenSSL's type of callback",
}

Function = collections.namedtuple("Function", "name line length parameters")


def parameters(signature):
    """The number of parameters; a pointer to a function is one."""
    depth, count, last = 0, 1, ""
    for char in signature[signature.index("("):]:
        depth += (char in "([") - (char in ")]")
        if char == "," and depth == 1:
            count, last = count + 1, ""
        else:
            last += char
    last = last.strip("() \t\n")
    return count - (last in ("...", "void", ""))


def functions(text):
    """Of a C file in clang-format's form."""
    found, begin, body = [], None, None
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if line == "{":
            begin, body = number - 1, number
            while begin > 0 and lines[begin][:1] in (" ", "\t"):
                begin -= 1
        elif line == "}" and begin is not None:
            name = lines[begin].split("(")[0].split()[-1].lstrip("*")
            if name == "Test":
                name = lines[begin].split("(")[1].split(")")[0].replace(", ", ".")
            signature = "\n".join(lines[begin:body])
            found.append(Function(name, begin + 1, number - begin + 1, parameters(signature)))
            begin = None
    return found


def faults(path, text):
    """What of one file is too long, or has too many parameters: [(line, what)]."""
    found = []
    length = text.count("\n")
    if length > FILE_LINES and path not in LONG_FILES:
        found.append((1, f"the file has {length} lines; {FILE_LINES} at most: split it, "
                         "one concept for each file"))
    if path.endswith((".c", ".h")):
        for function in functions(text):
            if function.length > FUNCTION_LINES and f"{path}:{function.name}" not in LONG_FUNCTIONS:
                found.append((function.line, f"{function.name}() has {function.length} lines; "
                                             f"{FUNCTION_LINES} at most"))
            if (path.startswith(PROGRAM) and function.parameters > PARAMETERS
                    and f"{path}:{function.name}" not in MANY_PARAMETERS):
                found.append((function.line, f"{function.name}() has {function.parameters} parameters; "
                                             f"{PARAMETERS} at most: make a struct of what belongs together"))
    return found


def read_tree(commit):
    """{path: text} of the C files at the commit, or of those in the working tree."""
    def git(*arguments):
        return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True).stdout
    if commit:
        paths = git("ls-tree", "-r", "--name-only", commit).splitlines()
    else:
        paths = git("ls-files").splitlines()
    texts = {}
    for path in paths:
        if path.endswith((".c", ".h")):
            if commit:
                texts[path] = git("show", f"{commit}:{path}")
            else:
                with open(path, encoding="utf-8") as file:
                    texts[path] = file.read()
    return texts


def report(texts):
    rows = collections.defaultdict(list)
    for path, text in texts.items():
        rows[path.split("/")[0]] += [(f.length, f"{path}:{f.name}") for f in functions(text)]
    print(f"{'folder':<10} {'functions':>9} {'median':>6} {'p90':>4} {'max':>4}  longest")
    for folder, lengths in sorted(rows.items()):
        lengths.sort()
        numbers = [n for n, _ in lengths]
        if numbers:
            print(f"{folder:<10} {len(numbers):>9} {statistics.median(numbers):>6g} "
                  f"{numbers[len(numbers) * 9 // 10]:>4} {numbers[-1]:>4}  {lengths[-1][1]}")
    long = sorted((t.count("\n"), p) for p, t in texts.items() if t.count("\n") > FILE_LINES)
    print(f"\nfiles over {FILE_LINES} lines: {len(long)}")
    for length, path in reversed(long):
        print(f"  {length:>5} {path}")


if __name__ == "__main__":
    report(read_tree(sys.argv[1] if len(sys.argv) > 1 else None))
