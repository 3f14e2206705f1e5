"""The table of factories, for the command line and the README.

`python -m mtl_keras.models.table README.md` writes it into the README.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

_MARKED = re.compile(r"(<!-- factories -->\n).*?(<!-- /factories -->)", re.S)


class FactoryRow(NamedTuple):
    """A factory in the table.

    Args:
        name: Name of the factory.
        inputs: What one sample is: `"vectors"`, `"images"`, `"sequences"` or
            `"text"`.
        summary: First line of its docstring.
    """

    name: str
    inputs: str
    summary: str


def factory_rows(factories: Iterable[Callable]) -> list[FactoryRow]:
    """Returns the rows of the table.

    Args:
        factories: Functions that `factory` decorates.
    """
    return [
        FactoryRow(
            build.__name__, build.inputs, build.__doc__.partition("\n")[0]
        )
        for build in factories
    ]


def write_table(text: str, rows: Iterable[FactoryRow]) -> str:
    """Replaces the table of factories in a Markdown text.

    Args:
        text: Text with the lines `<!-- factories -->` and
            `<!-- /factories -->` around the table.
        rows: Rows of the table.

    Returns:
        The text with the new table.

    Raises:
        ValueError: If the lines around the table are missing.
    """
    if not _MARKED.search(text):
        raise ValueError(
            "The text has no table of factories; expected the lines "
            "'<!-- factories -->' and '<!-- /factories -->' around it."
        )
    lines = ["| Factory | Inputs | Description |", "| --- | --- | --- |"]
    lines += [
        f"| `{row.name}` | {row.inputs} | {row.summary} |" for row in rows
    ]
    table = "".join(f"{line}\n" for line in lines)
    return _MARKED.sub(lambda found: found[1] + table + found[2], text)


if __name__ == "__main__":
    from mtl_keras import models

    readme = Path(sys.argv[1])
    readme.write_text(write_table(readme.read_text(), models.table()))
