"""Reads the repository's Markdown files: their code, links and anchors."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
FENCE = re.compile(r"^ *```.*?^ *```$", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"`[^`\n]+`")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)
SKIPPED = {".venv", "site", "runs", "searches", "build", "dist"}


def markdown_files():
    """Lists the Markdown files of the repository."""
    return sorted(
        path
        for path in ROOT.rglob("*.md")
        if not SKIPPED & set(path.relative_to(ROOT).parts)
        and not any(
            part.startswith(".") for part in path.relative_to(ROOT).parts
        )
    )


def code_blocks(text, language=None):
    """Returns the fenced blocks of a text, or the code of one language."""
    if language is None:
        return FENCE.findall(text)
    block = re.compile(rf"^```{language}\n(.*?)^```", re.DOTALL | re.MULTILINE)
    return block.findall(text)


def links(text):
    """Returns the targets of the links outside code."""
    return LINK.findall(CODE.sub("", FENCE.sub("", text)))


def slug(heading):
    """Returns the anchor that GitHub and the site make of a heading."""
    heading = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def anchors(text):
    """Returns the anchors of the headings of a text."""
    return {slug(heading) for heading in HEADING.findall(FENCE.sub("", text))}


def broken_links(path, text=None):
    """Lists the relative links of a file that lead nowhere."""
    text = path.read_text(encoding="utf-8") if text is None else text
    broken = []
    for link in links(text):
        if re.match(r"[a-z]+:", link):
            continue
        target, _, anchor = link.partition("#")
        target = path.parent / target if target else path
        if not target.exists():
            broken.append(link)
        elif anchor:
            page = target / "README.md" if target.is_dir() else target
            if anchor not in anchors(page.read_text(encoding="utf-8")):
                broken.append(link)
    return broken
