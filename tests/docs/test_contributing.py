# SPDX-License-Identifier: Apache-2.0
"""Run the commands of CONTRIBUTING.md's first change in a copy of the tree."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import test_documents
from test_documents import ROOT, limit_s


def files():
    """What the tree holds, committed or not."""
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
                            cwd=ROOT, capture_output=True, check=True, text=True)
    return [name for name in listed.stdout.split("\0") if os.path.lexists(ROOT / name)]


class FirstChange(unittest.TestCase):
    maxDiff = None

    def test_each_command(self):
        with tempfile.TemporaryDirectory(prefix="cuebus-first-") as directory:
            tree = pathlib.Path(directory) / "cuebus"
            for name in filter(None, files()):
                (tree / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, tree / name, follow_symlinks=False)
            env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
            # Nobody's settings of git, and the compiler's results of the build this is part of.
            env.update(LC_ALL="C.UTF-8", GIT_CONFIG_GLOBAL="/dev/null", GIT_AUTHOR_NAME="a",
                       GIT_AUTHOR_EMAIL="a@b", GIT_COMMITTER_NAME="a", GIT_COMMITTER_EMAIL="a@b")
            if shutil.which("ccache"):
                env.update(CMAKE_C_COMPILER_LAUNCHER="ccache", CCACHE_BASEDIR=str(tree),
                           CCACHE_NOHASHDIR="1")
            for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "begin"]):
                subprocess.run(["git", *command], cwd=tree, env=env, check=True)
            blocks = [b for b in test_documents.BLOCKS
                      if b.language == "console" and b.place.startswith("CONTRIBUTING.md:")]
            self.assertTrue(blocks)
            for block in blocks:
                test_documents.run_console(self, block, tree, env, limit_s(240))
            last = subprocess.run(["git", "show", "--stat", "--format=%s"], cwd=tree, env=env,
                                  capture_output=True, text=True, check=True).stdout
            self.assertTrue(re.search(r"doorbell_twice\.trace +\|", last), last)


if __name__ == "__main__":
    unittest.main()
