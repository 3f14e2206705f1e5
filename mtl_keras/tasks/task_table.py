"""Tables of tasks, as text and as HTML."""

from __future__ import annotations

import html
import shutil
import textwrap
from collections.abc import Sequence
from typing import Any, NamedTuple

from mtl_keras.losses.describe_loss import describe_loss
from mtl_keras.tasks.task import Task

HEADER = ("task", "output", "loss", "weight", "metrics", "missing")
MAX_ROWS = 60
_GAP = "  "
# These columns wrap if the table is wider than the terminal.
_WRAPPED = (HEADER.index("loss"), HEADER.index("metrics"))
_WEIGHT = HEADER.index("weight")


class TaskRow(NamedTuple):
    """A row of the table.

    Args:
        name: Name of the task.
        output: Shape of the output without the batch axis.
        loss: The loss with those arguments that are not the defaults.
        weight: The current loss weight.
        metrics: Names of the metrics.
        missing: Values of a missing label, or `"error"` with
            `complete_labels=True`.
    """

    name: str
    output: str
    loss: str
    weight: str
    metrics: str
    missing: str


def make_row(
    task: Task,
    output_shape: tuple,
    *,
    loss: Any,
    weight: float,
    metrics: Sequence[str],
) -> TaskRow:
    """Creates the row of a task.

    Args:
        task: The task.
        output_shape: Shape of its output without the batch axis.
        loss: Its current loss, or `None`.
        weight: Its current loss weight.
        metrics: Names of its current metrics.
    """
    return TaskRow(
        task.name if task.title is None else f"{task.name} ({task.title})",
        str(tuple(output_shape)),
        describe_loss(loss),
        f"{weight:g}",
        ", ".join(
            f"{name} ({task.direction})"
            if name == task.primary_metric
            else name
            for name in metrics
        )
        or "none",
        _missing(task),
    )


def text_table(rows: Sequence[TaskRow], width: int | None = None) -> str:
    """Formats rows as text.

    Args:
        rows: The rows.
        width: Number of characters per line. Defaults to the width of the
            terminal.

    Returns:
        The table. Losses and metrics wrap if it is wider than `width`, and
        rows after the first 60 are left out.
    """
    width = width or shutil.get_terminal_size().columns
    cells = [HEADER, *rows[:MAX_ROWS]]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    _shrink(widths, width, cells)
    lines = [line for row in cells for line in _lines(row, widths)]
    return "\n".join([*lines, *_more(rows)])


def html_table(rows: Sequence[TaskRow]) -> str:
    """Formats rows as HTML.

    Args:
        rows: The rows.

    Returns:
        A table that scrolls sideways on narrow pages and inherits colors and
        fonts. Rows after the first 60 are left out.
    """
    head = "".join(
        f'<th scope="col" style="{_style(column)}">{name}</th>'
        for column, name in enumerate(HEADER)
    )
    body = "".join(
        "<tr>"
        + "".join(
            f'<td style="{_style(column)}">{html.escape(cell)}</td>'
            for column, cell in enumerate(row)
        )
        + "</tr>"
        for row in rows[:MAX_ROWS]
    )
    more = "".join(f"<p>{line}</p>" for line in _more(rows))
    return (
        '<div style="overflow-x:auto"><table style="border-collapse:collapse">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        f"{more}</div>"
    )


def _missing(task: Task) -> str:
    if task.complete_labels:
        return "error"
    is_nan = task.missing_label != task.missing_label
    return "NaN" if is_nan else f"{task.missing_label:g}, NaN"


def _style(column: int) -> str:
    """Returns the CSS of the cells of a column, for light and dark pages."""
    align = "right" if column == _WEIGHT else "left"
    wrap = "normal" if column in _WRAPPED else "nowrap"
    return (
        f"text-align:{align};vertical-align:top;white-space:{wrap};"
        "padding:3px 12px 3px 0;border-bottom:1px solid rgba(128,128,128,0.35)"
    )


def _shrink(
    widths: list[int], width: int, cells: Sequence[Sequence[str]]
) -> None:
    """Narrows the columns that wrap until the table fits, or no word does."""
    longest = {
        column: max(len(word) for row in cells for word in row[column].split())
        for column in _WRAPPED
    }
    while sum(widths) + len(_GAP) * (len(widths) - 1) > width:
        spare = {
            column: widths[column] - longest[column] for column in _WRAPPED
        }
        widest = max(spare, key=spare.get)
        if spare[widest] <= 0:
            return
        widths[widest] -= 1


def _lines(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    """Returns the lines of one row."""
    wrapped = [
        textwrap.wrap(
            cell, size, break_long_words=False, break_on_hyphens=False
        )
        for cell, size in zip(row, widths, strict=True)
    ]
    lines = []
    for number in range(max(map(len, wrapped))):
        cells = [
            (lines_of[number] if number < len(lines_of) else "")
            for lines_of in wrapped
        ]
        lines.append(
            _GAP.join(
                cell.rjust(size) if i == _WEIGHT else cell.ljust(size)
                for i, (cell, size) in enumerate(
                    zip(cells, widths, strict=True)
                )
            ).rstrip()
        )
    return lines


def _more(rows: Sequence[TaskRow]) -> list[str]:
    count = len(rows) - MAX_ROWS
    return [f"... and {count} more tasks"] if count > 0 else []
