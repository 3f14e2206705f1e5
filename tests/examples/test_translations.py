"""The Chinese pages have the code, numbers and sections of the English ones."""

import re

import pytest
from markdown_files import FENCE, HEADING, ROOT, code_blocks

PAIRS = [
    ("README.md", "README.zh.md"),
    ("docs/from-the-texts.md", "docs/from-the-texts.zh.md"),
]
PAIR = pytest.mark.parametrize("english, chinese", PAIRS)


def read(*paths):
    return [(ROOT / path).read_text(encoding="utf-8") for path in paths]


@PAIR
def test_code_is_the_same(english, chinese):
    texts = read(english, chinese)
    ours, theirs = (code_blocks(text) for text in texts)
    assert ours == theirs
    assert ours


@PAIR
def test_sections_correspond(english, chinese):
    levels = [
        [heading.split()[0] for heading in re.findall("^#+ .*$", text, re.M)]
        for text in (FENCE.sub("", text) for text in read(english, chinese))
    ]
    assert levels[0] == levels[1]
    assert HEADING.findall(FENCE.sub("", read(chinese)[0]))


@PAIR
def test_numbers_are_the_same(english, chinese):
    numbers = [
        sorted(re.findall(r"\d+\.\d+", FENCE.sub("", text)))
        for text in read(english, chinese)
    ]
    assert numbers[0] == numbers[1]
