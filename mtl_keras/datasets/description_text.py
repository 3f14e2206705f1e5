"""Formats a description of labels as text."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mtl_keras.datasets.description import Description, TaskDescription

WIDTH = 120
MAX_CLASSES_SHOWN = 6
MAX_CLASSES_LISTED = 200
# Up to so many classes of so many tasks are listed below the table.
MAX_CLASSES_BELOW, MAX_TASKS_BELOW = 24, 4
# Of more tasks, those with the fewest and the most labels are shown.
MAX_TASKS_SHOWN = 20
EXTREMES_SHOWN = 8
# Keeps words together at line breaks.
_TIE = "\u00a0"
_LONGEST_NAME, _SHORTEST_NAME = 30, 10


def whole_text(description: Description) -> str:
    """Formats a description.

    Args:
        description: The `Description`.

    Returns:
        Lines of at most 120 characters, unless there are many parts.
    """
    tasks = list(description.tasks.values())
    blocks = [_head(description)]
    if len(tasks) > MAX_TASKS_SHOWN:
        blocks += _many_tasks(description, tasks)
    else:
        blocks.append(_labels_table(description, tasks))
        blocks += _class_lists(tasks)
    if len(tasks) > 1 and any(task.missing for task in tasks):
        blocks.append(_together(description))
    return "\n\n".join(blocks)


def labels_text(task: TaskDescription, width: int) -> str:
    """Summarizes the labels of a task in one line.

    Args:
        task: The `TaskDescription`.
        width: Integer, number of characters.

    Returns:
        The line.
    """
    if not task.labelled_elements:
        return "none"
    if task.class_counts is None:
        return f"{task.minimum:.4g} to {task.maximum:.4g}, mean {task.mean:.4g}"
    shares = task.class_shares
    if len(shares) <= MAX_CLASSES_SHOWN:
        text = ", ".join(f"{n}: {_percent(s)}" for n, s in shares.items())
        if len(text) <= width:
            return text
    rarest = min(shares, key=shares.get)
    most_common = max(shares, key=shares.get)
    room = max(_SHORTEST_NAME, min(_LONGEST_NAME, (width - 40) // 2))
    return (
        f"{len(shares):,} classes, {_shorten(rarest, room)}: "
        f"{_percent(shares[rarest])} to {_shorten(most_common, room)}: "
        f"{_percent(shares[most_common])}"
    )


def class_table(task: TaskDescription) -> str:
    """Lists the classes of a task.

    Args:
        task: The `TaskDescription`.

    Returns:
        A line on the task, and a line with the count and the fraction of each
        class, for the 200 most common classes.
    """
    head = (
        f"{task.display_name}: {task.kind}, {task.labelled:,} of "
        f"{task.samples:,} samples labelled, {_percent(task.missing)} missing"
    )
    if not task.class_counts:
        return f"{head}\n{labels_text(task, WIDTH)}"
    shares = task.class_shares
    names = list(shares)
    if len(names) > MAX_CLASSES_LISTED:
        names = sorted(names, key=shares.get, reverse=True)
        names = names[:MAX_CLASSES_LISTED]
    rows = [["class", "count", "share"]]
    for name in names:
        count = f"{task.class_counts[name]:,}"
        rows.append([name, count, _percent(shares[name])])
    lines = [head, "", _table(rows, left=(0,))]
    if len(names) < len(shares):
        lines.append(f"and {len(shares) - len(names):,} rarer classes")
    return "\n".join(lines)


def _head(description: Description) -> str:
    parts = description.parts.items()
    lines = [f"{description.samples:,} samples"]
    if parts:
        counts = [f"{part.samples:,} {name}" for name, part in parts]
        lines[0] += f": {', '.join(counts)}"
    groups = description.groups
    if groups is not None:
        lines.append(str(groups))
        held = {name: part.groups.count for name, part in parts if part.groups}
        if held:
            counts = [f"{count:,} {name}" for name, count in held.items()]
            lines[1] += f": {', '.join(counts)}"
        twice = sum(held.values()) - groups.count
        if twice > 0:
            lines.append(f"{twice:,} groups are in more than one part")
        if groups.largest == 1:
            lines.append("Groups of one sample have no effect.")
    return "\n".join(lines)


def _labels_table(
    description: Description, tasks: Sequence[TaskDescription]
) -> str:
    parts = description.parts
    rows = [["task", "kind", "labelled", *parts, "missing"]]
    for task in tasks:
        counts = [part.tasks[task.name].labelled for part in parts.values()]
        counts = [f"{count:,}" for count in (task.labelled, *counts)]
        name = _shorten(task.display_name)
        rows.append([name, task.kind, *counts, _percent(task.missing)])
    lines = _table(rows, left=(0, 1)).splitlines()
    used = max(map(len, lines)) + 2
    texts = ["labels", *(labels_text(task, WIDTH - used) for task in tasks)]
    return "\n".join(
        f"{line}  {text}" for line, text in zip(lines, texts, strict=True)
    )


def _class_lists(tasks: Sequence[TaskDescription]) -> list[str]:
    """Lists the classes that do not fit into the table."""
    least = MAX_CLASSES_SHOWN + 1
    longer = [
        task
        for task in tasks
        if task.labelled_elements
        and least <= len(task.class_counts or ()) <= MAX_CLASSES_BELOW
    ]
    if len(longer) > MAX_TASKS_BELOW:
        return []
    lists = []
    for task in longer:
        shares = task.class_shares.items()
        items = [f"{_shorten(n)}: {_percent(s)}" for n, s in shares]
        # Break lines only between classes.
        text = ", ".join(item.replace(" ", _TIE) for item in items)
        lines = textwrap.wrap(
            f"{_shorten(task.display_name)}: {text}",
            WIDTH,
            subsequent_indent="  ",
        )
        lists.append("\n".join(lines).replace(_TIE, " "))
    return lists


def _many_tasks(
    description: Description, tasks: Sequence[TaskDescription]
) -> list[str]:
    kinds = Counter(task.kind for task in tasks)
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in kinds.items())
    labelled = [task.labelled for task in tasks]
    missing = [task.missing for task in tasks]
    rows = [["", "least", "median", "most"]]
    for name, values, form in (
        ("labelled", labelled, _count),
        ("missing", missing, _percent),
    ):
        found = (min(values), float(np.median(values)), max(values))
        rows.append([name, *map(form, found)])
    blocks = [
        f"{len(tasks):,} tasks: {kinds}\n\n{_table(rows, left=(0,))}",
    ]
    order = sorted(tasks, key=lambda task: task.labelled)
    for title, shown in (
        ("fewest", order[:EXTREMES_SHOWN]),
        ("most", order[-EXTREMES_SHOWN:]),
    ):
        table = _labels_table(description, shown)
        blocks.append(f"The {len(shown)} with the {title} labels\n\n{table}")
    return blocks


def _together(description: Description) -> str:
    rows = [["labelled for both", *map(_shorten, description.tasks)]]
    for name, counts in zip(rows[0][1:], description.together, strict=True):
        rows.append([name, *map(_count, counts.tolist())])
    if len(rows) <= MAX_TASKS_SHOWN + 1:
        table = _table(rows, left=(0,))
        if max(map(len, table.splitlines())) <= WIDTH:
            return table
    pairs = description.together[np.triu_indices(len(description.tasks), 1)]
    return (
        f"Labelled for both tasks of a pair: {_count(pairs.min())} to "
        f"{_count(pairs.max())} samples, median {_count(np.median(pairs))}; "
        f"none for {_count((pairs == 0).sum())} of {_count(len(pairs))} pairs"
    )


def _count(number: float) -> str:
    return f"{number:,.0f}" if number == round(number) else f"{number:,.1f}"


def _percent(share: float) -> str:
    # A small share must not read as zero.
    if 0 < share < 0.001:
        return "<0.1 %"
    return f"{100 * share:.1f} %"


def _shorten(name: str, longest: int = _LONGEST_NAME) -> str:
    if len(name) <= longest:
        return name
    half = longest // 2
    return f"{name[: half - 1]}\u2026{name[-half:]}"


def _table(rows: Sequence[Sequence[str]], left: Sequence[int]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if index in left else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
