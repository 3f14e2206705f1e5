"""Classes and categories that the training part lacks."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np

from mtl_keras.columns.column_values import factorize, is_missing
from mtl_keras.tasks import Task

# Columns that the warning names.
_MOST_NAMED = 10


def warn_about_unseen_values(
    columns: Mapping[str, np.ndarray],
    targets: Mapping[str, np.ndarray],
    tasks: tuple[Task, ...],
    parts: Mapping[str, np.ndarray],
) -> None:
    """Warns once of classes and categories that only other parts have.

    Args:
        columns: Dict from the name of an input that is a category to an array
            of shape `(n,)`.
        targets: Dict from task name to an array of shape `(n,)`, or
            `(n, columns)`.
        tasks: The tasks.
        parts: Dict from part to an integer array of rows.

    Warns:
        UserWarning: If there are such values.
    """
    others = [part for part in parts if part != "train"]
    if not others:
        return
    train = parts["train"]
    rows = np.concatenate([parts[part] for part in others])
    found = []
    for task in tasks:
        found += _unseen_classes(task, targets[task.name], train, rows)
    for name, values in columns.items():
        codes, distinct = factorize(values)
        if not hasattr(values, "categories"):
            codes = np.where(is_missing(values), -1, codes)
        names = [str(value) for value in distinct]
        unseen = _describe(codes, names, train, rows)
        found += [f"input {name!r}: {unseen}"] * bool(unseen)
    if found:
        more = len(found) - _MOST_NAMED
        shown = [*found[:_MOST_NAMED], *[f"and {more} more"] * (more > 0)]
        warnings.warn(
            "The training part lacks values that occur in "
            f"{' and '.join(others)}: {'; '.join(shown)}. A model cannot "
            "learn such a class, and reads such a category as an unknown one. "
            "Draw other parts (`seed`, `split`), or leave these rows out.",
            stacklevel=5,
        )


def _unseen_classes(task: Task, labels, train, rows) -> list[str]:
    if labels.dtype.kind not in "iu":
        return []
    names = getattr(task, "class_names", None)
    if labels.ndim == 1:
        count = int(labels.max(initial=0)) + 1
        names = names or [str(code) for code in range(max(count, 2))]
        unseen = _describe(labels, names, train, rows)
        return [f"task {task.name!r}: {unseen}"] * bool(unseen)
    names = names or [str(code) for code in range(labels.shape[1])]
    there = {
        name: int((labels[rows, label] == 1).sum())
        for label, name in enumerate(names)
        if not (labels[train, label] == 1).any()
    }
    there = {name: count for name, count in there.items() if count}
    return [f"task {task.name!r}: {_named(there)}"] * bool(there)


def _describe(codes, names, train, rows) -> str:
    """Describes the codes of `rows` that are not among those of `train`."""
    size = max(len(names), 1)
    seen = np.bincount(codes[train][codes[train] >= 0], minlength=size)
    here = np.bincount(codes[rows][codes[rows] >= 0], minlength=size)
    unseen = np.flatnonzero((here > 0) & (seen == 0))
    return _named({names[code]: int(here[code]) for code in unseen})


def _named(counts: Mapping[str, int]) -> str:
    if not counts:
        return ""
    name, count = max(counts.items(), key=lambda pair: pair[1])
    one = f"{name!r} ({count} row{'s' * (count > 1)})"
    if len(counts) == 1:
        return one
    return f"{len(counts)} values in {sum(counts.values())} rows, such as {one}"
