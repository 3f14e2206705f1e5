"""Reads the classes of samples, or of steps, from TensorFlow Datasets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from mtl_keras.datasets.reading.mask_values import MISSING
from mtl_keras.datasets.reading.spec_task import (
    get_argument,
    get_num_classes,
    make_task,
)
from mtl_keras.datasets.reading.target_spec import TargetSpec
from mtl_keras.datasets.reading.tfds_features import NamedFeature
from mtl_keras.tasks import Task


def make_classes(
    spec: TargetSpec, kind: type[Task], feature: NamedFeature, rank: int
) -> tuple[Task, Callable[[Mapping], Any]]:
    """Makes a task of classes, and the function that reads them.

    Args:
        spec: The `TargetSpec`.
        kind: Class of the task.
        feature: The feature.
        rank: Integer, 0 for one class per sample, 1 for one class per step.

    Returns:
        The task, and a function from an example to an int32 tensor, -1 where a
        label is missing.

    Raises:
        ValueError: If the feature does not fit, or its classes are unknown.
    """
    if len(feature.shape) != rank:
        expected = "a value" if rank == 0 else "a list of values"
        raise ValueError(
            f"Task {spec.name!r}: a {kind.__name__} has {expected} per sample, "
            f"found the feature {feature.name!r}, {feature}."
        )
    given_names = get_argument(spec, "class_names")
    count = get_num_classes(spec, kind)
    count = count or len(given_names or ()) or feature.num_classes
    if not count or (feature.is_text and not given_names):
        needed = "class_names" if feature.is_text else kind.size_argument
        raise ValueError(
            f"Task {spec.name!r}: the classes of the feature {feature.name!r}, "
            f"{feature}, are unknown. Pass tasks={{{spec.name!r}: {{'kind': "
            f"{kind.__name__!r}, 'columns': [{feature.name!r}], {needed!r}: "
            "...}}."
        )
    found = feature.num_classes
    if found and found > count:
        raise ValueError(
            f"Task {spec.name!r}: the feature {feature.name!r} has {found} "
            f"classes, but the task has {count}. Pass a task with at least "
            f"{found} classes."
        )
    names = feature.class_names
    fits = names is not None and len(names) == count
    task = make_task(
        spec, kind, size=count, class_names=names if fits else None
    )
    codes = class_codes(spec, feature, task.class_names)

    def read(example: Mapping):
        value = feature.value(example)
        if isinstance(value, tf.RaggedTensor):
            raise ValueError(
                f"Task {spec.name!r}: the feature {feature.name!r} is a list "
                "of lists, expected a list of classes."
            )
        if value.dtype == tf.string:
            return _look_up(spec, value, given_names)
        return recode(to_labels(value), codes)

    return task, read


def to_labels(value):
    """Converts labels to int32, and NaN to -1.

    Args:
        value: Tensor of labels.

    Returns:
        int32 tensor of the same shape.
    """
    if value.dtype.is_floating:
        missing = tf.cast(MISSING, value.dtype)
        value = tf.where(tf.math.is_nan(value), missing, value)
    return tf.cast(value, tf.int32)


def class_codes(
    spec: TargetSpec,
    feature: NamedFeature,
    class_names: Sequence[str] | None,
) -> np.ndarray | None:
    """Returns the index in the task of each class of the data set.

    Args:
        spec: The `TargetSpec`.
        feature: The feature.
        class_names: Class names of the task, or `None`.

    Returns:
        int32 array, or `None` if the indices are the same.

    Raises:
        ValueError: If the task lacks a class of the data set.
    """
    names = feature.class_names
    if names is None or class_names is None or tuple(class_names) == names:
        return None
    unknown = [name for name in names if name not in class_names]
    if unknown:
        raise ValueError(
            f"Task {spec.name!r}: the feature {feature.name!r} has the class "
            f"{unknown[0]!r}, which is not among class_names "
            f"{list(class_names)}. Name all of {list(names)}, in any order."
        )
    return np.array([class_names.index(name) for name in names], "int32")


def recode(labels, codes: np.ndarray | None):
    """Converts the classes of the data set to those of the task.

    Args:
        labels: int32 tensor, with -1 for missing labels.
        codes: From `class_codes`.

    Returns:
        int32 tensor of the same shape.
    """
    if codes is None:
        return labels
    return tf.where(labels < 0, labels, tf.gather(codes, tf.maximum(labels, 0)))


def _look_up(spec, value, names: Sequence[str]):
    """Encodes classes that are strings; an empty one is a missing label."""
    is_name = tf.equal(value[..., None], tf.constant(list(names)))
    known = tf.reduce_any(is_name, axis=-1)
    check = tf.debugging.Assert(
        tf.reduce_all(known | (value == "")),
        [f"Task {spec.name}: expected {', '.join(names)}; found", value],
    )
    with tf.control_dependencies([check]):
        codes = tf.argmax(tf.cast(is_name, tf.int32), axis=-1)
        return tf.where(known, tf.cast(codes, tf.int32), MISSING)
