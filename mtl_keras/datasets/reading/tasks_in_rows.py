"""Tables in long form: a column names the task of a row's label."""

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
    """Makes a task from each value of a column.

    Args:
        table: The table.
        specs: One spec of one column, whose kind all tasks have; or the specs
            of all tasks, from data that were read before.
        column: The column with the task of each row.

    Returns:
        List of a task and its targets for each value, sorted; a row has
        missing labels for the other tasks.

    Raises:
        ValueError: If there are several specs, or a row names no task.
    """
    if column.missing.any():
        row = int(np.argmax(column.missing))
        raise ValueError(
            f"`task_column` must name a task in each row, found none in "
            f"{column.where(row)}."
        )
    # By their texts, even in a column of numbers.
    values = column.by_value(
        lambda value: (
            value if isinstance(value, str) else column.format_value(value)
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
            "With `task_column`, `tasks` must name the one column of labels, "
            f"found {list(spec.columns)}."
        )
    return [
        make_target(
            dataclasses.replace(
                spec,
                name=name,
                arguments={
                    **spec.arguments,
                    **({} if name == value else {"title": value}),
                },
            ),
            [_only(table, spec, values, value)],
        )
        for value, name in safe.items()
    ]


def _known_tasks(table, known, values, safe, column):
    if not known:
        raise ValueError(
            "With `task_column`, `tasks` must name the one column of labels, "
            "found several; each value of the task column is a task."
        )
    for value, name in safe.items():
        if name not in known:
            row = int(np.argmax(values == value))
            raise ValueError(
                f"`task_column` names the task {value!r} in "
                f"{column.where(row)}, which the data of `like` do not have; "
                f"expected one of {list(known)}."
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
