"""Reads a table of your own."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from mtl_keras.datasets.reading.array_source import ArraySource
from mtl_keras.datasets.reading.csv_table import CsvTable, read_csv_table
from mtl_keras.datasets.reading.groups import read_groups
from mtl_keras.datasets.reading.input_columns import encode_inputs
from mtl_keras.datasets.reading.partition import partition
from mtl_keras.datasets.reading.target_spec import TargetSpec, read_target_specs
from mtl_keras.datasets.reading.targets import make_target
from mtl_keras.datasets.splits import Splits, make_splits
from mtl_keras.tasks import Task


def from_csv(
    path: str | os.PathLike,
    tasks: Sequence[str | Task] | Mapping[str, object],
    inputs: Sequence[str] | None = None,
    *,
    validation: float = 0.1,
    test: float = 0.2,
    group: str | None = None,
    batch_size: int = 32,
    seed: int = 0,
    missing_values: Sequence[str] = (),
    delimiter: str = ",",
) -> Splits:
    """Reads a csv file as data for several tasks.

    An empty cell in a column of labels is a missing label: NaN for a
    regression, -1 for classes. Classes that are texts, or integers that do not
    count from 0, are numbered in sorted order, and the task keeps their names.

    Args:
        path: String or path of a csv or csv.gz file with a header, in UTF-8.
        tasks: What to predict. A list of column names, whose kinds are
            inferred (texts, and whole numbers of at most 20 values, are
            classes; two classes are binary; other numbers a regression), or of
            tasks that are named after columns; or a dict from task name to a
            kind (`"Regression"`), a task, a list of columns, or a dict with
            `"kind"`, `"columns"` and arguments of the kind. Several columns
            are several labels, or several numbers.
        inputs: List of the names of the columns to predict from. Columns of
            numbers stay as they are, columns of texts are one-hot encoded, in
            sorted order. Defaults to `None`: all columns that have a name and
            are neither labels nor the group.
        validation: Float, share of the samples that is held back for
            validation. Defaults to 0.1. 0 makes no such part.
        test: Float, share of the samples for the test. Defaults to 0.2.
        group: String, name of a column, such as the patient that a sample
            comes from. Samples of one group stay in one part, and the shares
            are those of groups. Defaults to `None`: each sample by itself.
        batch_size: Integer, samples per batch. Defaults to 32.
        seed: Integer of at least 0, seed of the parts and of the order of the
            training part. Defaults to 0.
        missing_values: List of strings, cells that stand for a missing value
            besides the empty one. Defaults to `()`.
        delimiter: String between two cells. Defaults to `","`.

    Returns:
        `Splits`: `train`, `validation` and `test` as `tf.data.Dataset`s of
        `(x, y)`, x float32 of shape `(batch, inputs)`, and the `tasks`.

    Raises:
        FileNotFoundError: If there is no file.
        ValueError: If the file is no table, a column does not exist, an input
            is missing, a task has no label, or a value does not fit. The
            error names the line and column.

    Example:

    ```python
    data = mtl_keras.datasets.from_csv(
        "patients.csv",
        inputs=["age", "sex", "size"],
        tasks=["stage", "survival_months"],
        group="patient",
    )
    model = mtl_keras.build_mlp(
        input_shape=data.input_shape, tasks=data.tasks
    )
    model.fit(
        data.train,
        validation_data=data.validation,
        shuffle=False,  # the training part is already
        epochs=10,
    )
    ```
    """
    specs = read_target_specs(tasks)
    table = read_csv_table(
        path, delimiter=delimiter, missing_values=missing_values
    )
    inputs = _input_names(table, specs, inputs, group)
    targets = [
        make_target(spec, [table.column(c, "tasks") for c in spec.columns])
        for spec in specs
    ]
    x, input_names = encode_inputs([table.column(c, "inputs") for c in inputs])
    parts = partition(
        len(table),
        validation=validation,
        test=test,
        seed=seed,
        source=f"'{table.file}'",
        groups=group and read_groups(table.column(group, "group")),
    )
    made = tuple(task for task, _ in targets)
    y = {task.name: values for task, values in targets}
    return make_splits(
        ArraySource(x, y),
        made,
        parts,
        batch_size=batch_size,
        seed=seed,
        input_names=input_names,
    )


def _input_names(
    table: CsvTable,
    specs: Sequence[TargetSpec],
    inputs: Sequence[str] | None,
    group: str | None,
) -> list[str]:
    labels = {column: spec.name for spec in specs for column in spec.columns}
    if inputs is None:
        # The column without a name is the index that pandas writes.
        known = [name for name in table.cells if name]
        inputs = [name for name in known if name not in {*labels, group}]
    elif isinstance(inputs, str) or not all(
        isinstance(name, str) for name in inputs
    ):
        raise TypeError(
            f"`inputs` must be a list of column names, found {inputs!r}."
        )
    if not inputs:
        raise ValueError(
            f"`inputs` must name a column of '{table.file}' at least, found "
            "none besides those of the tasks."
        )
    for name in inputs:
        if name in labels:
            raise ValueError(
                f"`inputs` names {name!r}, which task {labels[name]!r} is to "
                "predict. Leave it out of one of both."
            )
        if list(inputs).count(name) > 1:
            raise ValueError(f"`inputs` names {name!r} twice.")
    return list(inputs)
