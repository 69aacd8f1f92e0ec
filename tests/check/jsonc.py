# SPDX-License-Identifier: Apache-2.0
"""JSON with comments and trailing commas, and ```jsonc blocks of Markdown."""

import json
import re

TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|//[^\n]*|/\*.*?\*/', re.S)


def loads(text):
    """The value of a text that is known to be well formed."""
    text = TOKEN.sub(lambda m: m[0] if m[0][0] == '"' else " ", text.lstrip("\ufeff"))
    # A comma before a closing bracket goes, one in a string stays.
    text = re.sub(r'("(?:\\.|[^"\\])*")|,(?=\s*[}\]])', lambda m: m[1] or "", text)
    return json.loads(text)


def blocks(markdown):
    """(line number of the first line, text) of every ```jsonc block."""
    for match in re.finditer(r"^```jsonc\n(.*?)^```$", markdown, re.S | re.M):
        yield markdown.count("\n", 0, match.start(1)) + 1, match[1]
