"""Faults: lines of the library that are changed to see whether tests fail."""

from __future__ import annotations

import ast
import contextlib
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

TABLE = Path(__file__).parent / "faults.toml"


class LineNotFoundError(ValueError):
    """Raised if a fault's line is missing, or occurs more than once."""


class Fault(NamedTuple):
    """A line, its replacement, and the error that this causes.

    Args:
        name: Name of the fault, which begins with its room.
        file: Path of the file, from the root of the repository.
        line: Text of the line, without indentation.
        fault: Text that takes its place.
        wrong: The error that a user would meet.
    """

    name: str
    file: str
    line: str
    fault: str
    wrong: str


def read_faults(table: Path = TABLE) -> list[Fault]:
    """Reads the table of faults.

    Args:
        table: Path of the TOML file. Defaults to the one beside this file.

    Returns:
        The faults, in the order of the file.
    """
    found = tomllib.loads(table.read_text())
    return [
        Fault(name, **{key: text.strip() for key, text in entry.items()})
        for name, entry in found.items()
    ]


def find_line(fault: Fault, root: Path) -> int:
    """Finds the number of a fault's line.

    Args:
        fault: The fault.
        root: Root of the repository.

    Returns:
        The number, counted from 1.

    Raises:
        LineNotFoundError: If the line does not occur exactly once.
    """
    path = root / fault.file
    lines = path.read_text().splitlines() if path.is_file() else []
    numbers = [
        number
        for number, line in enumerate(lines, start=1)
        if line.strip() == fault.line
    ]
    if len(numbers) == 1:
        return numbers[0]
    raise LineNotFoundError(
        f"{fault.name}: {fault.file} has {len(numbers)} lines "
        f"{fault.line!r}; expected 1. Rewrite the fault in {TABLE.name} so "
        f"that it breaks this again: {fault.wrong}"
    )


def find_statement(fault: Fault, root: Path) -> tuple[range, bool]:
    """Finds the statement that a fault's line is part of.

    Args:
        fault: The fault.
        root: Root of the repository.

    Returns:
        The numbers of its lines (of a compound statement, those of its head),
        and whether it is a definition, which an import executes.
    """
    number = find_line(fault, root)
    tree = ast.parse((root / fault.file).read_text())
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.stmt):
            continue
        body = getattr(node, "body", None)
        end = body[0].lineno - 1 if body else node.end_lineno
        lines = range(node.lineno, max(end, node.lineno) + 1)
        if number in lines:
            defines = isinstance(
                node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
            )
            found.append((lines, defines))
    return min(found, key=lambda each: len(each[0]))


@contextlib.contextmanager
def applied(fault: Fault, root: Path) -> Iterator[None]:
    """Puts a fault into a copy of the repository, and removes it again.

    Args:
        fault: The fault.
        root: Root of the copy.

    Raises:
        LineNotFoundError: See `find_line`.
    """
    number = find_line(fault, root)
    path = root / fault.file
    before = path.read_text()
    lines = before.splitlines(keepends=True)
    lines[number - 1] = lines[number - 1].replace(fault.line, fault.fault)
    _write(path, "".join(lines))
    try:
        yield
    finally:
        _write(path, before)


def _write(path: Path, text: str) -> None:
    path.write_text(text)
    # Python tells compiled files by second and size, which may be the same.
    for compiled in path.parent.glob(f"__pycache__/{path.stem}.*.pyc"):
        compiled.unlink()
