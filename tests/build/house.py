# SPDX-License-Identifier: Apache-2.0
"""The sources of bus/, drivers/ and gateway/, and the flags that each is compiled with.

Environment: SOURCE and BUILD (their folders).
"""

import json
import os
import pathlib
import shlex
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from time_limits import limit_s  # noqa: E402

SOURCE = pathlib.Path(os.environ["SOURCE"])
BUILD = pathlib.Path(os.environ["BUILD"])
HOUSE = ("bus", "drivers", "gateway")


def read_commands():
    """{source: (flags, object)} of these sources."""
    found = {}
    for entry in json.loads((BUILD / "compile_commands.json").read_text()):
        path = pathlib.Path(entry["file"])
        if not path.is_relative_to(SOURCE) or path.relative_to(SOURCE).parts[0] not in HOUSE:
            continue
        flags = shlex.split(entry["command"])
        if pathlib.Path(flags[0]).name == "ccache":
            del flags[0]
        at = flags.index("-o")
        output = pathlib.Path(entry["directory"]) / flags[at + 1]
        del flags[at:at + 2]
        flags = [f for f in flags if f not in ("-c", entry["file"])]
        found[str(path.relative_to(SOURCE))] = (flags, output)
    return found


def compiles(flags, text, *more):
    """@return (whether it compiled, the compiler's messages)."""
    run = subprocess.run([*flags, *(more or ["-fsyntax-only"]), "-x", "c", "-"], input=text, cwd=BUILD,
                         text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                         timeout=limit_s(60), env={**os.environ, "LC_ALL": "C"})
    return run.returncode == 0, run.stdout
