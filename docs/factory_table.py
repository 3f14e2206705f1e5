"""Writes the table of factories into the README."""

import re
from pathlib import Path

from mtl_keras import models

README = Path(__file__).parents[1] / "README.md"
MARKED = re.compile(r"(<!-- factories -->\n).*?(<!-- /factories -->)", re.S)


def with_table(text):
    """Returns a text with the current table between its two marks."""
    assert MARKED.search(text), "the marks around the table are missing"
    lines = ["| Inputs | Factory | Network |", "| --- | --- | --- |"]
    for row in sorted(models.table(), key=lambda row: (row.inputs, row.name)):
        network = row.summary.removeprefix("Builds ").removesuffix(".")
        lines.append(f"| {row.inputs} | `{row.name}` | {network} |")
    table = "".join(f"{line}\n" for line in lines)
    return MARKED.sub(lambda found: found[1] + table + found[2], text)


if __name__ == "__main__":
    README.write_text(with_table(README.read_text()))
