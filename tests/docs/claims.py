# SPDX-License-Identifier: Apache-2.0
"""README.md and docs/*.md as checkable parts: lines, tables, code spans and links, each with its
place; and a count of the checks."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
SOURCES = [path for room in ("bus", "drivers", "gateway") for path in sorted((ROOT / room).rglob("*.[ch]"))]
CELL = re.compile(r"(?<!\\)\|")


class Claims:
    """The claims that were checked, once for each text and place, and those that are false."""

    def __init__(self):
        self.checked = {}
        self.faults = []

    def check(self, place, claim, holds, why=""):
        self.checked.setdefault(place.rsplit(":", 1)[0], []).append(claim)
        if not holds:
            self.faults.append(f"{place}: {claim}{': ' + why if why else ''}")

    @property
    def count(self):
        return sum(len(set(claims)) for claims in self.checked.values())


class Row:
    def __init__(self, place, heading, head, cells):
        self.place = place
        self.heading = heading
        self.head = head
        self.cells = cells


class Document:
    def __init__(self, path):
        self.path = path
        self.name = str(path.relative_to(ROOT))
        self.text = path.read_text("utf-8")
        self.prose, self.blocks = [], []  # (number, line) outside of and in fenced blocks
        self.headings = []
        fenced = False
        for number, line in enumerate(self.text.splitlines(), 1):
            if line.lstrip().startswith("```"):
                fenced = not fenced
            elif fenced:
                self.blocks.append((number, line))
            else:
                self.prose.append((number, line))
                if line.startswith("#"):
                    self.headings.append(line.lstrip("#").strip())

    def place(self, number):
        return f"{self.name}:{number}"

    def spans(self):
        """(place, text) of each `code span`, also of one that goes on in the next line."""
        text = "\n".join(line for _, line in self.prose)
        numbers = [number for number, _ in self.prose]
        for match in re.finditer(r"(?<!`)`([^`]+)`(?!`)", text):
            yield self.place(numbers[text.count("\n", 0, match.start())]), " ".join(match[1].split())

    def links(self):
        for number, line in self.prose:
            for text, target in re.findall(r"\[([^\]]*)\]\(([^)\s]+)\)", line):
                yield self.place(number), text, target

    def rows(self, heading=None):
        """Rows of tables, below one heading or all."""
        current, head = "", None
        for number, line in self.prose:
            if line.startswith("#"):
                current = line.lstrip("#").strip()
            if not line.startswith("|"):
                head = None
                continue
            cells = [cell.strip().replace("\\|", "|") for cell in CELL.split(line)[1:-1]]
            if head is None:
                head = cells
            elif set("".join(cells)) <= set("-: ") and any("-" in c for c in cells):
                continue
            elif heading in (None, current):
                yield Row(self.place(number), current, head, cells)

    def anchors(self):
        """As GitHub makes them of headings."""
        found = set()
        for heading in self.headings:
            slug = re.sub(r"[^\w\- ]", "", heading.replace("\\", "").lower()).replace(" ", "-")
            found.add(slug)
        return found

    def find(self, text):
        """The place of a text, which a line break may split; None if it is absent."""
        prose = "\n".join(line for _, line in self.prose)
        match = re.search(r"\s+".join(map(re.escape, text.split())), prose)
        return self.place(self.prose[prose.count("\n", 0, match.start())][0]) if match else None


def code_names(text):
    return re.findall(r"`([^`]+)`", text)


def read_documents():
    return {document.name: document for document in map(Document, DOCUMENTS)}


# ---- the sources ----

COMMENT = re.compile(r"/\*.*?\*/", re.S)
LITERALS = re.compile(r'"(?:[^"\\\n]|\\.)*"(?:\s*(?:PRI\w+|"(?:[^"\\\n]|\\.)*"))*')
DEFINE = re.compile(r"^#define ([A-Z][A-Z0-9_]*)[ \t]+((?:[^\n\\]|\\\n|\\.)+)$", re.M)


def source_texts():
    """Every string of the sources; of neighbouring literals the whole."""
    found = []
    for path in SOURCES:
        for match in LITERALS.finditer(COMMENT.sub("", path.read_text("utf-8"))):
            parts = re.findall(r'"((?:[^"\\\n]|\\.)*)"|(PRI\w+)', match[0])
            found.append("".join(text if not word else "d" for text, word in parts).replace('\\"', '"'))
    return found


def constants():
    """(file's stem, name) -> value, of each #define that is a number."""
    texts = {}
    for path in SOURCES:
        for name, value in DEFINE.findall(COMMENT.sub("", path.read_text("utf-8"))):
            texts[path.stem, name] = value
    by_name = {name: value for (_, name), value in texts.items()}
    return {key: number for key, value in texts.items()
            if (number := _evaluate(value, by_name)) is not None}


def _evaluate(text, by_name, depth=0):
    text = re.sub(r"\((?:size_t|u?int\d*_t|int|long|unsigned)\)", "", text)
    text = re.sub(r"\b(\d+)[uUlL]+\b", r"\1", text)
    for name in set(re.findall(r"\b[A-Z][A-Z0-9_]+\b", text)):
        value = _evaluate(by_name[name], by_name, depth + 1) if name in by_name and depth < 5 else None
        if value is None:
            return None
        text = re.sub(rf"\b{name}\b", str(value), text)
    if not re.fullmatch(r"[\d\s+*/()-]+", text):
        return None
    try:
        return eval(text.replace("/", "//"), {"__builtins__": {}})  # digits and operators only
    except SyntaxError:
        return None
