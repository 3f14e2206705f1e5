"""Reads several numbers or labels per sample from TensorFlow Datasets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from mtl_keras.datasets.reading.kind_labels import format_size
from mtl_keras.datasets.reading.mask_values import MISSING
from mtl_keras.datasets.reading.spec_task import get_size, make_task
from mtl_keras.datasets.reading.target_spec import TargetSpec
from mtl_keras.datasets.reading.tfds_classes import (
    class_codes,
    recode,
    to_labels,
)
from mtl_keras.datasets.reading.tfds_features import NamedFeature
from mtl_keras.tasks import Task

Read = Callable[[Mapping], Any]


def make_regression(
    spec: TargetSpec, kind: type[Task], features: Sequence[NamedFeature]
) -> tuple[Task, Read]:
    """Makes a regression, and the function that reads its targets.

    Args:
        spec: The `TargetSpec`.
        kind: `Regression`, or a subclass.
        features: Sequence of features: scalars, or a row of numbers.

    Returns:
        The task, and a function from an example to a float32 tensor.

    Raises:
        ValueError: If a feature does not fit.
    """
    count = _count_columns(spec, kind, features)
    if count is None or any(feature.is_text for feature in features):
        raise ValueError(
            f"Task {spec.name!r}: a {kind.__name__} has a fixed number of "
            f"numbers, found {features[0].name!r}, {features[0]}."
        )
    task = make_task(spec, kind, size=count)
    _check_size(task, count)
    return task, lambda example: tf.cast(_stack(features, example), tf.float32)


def make_multi_label(
    spec: TargetSpec, kind: type[Task], features: Sequence[NamedFeature]
) -> tuple[Task, Read]:
    """Makes a multi-label classification, and the function that reads it.

    Args:
        spec: The `TargetSpec`.
        kind: `MultiLabelClassification`, or a subclass.
        features: Sequence of features: scalars, a row of labels, or a list of
            classes.

    Returns:
        The task, and a function from an example to an int32 tensor of 0 and 1,
        -1 where a label is missing.

    Raises:
        ValueError: If a feature does not fit.
    """
    if len(features) == 1 and features[0].sequence_rank:
        return _make_class_list(spec, kind, features[0])
    count = _count_columns(spec, kind, features)
    if count is None:
        raise ValueError(
            f"Task {spec.name!r}: the feature {features[0].name!r}, "
            f"{features[0]}, has an unknown number of labels; expected a fixed "
            "number."
        )
    names = tuple(feature.path[-1] for feature in features)
    has_names = len(features) > 1 and len(set(names)) == len(names)
    task = make_task(
        spec, kind, size=count, class_names=names if has_names else None
    )
    _check_size(task, count)

    def read(example: Mapping):
        labels = to_labels(_stack(features, example))
        is_invalid = (labels < MISSING) | (labels > 1)
        check = tf.debugging.Assert(
            ~tf.reduce_any(is_invalid),
            [f"Task {spec.name}: expected labels of 0 and 1, found", labels],
        )
        with tf.control_dependencies([check]):
            return tf.identity(labels)

    return task, read


def _make_class_list(spec, kind, feature) -> tuple[Task, Read]:
    """Makes a multi-label classification from a list of classes."""
    found, names = feature.num_classes, feature.class_names
    count = get_size(spec, kind) or found
    if not count or len(feature.shape) != 1:
        raise ValueError(
            f"Task {spec.name!r}: the feature {feature.name!r}, {feature}, is "
            "not a list of a known number of classes. Pass num_labels=..., or "
            "name another feature."
        )
    fits = names is not None and len(names) == count
    task = make_task(
        spec, kind, size=count, class_names=names if fits else None
    )
    _check_size(task, found or count)
    codes = class_codes(spec, feature, task.class_names)

    def read(example: Mapping):
        classes = recode(tf.cast(feature.value(example), tf.int32), codes)
        counts = tf.reduce_sum(
            tf.one_hot(classes, count, dtype=tf.int32), axis=0
        )
        # A list that contains -1 marks all labels as missing.
        is_missing = tf.reduce_any(classes < 0)
        return tf.where(is_missing, MISSING, tf.minimum(counts, 1))

    return task, read


def _count_columns(spec, kind, features) -> int | None:
    if len(features) == 1 and len(features[0].shape) == 1:
        return features[0].shape[0]
    for feature in features:
        if not feature.is_scalar or feature.is_text:
            raise ValueError(
                f"Task {spec.name!r}: a {kind.__name__} of {len(features)} "
                f"feature(s) has one number per feature, found "
                f"{feature.name!r}, {feature}."
            )
    return len(features)


def _check_size(task: Task, found: int) -> None:
    if task.output_size != found:
        raise ValueError(
            f"Task {task.name!r}: expected "
            f"{format_size(type(task), task.output_size)}, but the features "
            f"have {found}."
        )


def _stack(features: Sequence[NamedFeature], example: Mapping):
    values = [feature.value(example) for feature in features]
    if len(values) == 1:
        return values[0]
    is_float = any(value.dtype.is_floating for value in values)
    dtype = tf.float32 if is_float else tf.int32
    return tf.stack([tf.cast(value, dtype) for value in values])
