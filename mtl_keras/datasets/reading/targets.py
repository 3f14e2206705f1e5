"""Tasks and targets from columns."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from mtl_keras.datasets.reading.column import Column
from mtl_keras.datasets.reading.labels import (
    check_labelled,
    check_separated,
    encode_classes,
    encode_numbers,
    infer_kind,
)
from mtl_keras.datasets.reading.target_spec import TargetSpec
from mtl_keras.spelling import did_you_mean
from mtl_keras.tasks import MultiLabelClassification, Regression, Task

_NO_YES = {"false": 0.0, "true": 1.0, "no": 0.0, "yes": 1.0}


def make_target(
    spec: TargetSpec, columns: Sequence[Column]
) -> tuple[Task, np.ndarray]:
    """Makes the task and the targets of a spec.

    Args:
        spec: The specification of the target.
        columns: The columns that it names.

    Returns:
        The task, and an array of shape `(n,)` or `(n, columns)`: float32 with
        NaN for a missing label of a regression, int32 with -1 for one of
        classes.

    Raises:
        ValueError: If the labels do not fit.
    """
    check_labelled(spec.name, columns)
    kind = spec.kind or _infer_kind(spec, columns)
    if kind.labels_per != "sample":
        raise ValueError(
            f"Task {spec.name!r}: a {kind.__name__} needs more than one label "
            "for each column and sample; read it from arrays (from_npz) or "
            "folders (from_folder)."
        )
    if kind.target_kind == "number":
        return _numbers(spec, kind, columns)
    if spec.separator is not None:
        return _separated(spec, kind, columns[0])
    if kind.columns:
        return _multi_label(spec, kind, columns)
    if len(columns) > 1:
        raise ValueError(
            f"Task {spec.name!r}: a {kind.__name__} has one column, found "
            f"{[column.name for column in columns]}. For one label in each "
            "column, use MultiLabelClassification."
        )
    return _classes(spec, kind, columns[0])


def _infer_kind(spec, columns) -> type[Task]:
    if len(columns) == 1:
        return infer_kind(spec.name, columns[0])
    # -1 among labels is an error later, and not a number of a regression.
    is_label = all(
        _labels(column) is not None or _only_with_minus_one(column)
        for column in columns
    )
    return MultiLabelClassification if is_label else Regression


def _only_with_minus_one(column: Column) -> bool:
    found = column.numbers[~column.missing]
    return column.is_numeric and bool(np.isin(found, [-1, 0, 1]).all())


def _make_task(spec: TargetSpec, kind: type[Task], **found) -> Task:
    """Makes the task, or adds the names that were found to the given one."""
    if spec.task is None:
        return kind(spec.name, **{**found, **spec.arguments})
    return spec.task.with_class_names(found.get("class_names"))


def _size(kind: type[Task], size: int) -> dict[str, int]:
    """Returns the argument that sets the size of the output, if any."""
    return {} if kind.size_argument is None else {kind.size_argument: size}


def _given(spec: TargetSpec, argument: str):
    """Returns an argument of the task or of its kind, or `None`."""
    return getattr(spec.task, argument, spec.arguments.get(argument))


def _numbers(spec, kind, columns) -> tuple[Task, np.ndarray]:
    _check_number_of_columns(spec, columns, kind.size_argument)
    numbers = [encode_numbers(spec.name, column) for column in columns]
    task = _make_task(spec, kind, **_size(kind, len(columns)))
    return task, numbers[0] if len(columns) == 1 else np.stack(numbers, axis=1)


def _multi_label(spec, kind, columns) -> tuple[Task, np.ndarray]:
    _check_number_of_columns(spec, columns, kind.size_argument)
    labels = [_labels(column) for column in columns]
    for column, found in zip(columns, labels, strict=True):
        if found is None:
            raise ValueError(
                f"Task {spec.name!r}: {_no_label_found(column)}, expected 0 or "
                "1 (or no and yes, false and true) in each column of a "
                "MultiLabelClassification. A value that stands for a missing "
                "label goes into `missing_values`."
            )
    names = tuple(column.name for column in columns)
    sizes = _size(kind, len(columns))
    task = _make_task(spec, kind, class_names=names, **sizes)
    return task, np.stack(labels, axis=1)


def _separated(spec, kind, column) -> tuple[Task, np.ndarray]:
    """Labels of cells that hold several of them."""
    parts = [
        [part.strip() for part in text.split(spec.separator) if part.strip()]
        for text in map(str, column.distinct.tolist())
    ]
    names = _given(spec, "class_names")
    found = sorted({part for labels in parts for part in labels})
    if names is None:
        check_separated(spec.name, column, parts, found)
        names = tuple(found)
    for name in found:
        if name not in names:
            row = next(
                row
                for row, code in enumerate(column.codes)
                if code >= 0 and name in parts[code]
            )
            raise ValueError(
                f"Task {spec.name!r}: found {name!r} in {column.where(row)}, "
                "which is not in its class_names. "
                f"{did_you_mean(name, names)}"
            )
    if len(names) < 2:
        raise ValueError(
            f"Task {spec.name!r}: found one label, {names[0]!r}, in all cells "
            f"of column {column.name!r}. Is {spec.separator!r} what separates "
            "them?"
        )
    of_distinct = np.array(
        [[name in labels for name in names] for labels in parts]
        + [[-1] * len(names)]
    ).astype("int32")
    sizes = _size(kind, len(names))
    task = _make_task(spec, kind, class_names=names, **sizes)
    return task, of_distinct[column.codes]


def _classes(spec, kind, column) -> tuple[Task, np.ndarray]:
    binary = kind.target_kind == "binary"
    count = 2 if binary else spec.arguments.get(kind.size_argument)
    if spec.task is not None:
        count = spec.task.num_label_classes
    names = _given(spec, "class_names")
    codes, names = encode_classes(
        spec.name, column, count, names, numbered=not spec.same_classes
    )
    found = {} if names is None else {"class_names": names}
    if names is not None and not _has_class_names(kind):
        raise ValueError(
            f"Task {spec.name!r}: found the classes {list(names)[:10]} in "
            f"column {column.name!r}, but a {kind.__name__} takes no "
            "class_names. Number its classes from 0."
        )
    if not binary:
        size = len(names or ()) or count or codes.max() + 1
        found |= _size(kind, size)
    return _make_task(spec, kind, **found), codes


def _has_class_names(kind: type[Task]) -> bool:
    return "class_names" in {field.name for field in dataclasses.fields(kind)}


def _check_number_of_columns(spec, columns, argument: str | None) -> None:
    given = 1 if argument is None else _given(spec, argument)
    if given not in (None, len(columns)):
        size = "it has one value" if argument is None else f"{argument}={given}"
        raise ValueError(
            f"Task {spec.name!r}: {size}, but its labels have "
            f"{len(columns)} column(s): {[column.name for column in columns]}. "
            f"Name as many columns: tasks={{{spec.name!r}: {{'kind': ..., "
            "'columns': [...]}}."
        )


def _labels(column: Column) -> np.ndarray | None:
    """int32 of 0, 1 and -1 for a missing label; `None` for other values."""
    column = column.without_minus_one()
    labelled = ~column.missing
    numbers = column.numbers
    if not column.is_numeric:
        numbers = column.by_value(
            lambda value: _NO_YES.get(str(value).lower(), np.nan),
            np.nan,
            "float64",
        )
    if not np.isin(numbers[labelled], [0, 1]).all():
        return None
    return np.where(labelled, numbers, -1).astype("int32")


def _no_label_found(column: Column) -> str:
    column = column.without_minus_one()
    known = {"0", "1", "", *_NO_YES}
    bad = [str(text).lower() not in known for text in column.names]
    index = int(np.argmax(bad))
    return f"found {column.values[index]!r} in {column.where(index)}"
