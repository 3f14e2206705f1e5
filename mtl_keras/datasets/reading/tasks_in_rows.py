"""Tables in long form: a column says which task a row's label is of."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from mtl_keras.datasets.reading.column import Column
from mtl_keras.datasets.reading.table import Table
from mtl_keras.datasets.reading.target_spec import TargetSpec
from mtl_keras.datasets.reading.targets import make_target
from mtl_keras.safe_name import safe_names
from mtl_keras.tasks import Task


def tasks_in_rows(
    table: Table, specs: Sequence[TargetSpec], column: Column
) -> list[tuple[Task, np.ndarray]]:
    """Makes a task of each value of a column.

    Args:
        table: The table.
        specs: One spec of one column, whose kind all tasks have; or those of
            all tasks, of data that were read so before.
        column: The column that says which task a row belongs to.

    Returns:
        A task and its targets for each value, sorted; a row has a missing
        label for the other tasks.

    Raises:
        ValueError: If there are several specs, or a row names no task.
    """
    if column.missing.any():
        row = int(np.argmax(column.missing))
        raise ValueError(
            f"`task_column` must name a task in each row, found none in "
            f"{column.where(row)}."
        )
    # By their own text, whatever else the column holds.
    values = column.by_value(
        lambda value: (
            value if isinstance(value, str) else column.name_of(value)
        ),
        "",
        object,
    )
    safe = safe_names(sorted(set(values.tolist())), "Tasks")
    known = {spec.name: spec for spec in specs if spec.task is not None}
    if len(specs) > 1 or known:
        return _known_tasks(table, known, values, safe, column)
    spec = specs[0]
    if len(spec.columns) > 1:
        raise ValueError(
            f"`tasks` must name the one column of labels with `task_column`, "
            f"found {list(spec.columns)}."
        )
    return [
        make_target(
            dataclasses.replace(spec, name=name),
            [_only(table, spec, values, value)],
        )
        for value, name in safe.items()
    ]


def _known_tasks(table, known, values, safe, column):
    if not known:
        raise ValueError(
            "`tasks` must name the one column of labels with `task_column`; "
            "each value of the task column is a task. Found several."
        )
    for value, name in safe.items():
        if name not in known:
            row = int(np.argmax(values == value))
            raise ValueError(
                f"`task_column` names the task {value!r} in "
                f"{column.where(row)}, which the data of `like` do not have: "
                f"{list(known)}."
            )
    values = np.array([safe[value] for value in values.tolist()], object)
    return [
        make_target(spec, [_only(table, spec, values, name)])
        if (values == name).any()
        else (spec.task, _no_labels(spec, len(table)))
        for name, spec in known.items()
    ]


def _only(table: Table, spec: TargetSpec, values, value) -> Column:
    labels = table.column(spec.columns[0], "tasks")
    return dataclasses.replace(
        labels, missing=labels.missing | (values != value)
    )


def _no_labels(spec: TargetSpec, rows: int) -> np.ndarray:
    missing = spec.task.missing_label
    return np.full(rows, missing, "float32" if np.isnan(missing) else "int32")
