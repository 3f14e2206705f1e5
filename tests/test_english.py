"""Plain English in the package and the documentation.

The files are read and not imported.
"""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted(ROOT.glob("mtl_keras/**/*.py"))
PROGRAMS = sorted(
    path
    for folder in ("mtl_keras", "tests", "benchmarks", "docs")
    for path in ROOT.glob(f"{folder}/**/*.py")
)
TEXTS = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "models/*/*.md", "tuning/*/*.md")
    for path in ROOT.glob(pattern)
)

# A first line begins with a verb, as "Returns whether" or "Lists how".
OPENING = re.compile(r"(What|How|Whether|Says|Tells)\b")
# "There is no file" and "is no longer" are plain; "It is no file" is not.
WORDING = re.compile(
    r"(?<!\bthere )\b(?:is|are) no\b(?! longer| more)|\banew\b|\bspoilt\b",
    re.IGNORECASE,
)


def find_openings(source):
    """Returns the functions whose docstring begins without a verb."""
    return [
        f"{node.name}: {text.splitlines()[0]}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and (text := ast.get_docstring(node))
        and OPENING.match(text)
    ]


def find_wording(text):
    """Returns the surroundings of each stilted wording in a text."""
    text = " ".join(text.split())
    return [
        text[max(0, found.start() - 30) : found.end() + 30]
        for found in WORDING.finditer(text)
    ]


def test_a_docstring_begins_with_a_verb():
    found = {
        str(path.relative_to(ROOT)): openings
        for path in PROGRAMS
        if (openings := find_openings(path.read_text("utf-8")))
    }
    assert not found


def test_code_and_documentation_are_plain_english():
    found = {
        str(path.relative_to(ROOT)): wording
        for path in SOURCES + TEXTS
        if (wording := find_wording(path.read_text("utf-8")))
    }
    assert not found


@pytest.mark.parametrize("word", ["What", "How", "Whether", "Says", "Tells"])
def test_an_opening_is_found(word):
    source = f'class A:\n    def f(self):\n        """{word} it is."""\n'
    assert find_openings(source) == [f"f: {word} it is."]
    assert not find_openings(source.replace(word, f"Returns {word.lower()}"))


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("A name is no\ntext, and the weights are no file.", 2),
        ("The order is drawn anew. The weights are spoilt.", 2),
        (
            "There is no file, and if there are no rows, it is no longer read.",
            0,
        ),
        ("It is not a file; it is a renewal.", 0),
    ],
)
def test_a_wording_is_found(text, count):
    assert len(find_wording(text)) == count
