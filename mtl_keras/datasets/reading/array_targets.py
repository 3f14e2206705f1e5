"""Makes a task and its targets from an array."""

from __future__ import annotations

import dataclasses

import numpy as np

from mtl_keras.datasets.reading.column import Column
from mtl_keras.datasets.reading.mask_values import binary_mask, inferred_count
from mtl_keras.datasets.reading.target_spec import TargetSpec
from mtl_keras.datasets.reading.targets import make_target
from mtl_keras.tasks import (
    Classification,
    DenseRegression,
    MultiLabelClassification,
    Regression,
    Segmentation,
    SequenceTagging,
    Task,
)


def make_array_target(
    spec: TargetSpec, array: np.ndarray, source: str
) -> tuple[Task, np.ndarray]:
    """Makes the task and the targets of a spec from an array.

    Args:
        spec: What the caller says of the target.
        array: Array of shape `(n, ...)`. NaN is a missing label; of classes,
            so is -1, and the empty text.
        source: String, the key and file of the array, for errors.

    Returns:
        The task, and float32 targets with NaN for missing labels of a
        regression, int32 with -1 for those of classes.

    Raises:
        ValueError: If the labels do not fit, or the kind cannot be told.
    """
    kind = spec.kind or _infer_kind(spec, array, source)
    if kind is not None and issubclass(kind, Segmentation):
        return _classes(spec, kind, _with_channel(array), source)
    if kind is not None and issubclass(kind, DenseRegression):
        return _maps(spec, kind, _with_channel(array), source)
    if kind is not None and issubclass(kind, SequenceTagging):
        return _classes(spec, kind, array, source)
    is_row = array.ndim == 2 and array.shape[1] > 1
    if is_row and kind and issubclass(kind, Classification):
        return _one_hot(spec, kind, array, source)
    if array.ndim > 2:
        raise ValueError(
            f"Task {spec.name!r}: found targets of shape {array.shape} in "
            f"{source}, expected a number or a row of numbers for each sample."
        )
    columns = _columns(array, source)
    spec = dataclasses.replace(
        spec, kind=kind, columns=tuple(column.name for column in columns)
    )
    if kind and issubclass(kind, MultiLabelClassification) and not spec.task:
        # The labels have places in the array, but no names.
        spec = _with_arguments(spec, class_names=None)
    return make_target(spec, columns)


def _infer_kind(spec, array, source):
    """Returns the kind, or `None` where a column of values tells it."""
    if array.ndim > 2:
        shape = array.shape[1:]
        if len(shape) == 2 or (len(shape) == 3 and shape[-1] == 1):
            return Segmentation
    elif array.ndim == 1 or array.shape[1] == 1:
        return None
    elif array.dtype.kind in "biuf":
        values = array[~np.isnan(array)] if _is_float(array) else array
        if np.isin(values, [0, 1] if _is_float(array) else [-1, 0, 1]).all():
            return MultiLabelClassification
        if _is_float(array):
            return Regression
    raise ValueError(
        f"Task {spec.name!r}: its kind cannot be told from targets of shape "
        f"{array.shape} and dtype {array.dtype} in {source}. Say it: tasks="
        f"{{{spec.name!r}: 'SequenceTagging'}}, or pass a task."
    )


def _is_float(array) -> bool:
    return array.dtype.kind == "f"


def _columns(array: np.ndarray, source: str) -> list[Column]:
    flat = array.reshape(len(array), -1)
    several = flat.shape[1] > 1
    columns = []
    for number, values in enumerate(flat.T):
        name = f"{source}[:, {number}]" if several else source

        def where(index: int, name: str = name) -> str:
            return f"index {index} of {name}"

        if values.dtype.kind in "US":
            values = np.char.strip(values.astype(str)).astype(object)
            missing = values == ""
        elif values.dtype.kind in "biuf":
            missing = np.isnan(values.astype("float64"))
        else:
            raise ValueError(
                f"Found dtype {array.dtype} in {source}, expected numbers or "
                "texts."
            )
        columns.append(Column(name, values, missing, where, True))
    return columns


def _with_arguments(spec: TargetSpec, **arguments) -> TargetSpec:
    return dataclasses.replace(spec, arguments={**arguments, **spec.arguments})


def _with_channel(array):
    return array[..., None] if array.ndim == 3 else array


def _classes(spec, kind, array, source) -> tuple[Task, np.ndarray]:
    """Classes of pixels or tokens, which are numbered already."""
    if array.dtype.kind not in "biuf":
        raise ValueError(
            f"Task {spec.name!r}: found dtype {array.dtype} in {source}, "
            "expected classes that are numbered from 0."
        )
    missing = np.isnan(array) if _is_float(array) else np.zeros((), bool)
    labels = np.where(missing, -1, array)
    if (labels != np.rint(labels)).any() or labels.min() < -1:
        bad = (labels != np.rint(labels)) | (labels < -1)
        raise ValueError(
            f"Task {spec.name!r}: found {labels[bad][0]} in {source}, expected "
            "classes that are numbered from 0 (or -1 or NaN for a missing "
            "label)."
        )
    labels = labels.astype("int32")
    if labels.max() < 0:
        raise ValueError(
            f"Task {spec.name!r}: no sample has a label in {source}. Fill "
            "labels in, or leave the task out."
        )
    count = getattr(spec.task, "num_classes", spec.arguments.get("num_classes"))
    if issubclass(kind, Segmentation):
        labels, count = _mask(labels, count)
    count = count or inferred_count(labels, f"Task {spec.name!r}: {source}")
    if labels.max() >= max(count, 2):
        raise ValueError(
            f"Task {spec.name!r}: found class {labels.max()} in {source}, "
            f"expected classes from 0 to {max(count, 2) - 1}, because "
            f"num_classes={count}."
        )
    if spec.task is not None:
        return spec.task, labels
    return kind(spec.name, **{"num_classes": count, **spec.arguments}), labels


def _maps(spec, kind, array, source) -> tuple[Task, np.ndarray]:
    """Numbers of pixels, of shape `(n, height, width, units)`."""
    if array.ndim != 4 or array.dtype.kind not in "biuf":
        raise ValueError(
            f"Task {spec.name!r}: found targets of shape {array.shape} and "
            f"dtype {array.dtype} in {source}, expected numbers of shape (n, "
            "height, width) or (n, height, width, units)."
        )
    found = {"units": array.shape[-1], **spec.arguments}
    task = spec.task or kind(spec.name, **found)
    if task.units != array.shape[-1]:
        raise ValueError(
            f"Task {spec.name!r}: found {array.shape[-1]} numbers a pixel in "
            f"{source}, expected units={task.units}."
        )
    if not np.isfinite(array).any():
        raise ValueError(
            f"Task {spec.name!r}: no pixel has a label in {source}. Fill "
            "labels in, or leave the task out."
        )
    return task, array.astype("float32")


def _mask(labels, count):
    """Returns labels of 0 and 1 for a binary mask, and its one class."""
    is_binary = np.isin(labels, [-1, 0, 1]).all()
    is_picture = np.isin(labels, [-1, 0, 255]).all()
    if count == 1 or (count is None and (is_binary or is_picture)):
        return (binary_mask(labels) if is_picture else labels), 1
    return labels, count


def _one_hot(spec, kind, array, source) -> tuple[Task, np.ndarray]:
    count = getattr(spec.task, "num_classes", spec.arguments.get("num_classes"))
    if count not in (None, array.shape[1]):
        raise ValueError(
            f"Task {spec.name!r}: found {array.shape[1]} columns in {source}, "
            f"expected one for each of {count} classes."
        )
    found = {"num_classes": array.shape[1], **spec.arguments}
    task = spec.task or kind(spec.name, **found)
    return task, array.astype("float32")
