"""Makes a task and its targets from an array."""

from __future__ import annotations

import dataclasses

import numpy as np

from mtl_keras.datasets.reading.column import Column
from mtl_keras.datasets.reading.mask_values import (
    MaskValues,
    decide_coding,
    inferred_count,
)
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

# Enough samples at a time to keep what is made of them small.
_CHUNK = 256


def make_array_target(
    spec: TargetSpec,
    array: np.ndarray,
    source: str,
    missing_pixel: int | None = None,
) -> tuple[Task, np.ndarray]:
    """Makes the task and the targets of a spec from an array.

    Args:
        spec: What the caller says of the target.
        array: Array of shape `(n, ...)`. NaN is a missing label; of classes,
            so is -1, and the empty text.
        source: String, the key and file of the array, for errors.
        missing_pixel: Integer, value of the pixels of a mask that have no
            label. Defaults to `None`: all have one.

    Returns:
        The task, and targets as `ArraySource` takes them: numbers with NaN for
        missing labels of a regression, integers with -1 for those of classes.

    Raises:
        ValueError: If the labels do not fit, or the kind cannot be told.
    """
    kind = spec.kind or _infer_kind(spec, array, source)
    if kind is not None and issubclass(kind, Segmentation):
        return _masks(spec, kind, _with_channel(array), source, missing_pixel)
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
    """Classes of tokens, which are numbered already."""
    labels = _numbered(spec, array, source).astype("int32")
    if labels.max() < 0:
        raise ValueError(_no_label(spec, source))
    count = _said_count(spec)
    count = count or inferred_count(labels, f"Task {spec.name!r}: {source}")
    if labels.max() >= count:
        raise ValueError(
            f"Task {spec.name!r}: found class {labels.max()} in {source}, "
            f"expected classes from 0 to {count - 1}, because "
            f"num_classes={count}."
        )
    if spec.task is not None:
        return spec.task, labels
    return kind(spec.name, **{"num_classes": count, **spec.arguments}), labels


def _masks(spec, kind, array, source, missing_pixel) -> tuple[Task, np.ndarray]:
    """Classes of pixels, as small integers."""
    values = _numbered(spec, array, source)
    counts: dict[int, int] = {}
    for chunk in _chunks(values):
        found, pixels = np.unique(chunk, return_counts=True)
        for value, count in zip(found.tolist(), pixels.tolist(), strict=True):
            if value >= 0 and value != missing_pixel:
                counts[value] = counts.get(value, 0) + count
    if not counts:
        raise ValueError(_no_label(spec, source))
    coding = decide_coding(
        spec.name,
        MaskValues(greys=dict.fromkeys(counts, "")),
        _said_count(spec),
        missing_pixel,
        source,
    )
    coding.check(counts, source)
    classes = coding.num_classes
    labels = np.empty(values.shape, np.min_scalar_type(-max(classes, 2)))
    for start, chunk in enumerate(_chunks(values)):
        labels[start * _CHUNK :][: len(chunk)] = coding.labels(chunk)
    if spec.task is not None:
        return spec.task, labels
    return kind(spec.name, **{"num_classes": classes, **spec.arguments}), labels


def _numbered(spec, array, source) -> np.ndarray:
    """Integers, of which those below 0 have no label."""
    if array.dtype.kind not in "biuf":
        raise ValueError(
            f"Task {spec.name!r}: found dtype {array.dtype} in {source}, "
            "expected classes that are numbered from 0."
        )
    if array.dtype.kind == "b":
        return array.view("uint8")
    numbers = array
    if array.dtype.kind == "f":
        numbers = np.empty(array.shape, "int32")
    for start, chunk in enumerate(_chunks(array)):
        with np.errstate(invalid="ignore"):
            missing = np.isnan(chunk) | (chunk == -1)
            wrong = ~missing & ((chunk < 0) | (chunk != np.rint(chunk)))
        if wrong.any():
            raise ValueError(
                f"Task {spec.name!r}: found {chunk[wrong][0]} in {source}, "
                "expected classes that are numbered from 0 (or -1 or NaN for "
                "a missing label)."
            )
        if numbers is not array:
            numbers[start * _CHUNK :][: len(chunk)] = np.where(
                missing, -1, chunk
            )
    return numbers


def _chunks(array: np.ndarray):
    for start in range(0, len(array), _CHUNK):
        yield array[start : start + _CHUNK]


def _said_count(spec) -> int | None:
    return getattr(spec.task, "num_classes", spec.arguments.get("num_classes"))


def _no_label(spec, source) -> str:
    return (
        f"Task {spec.name!r}: no sample has a label in {source}. Fill labels "
        "in, or leave the task out."
    )


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
    if array.dtype.itemsize < 4:
        return task, array
    return task, array.astype("float32", copy=False)


def _one_hot(spec, kind, array, source) -> tuple[Task, np.ndarray]:
    count = _said_count(spec)
    if count not in (None, array.shape[1]):
        raise ValueError(
            f"Task {spec.name!r}: found {array.shape[1]} columns in {source}, "
            f"expected one for each of {count} classes."
        )
    found = {"num_classes": array.shape[1], **spec.arguments}
    task = spec.task or kind(spec.name, **found)
    return task, array.astype("float32", copy=False)
