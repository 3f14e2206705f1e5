"""Makes the task and targets of an array."""

from __future__ import annotations

import dataclasses

import numpy as np

from mtl_keras.datasets.reading.column import Column
from mtl_keras.datasets.reading.infer_mask_encoding import infer_mask_encoding
from mtl_keras.datasets.reading.kind_labels import (
    format_size,
    has_one_class,
    takes_class_names,
)
from mtl_keras.datasets.reading.mask_values import MaskValues, infer_num_classes
from mtl_keras.datasets.reading.spec_task import get_size, make_task
from mtl_keras.datasets.reading.target_spec import TargetSpec
from mtl_keras.datasets.reading.targets import make_target
from mtl_keras.tasks import (
    MultiLabelClassification,
    Regression,
    Segmentation,
    Task,
)

# Number of samples to process at a time, to save memory.
_CHUNK = 256


def make_array_target(
    spec: TargetSpec,
    array: np.ndarray,
    source: str,
    missing_pixel: int | None = None,
) -> tuple[Task, np.ndarray]:
    """Makes the task and targets of an array.

    Args:
        spec: The `TargetSpec`.
        array: Array of shape `(n, ...)`. NaN is a missing label; for classes,
            so are -1 and the empty string.
        source: Key and file of the array, for errors.
        missing_pixel: Integer, value of the pixels of a mask that have no
            label. Defaults to `None`: all pixels have a label.

    Returns:
        The task, and targets as `ArraySource` takes them: numbers with NaN for
        missing labels of a regression, integers with -1 for missing classes.

    Raises:
        ValueError: If the labels do not fit, or the kind is ambiguous.
    """
    kind = spec.kind or _infer_kind(spec, array, source)
    if kind is None:
        return _make_column_target(spec, kind, array, source)
    if has_one_class(kind, "pixel"):
        return _masks(spec, kind, _add_channel(array), source, missing_pixel)
    if kind.labels_per == "pixel" and kind.target_kind == "number":
        return _maps(spec, kind, _add_channel(array), source)
    if has_one_class(kind, "step"):
        return _tags(spec, kind, array, source)
    if kind.labels_per != "sample":
        raise ValueError(
            f"Task {spec.name!r}: from_npz cannot read a {kind.__name__}. Read "
            "the file with np.load, and pass the arrays to `fit`."
        )
    is_row = array.ndim == 2 and array.shape[1] > 1
    if is_row and kind.target_kind == "class" and not kind.columns:
        return _one_hot(spec, kind, array, source)
    return _make_column_target(spec, kind, array, source)


def _make_column_target(spec, kind, array, source) -> tuple[Task, np.ndarray]:
    if array.ndim > 2:
        raise ValueError(
            f"Task {spec.name!r}: found targets of shape {array.shape} in "
            f"{source}, expected a number or a row of numbers per sample."
        )
    columns = _columns(array, source)
    spec = dataclasses.replace(
        spec, kind=kind, columns=tuple(column.name for column in columns)
    )
    has_names = kind is not None and kind.columns and takes_class_names(kind)
    if has_names and spec.task is None:
        # The columns of an array have no names.
        arguments = {"class_names": None, **spec.arguments}
        spec = dataclasses.replace(spec, arguments=arguments)
    return make_target(spec, columns)


def _infer_kind(spec, array, source):
    """Returns the kind, or `None` for a column, as in tables."""
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
        f"Task {spec.name!r}: its kind is ambiguous, because its targets in "
        f"{source} have shape {array.shape} and dtype {array.dtype}. Pass "
        f"tasks={{{spec.name!r}: 'SequenceTagging'}}, or a task."
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


def _add_channel(array):
    return array[..., None] if array.ndim == 3 else array


def _tags(spec, kind, array, source) -> tuple[Task, np.ndarray]:
    labels = _class_indices(spec, array, source).astype("int32")
    if labels.max() < 0:
        raise ValueError(_no_label(spec, source))
    count = get_size(spec, kind)
    count = count or infer_num_classes(labels, f"Task {spec.name!r}: {source}")
    if labels.max() >= count:
        raise ValueError(
            f"Task {spec.name!r}: found class {labels.max()} in {source}, "
            f"expected classes from 0 to {count - 1}, because "
            f"{format_size(kind, count)}."
        )
    return make_task(spec, kind, size=count), labels


def _masks(spec, kind, array, source, missing_pixel) -> tuple[Task, np.ndarray]:
    values = _class_indices(spec, array, source)
    counts: dict[int, int] = {}
    for chunk in _chunks(values):
        found, pixels = np.unique(chunk, return_counts=True)
        for value, count in zip(found.tolist(), pixels.tolist(), strict=True):
            if value >= 0 and value != missing_pixel:
                counts[value] = counts.get(value, 0) + count
    if not counts:
        raise ValueError(_no_label(spec, source))
    encoding = infer_mask_encoding(
        spec.name,
        MaskValues(greys=dict.fromkeys(counts, "")),
        get_size(spec, kind),
        missing_pixel,
        source,
    )
    encoding.check(counts, source)
    classes = encoding.num_classes
    # As small integers, to save memory.
    labels = np.empty(values.shape, np.min_scalar_type(-max(classes, 2)))
    for start, chunk in enumerate(_chunks(values)):
        labels[start * _CHUNK :][: len(chunk)] = encoding.encode(chunk)
    return make_task(spec, kind, size=classes), labels


def _class_indices(spec, array, source) -> np.ndarray:
    """Returns an array as integers, negative where a label is missing."""
    if array.dtype.kind not in "biuf":
        raise ValueError(
            f"Task {spec.name!r}: found dtype {array.dtype} in {source}, "
            "expected class indices from 0."
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
                "expected class indices from 0 (or -1 or NaN for a missing "
                "label)."
            )
        if numbers is not array:
            numbers[start * _CHUNK :][: len(chunk)] = np.where(
                missing, -1, chunk
            )
    return numbers


def _chunks(array: np.ndarray):
    for start in range(0, len(array), _CHUNK):
        yield array[start : start + _CHUNK]


def _no_label(spec, source) -> str:
    return (
        f"Task {spec.name!r}: no sample has a label in {source}. Add labels, "
        "or leave the task out."
    )


def _maps(spec, kind, array, source) -> tuple[Task, np.ndarray]:
    if array.ndim != 4 or array.dtype.kind not in "biuf":
        raise ValueError(
            f"Task {spec.name!r}: found targets of shape {array.shape} and "
            f"dtype {array.dtype} in {source}, expected numbers of shape (n, "
            "height, width) or (n, height, width, units)."
        )
    task = make_task(spec, kind, size=array.shape[-1])
    if task.output_size != array.shape[-1]:
        raise ValueError(
            f"Task {spec.name!r}: found {array.shape[-1]} numbers per pixel "
            f"in {source}, expected {format_size(kind, task.output_size)}."
        )
    if not np.isfinite(array).any():
        raise ValueError(
            f"Task {spec.name!r}: no pixel has a label in {source}. Add "
            "labels, or leave the task out."
        )
    if array.dtype.itemsize < 4:
        return task, array
    return task, array.astype("float32", copy=False)


def _one_hot(spec, kind, array, source) -> tuple[Task, np.ndarray]:
    count = get_size(spec, kind)
    if count not in (None, array.shape[1]):
        raise ValueError(
            f"Task {spec.name!r}: found {array.shape[1]} columns in {source}, "
            f"expected one per class, {count}."
        )
    task = make_task(spec, kind, size=array.shape[1])
    return task, array.astype("float32", copy=False)
