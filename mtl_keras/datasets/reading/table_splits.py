"""Data for several tasks from a table."""

from __future__ import annotations

import dataclasses

from mtl_keras import tables
from mtl_keras.columns.column_values import is_text
from mtl_keras.datasets.reading.array_source import ArraySource
from mtl_keras.datasets.reading.leaks import warn_about_leaks
from mtl_keras.datasets.reading.table import Table
from mtl_keras.datasets.reading.table_arguments import TableArguments
from mtl_keras.datasets.reading.table_columns import TableReader, read_columns
from mtl_keras.datasets.reading.table_parts import read_parts
from mtl_keras.datasets.reading.targets import make_target
from mtl_keras.datasets.reading.tasks_in_rows import tasks_in_rows
from mtl_keras.datasets.reading.unseen_values import warn_about_unseen_values
from mtl_keras.datasets.splits import Splits, make_splits
from mtl_keras.datasets.table_encoding import TableEncoding


def table_splits(reader: TableReader, arguments: TableArguments) -> Splits:
    """Reads a table, parts it and encodes it.

    Args:
        reader: The reader of the table.
        arguments: The arguments of the caller.

    Returns:
        The `Splits`, with their `encoding`.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If a column does not exist, or a value does not fit.
    """
    specs = arguments.target_specs()
    table, columns, categories = read_columns(reader, arguments, specs)
    parts, groups = read_parts(reader, table, arguments)
    made = _targets(table, arguments, specs) if arguments.labels else []
    tasks = tuple(task for task, _ in made)
    y = {task.name: values for task, values in made}
    encoding = arguments.like
    if encoding is None:
        _check_names_apart(columns, tasks)
        encoding = _fit(columns, categories, parts["train"], arguments)
        encoding = _with_tasks(encoding, specs, tasks)
        _warn(columns, categories, y, tasks, parts)
    return make_splits(
        ArraySource(encoding.encode(columns), y),
        tasks or encoding.tasks,
        parts,
        batch_size=arguments.batch_size,
        seed=arguments.seed,
        input_names=encoding.input_names,
        groups=groups,
        encoding=encoding,
        # Predictions belong to the rows of the table.
        shuffle=arguments.labels and len(parts["train"]) > 0,
    )


def _targets(table: Table, arguments: TableArguments, specs) -> list:
    name = arguments.task_column
    if name is not None:
        return tasks_in_rows(table, specs, table.column(name, "task_column"))
    return [
        make_target(spec, [table.column(c, "tasks") for c in spec.columns])
        for spec in specs
    ]


def _fit(columns, categories, train, arguments) -> TableEncoding:
    rows = {name: values[train] for name, values in columns.items()}
    space = tables.fit_feature_space(
        rows,
        **{**arguments.encoding, "categories": sorted(categories)},
        missing_inputs=arguments.reading["missing_inputs"],
    )
    return TableEncoding(
        space, tuple(columns), (), {}, reading=dict(arguments.reading)
    )


def _with_tasks(encoding: TableEncoding, specs, tasks) -> TableEncoding:
    # In long form, one spec stands for all tasks.
    each = specs if len(specs) == len(tasks) else [specs[0]] * len(tasks)
    return dataclasses.replace(
        encoding,
        tasks=tasks,
        columns={
            task.name: spec.columns
            for task, spec in zip(tasks, each, strict=True)
        },
        separators={s.name: s.separator for s in specs if s.separator},
    )


def _check_names_apart(columns, tasks) -> None:
    """Raises a `ValueError` if an input and an output have one safe name."""
    outputs = {task.name: task.display_name for task in tasks}
    for name, safe in tables.safe_names(columns).items():
        if safe in outputs:
            raise ValueError(
                f"Column {name!r} and task {outputs[safe]!r} would both be "
                f"named {safe!r} in the model. Give the task another name: "
                f"tasks={{'a_name': [{outputs[safe]!r}]}}."
            )


def _warn(columns, categories, y, tasks, parts) -> None:
    train = parts["train"]
    warn_about_leaks(
        {name: values[train] for name, values in columns.items()},
        {name: values[train] for name, values in y.items()},
        tasks,
    )
    named = {
        name: values
        for name, values in columns.items()
        if name in categories or is_text(values)
    }
    warn_about_unseen_values(named, y, tasks, parts)
