"""Links between Markdown files, and the navigation of the site."""

import itertools
import re

import pytest
from markdown_files import FENCE, ROOT, anchors, broken_links, markdown_files

MKDOCS = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
NAVIGATION = re.findall(r"^ +- [^:\n]+: (\S+\.md)$", MKDOCS, re.MULTILINE)


def test_links_lead_somewhere():
    broken = {
        str(path.relative_to(ROOT)): broken_links(path)
        for path in markdown_files()
    }
    assert not {path: links for path, links in broken.items() if links}


@pytest.mark.parametrize(
    "link", ["nowhere.md", "README.md#nowhere", "#nowhere", "mtl_keras/x.py"]
)
def test_broken_links_are_found(link):
    assert broken_links(ROOT / "README.md", f"See [this]({link}).") == [link]


@pytest.mark.parametrize(
    "text",
    [
        "[a](docs/sharing.md#many-tasks)",
        "[a](models)",
        "[a](https://keras.io)",
        "`[a](nowhere.md)`",
        "```python\nx = [a](nowhere)\n```",
        "# A heading: with `code`\n\n[a](#a-heading-with-code)",
    ],
)
def test_other_links_are_not(text):
    if text.startswith("# "):
        assert anchors(text) == {"a-heading-with-code"}
    else:
        assert broken_links(ROOT / "README.md", text) == []


def indented_blocks(text):
    """Lists lines of list items that the site would show as paragraphs."""
    lines = ["", *FENCE.sub("", text).splitlines()]
    return [
        line
        for before, line in itertools.pairwise(lines)
        if not before.strip() and re.match(r" {2,3}\S", line)
    ]


def test_blocks_in_lists_are_indented_by_four():
    """GitHub takes two spaces, the site needs four."""
    for path in (ROOT / "docs").glob("*.md"):
        assert indented_blocks(path.read_text(encoding="utf-8")) == [], path
    assert indented_blocks("- a\n\n  b\n\n    c") == ["  b"]


def test_navigation_has_every_guide():
    guides = {path.name for path in (ROOT / "docs").glob("*.md")}
    reference = {
        f"reference/{path.name}"
        for path in (ROOT / "docs" / "reference").glob("*.md")
    }
    assert guides | reference <= set(NAVIGATION)
    assert len(NAVIGATION) == len(set(NAVIGATION))


def test_navigation_has_no_page_that_does_not_exist():
    readmes = {"index.md": "README.md", "index.zh.md": "README.zh.md"}
    for page in NAVIGATION:
        path = readmes.get(page, page)
        assert (ROOT / "docs" / path).exists() or (ROOT / path).exists(), page


def test_every_public_room_has_a_reference_page():
    import inspect

    import mtl_keras

    rooms = {
        name
        for name in mtl_keras.__all__
        if inspect.ismodule(getattr(mtl_keras, name))
    }
    pages = (ROOT / "docs" / "reference").glob("*.md")
    shown = {
        room
        for page in pages
        for room in re.findall(
            r"^::: mtl_keras\.(\w+)$", page.read_text(), re.MULTILINE
        )
    }
    assert rooms <= shown
