"""Tasks and targets from columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mtl_keras.datasets.reading.column import Column
from mtl_keras.datasets.reading.kind_labels import (
    check_class_names,
    format_size,
)
from mtl_keras.datasets.reading.labels import (
    check_labelled,
    encode_classes,
    encode_numbers,
    infer_kind,
)
from mtl_keras.datasets.reading.spec_task import (
    get_argument,
    get_num_classes,
    get_size,
    make_task,
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


def _numbers(spec, kind, columns) -> tuple[Task, np.ndarray]:
    _check_number_of_columns(spec, kind, columns)
    numbers = [encode_numbers(spec.name, column) for column in columns]
    task = make_task(spec, kind, size=len(columns))
    return task, numbers[0] if len(columns) == 1 else np.stack(numbers, axis=1)


def _multi_label(spec, kind, columns) -> tuple[Task, np.ndarray]:
    _check_number_of_columns(spec, kind, columns)
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
    task = make_task(spec, kind, size=len(columns), class_names=names)
    return task, np.stack(labels, axis=1)


def _separated(spec, kind, column) -> tuple[Task, np.ndarray]:
    """Labels of cells that hold several of them."""
    parts = [
        [part.strip() for part in text.split(spec.separator) if part.strip()]
        for text in map(str, column.distinct.tolist())
    ]
    names = get_argument(spec, "class_names")
    found = sorted({part for labels in parts for part in labels})
    if names is None:
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
    distinct_labels = np.array(
        [[name in labels for name in names] for labels in parts]
        + [[-1] * len(names)]
    ).astype("int32")
    task = make_task(spec, kind, size=len(names), class_names=names)
    return task, distinct_labels[column.codes]


def _classes(spec, kind, column) -> tuple[Task, np.ndarray]:
    count = get_num_classes(spec, kind)
    names = get_argument(spec, "class_names")
    codes, names = encode_classes(
        spec.name, column, count, names, numbered=not spec.same_classes
    )
    if names is not None:
        check_class_names(spec.name, kind, names, f"column {column.name!r}")
    size = len(names or ()) or count or codes.max() + 1
    return make_task(spec, kind, size=size, class_names=names), codes


def _check_number_of_columns(spec, kind, columns) -> None:
    given = get_size(spec, kind)
    if given not in (None, len(columns)):
        raise ValueError(
            f"Task {spec.name!r}: expected {format_size(kind, given)}, but its "
            f"labels have {len(columns)} column(s): "
            f"{[column.name for column in columns]}. "
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
