"""Tasks and their targets from the features of TensorFlow Datasets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from mtl_keras.datasets.reading.mask_values import MISSING
from mtl_keras.datasets.reading.target_spec import TargetSpec
from mtl_keras.datasets.reading.tfds_features import NamedFeature
from mtl_keras.datasets.reading.tfds_pixels import (
    Pixels,
    make_map,
    make_mask,
)
from mtl_keras.datasets.reading.tfds_spec import (
    class_names_of,
    make_task,
    num_classes_of,
    said,
)
from mtl_keras.tasks import (
    BinaryClassification,
    Classification,
    DenseRegression,
    MultiLabelClassification,
    Regression,
    Segmentation,
    SequenceTagging,
    Task,
)

Read = Callable[[Mapping], Any]


def make_tfds_target(
    spec: TargetSpec,
    features: Sequence[NamedFeature],
    inputs: Sequence[NamedFeature],
    pixels: Pixels,
) -> tuple[Task, Read]:
    """Makes the task of a spec, and what reads its targets.

    Args:
        spec: What the caller says of the target.
        features: Sequence of the features that hold its labels.
        inputs: Sequence of the features that are inputs.
        pixels: What is asked of masks.

    Returns:
        The task, and a function from an example to a tensor: float32 with NaN
        for missing labels of a regression, int32 with -1 for those of classes.

    Raises:
        ValueError: If the features do not fit, or do not say what they are.
    """
    kind = spec.kind or _infer_kind(spec, features, inputs)
    if issubclass(kind, MultiLabelClassification):
        return _multi_label(spec, kind, features)
    if issubclass(kind, Regression) and not issubclass(kind, DenseRegression):
        return _regression(spec, kind, features)
    if len(features) > 1:
        names = [feature.name for feature in features]
        raise ValueError(
            f"Task {spec.name!r}: a {kind.__name__} has one feature, found "
            f"{names}. Several go into a MultiLabelClassification or a "
            "Regression."
        )
    (feature,) = features
    if issubclass(kind, DenseRegression):
        return make_map(spec, kind, feature, pixels)
    if issubclass(kind, Segmentation):
        return make_mask(spec, kind, feature, pixels)
    if issubclass(kind, SequenceTagging):
        return _classes(spec, kind, feature, rank=1)
    if issubclass(kind, Classification | BinaryClassification):
        return _classes(spec, kind, feature, rank=0)
    raise ValueError(
        f"Task {spec.name!r}: from_tfds reads no {kind.__name__}. Map the "
        "data set by tf.data instead."
    )


def _infer_kind(spec, features, inputs) -> type[Task]:
    if len(features) > 1:
        if all(_is_scalar(f) and f.dtype == np.bool_ for f in features):
            return MultiLabelClassification
        if all(_is_scalar(f) and _is_float(f) for f in features):
            return Regression
        ways = ("MultiLabelClassification", "Regression")
        raise ValueError(_cannot_tell(spec, features, *ways))
    (feature,) = features
    count = num_classes_of(feature)
    if feature.is_image or _lies_on(feature, inputs):
        return DenseRegression if _is_float(feature) else Segmentation
    if feature.sequence_rank:
        if count and any(map(_is_token_list, inputs)):
            return SequenceTagging
        ways = ("SequenceTagging", "MultiLabelClassification")
        raise ValueError(_cannot_tell(spec, features, *ways))
    if count and _is_scalar(feature):
        return BinaryClassification if count == 2 else Classification
    if feature.dtype == np.bool_ and len(feature.shape) < 2:
        is_one = _is_scalar(feature)
        return BinaryClassification if is_one else MultiLabelClassification
    if _is_float(feature) and len(feature.shape) < 2:
        return Regression
    ways = ("Classification", "Regression")
    if len(feature.shape) > 1:
        ways = ("Segmentation", "DenseRegression")
    raise ValueError(_cannot_tell(spec, features, *ways))


def _lies_on(feature: NamedFeature, inputs: Sequence[NamedFeature]) -> bool:
    """Tells whether a feature has a value for each pixel of an input."""
    if feature.sequence_rank or _is_text(feature):
        return False
    if len(feature.shape) not in (2, 3):
        return False
    sizes = [one.shape[:2] for one in inputs if one.is_image]
    return feature.shape[:2] in sizes


def _is_token_list(feature: NamedFeature) -> bool:
    is_list = feature.sequence_rank == 1 and len(feature.shape) == 1
    return is_list and _is_text(feature)


def _cannot_tell(spec, features, *ways: str) -> str:
    found = ", ".join(f"{f.name!r} ({f})" for f in features)
    known = " or ".join(_as_kind(spec, way) for way in ways)
    return (
        f"Task {spec.name!r}: its kind cannot be told from {found}. Say it: "
        f"tasks={known}, with 'num_classes' or 'class_names' beside the "
        "'kind' where they are needed."
    )


def _as_kind(spec: TargetSpec, kind: str) -> str:
    if spec.columns == (spec.name,):
        return f"{{{spec.name!r}: {kind!r}}}"
    columns = list(spec.columns)
    return f"{{{spec.name!r}: {{'kind': {kind!r}, 'columns': {columns}}}}}"


def _is_scalar(feature: NamedFeature) -> bool:
    return feature.shape == ()


def _is_float(feature: NamedFeature) -> bool:
    return np.dtype(feature.dtype).kind in "fV"


def _classes(spec, kind, feature, rank: int) -> tuple[Task, Read]:
    """One class for each sample, or for each step of a sequence."""
    if len(feature.shape) != rank:
        expected = "a value" if rank == 0 else "a list of values"
        raise ValueError(
            f"Task {spec.name!r}: a {kind.__name__} has {expected} for each "
            f"sample, found the feature {feature.name!r}, {feature}."
        )
    binary = issubclass(kind, BinaryClassification)
    names = class_names_of(feature)
    own_names = said(spec, "class_names")
    count = 2 if binary else said(spec, "num_classes")
    found = num_classes_of(feature)
    is_text = _is_text(feature)
    count = count or len(own_names or ()) or found
    if not count or (is_text and not own_names):
        needed = "class_names" if is_text else "num_classes"
        raise ValueError(
            f"Task {spec.name!r}: the feature {feature.name!r}, {feature}, "
            f"does not say its classes. Say them: tasks={{{spec.name!r}: "
            f"{{'kind': {kind.__name__!r}, 'columns': [{feature.name!r}], "
            f"{needed!r}: ...}}}}."
        )
    if found and found > count:
        raise ValueError(
            f"Task {spec.name!r}: the feature {feature.name!r} has {found} "
            f"classes, found num_classes={count}. Leave it out, or say at "
            f"least {found}."
        )
    fits = names is not None and len(names) == count
    sizes = {} if binary else {"num_classes": count}
    task = make_task(spec, kind, class_names=names if fits else None, **sizes)
    codes = _codes(spec, feature, names, task.class_names)

    def read(example: Mapping):
        value = feature.value(example)
        if isinstance(value, tf.RaggedTensor):
            raise ValueError(
                f"Task {spec.name!r}: the feature {feature.name!r} is a list "
                "of lists, expected a list of classes."
            )
        if value.dtype == tf.string:
            return _look_up(spec, value, own_names)
        if value.dtype.is_floating:
            gone = tf.math.is_nan(value)
            value = tf.where(gone, tf.cast(MISSING, value.dtype), value)
        value = tf.cast(value, tf.int32)
        if codes is None:
            return value
        return tf.where(
            value < 0, value, tf.gather(codes, tf.maximum(value, 0))
        )

    return task, read


def _codes(spec, feature, names, wanted) -> np.ndarray | None:
    """The number that each class of the data set has by the task's names."""
    if names is None or wanted is None or tuple(wanted) == names:
        return None
    unknown = [name for name in names if name not in wanted]
    if unknown:
        raise ValueError(
            f"Task {spec.name!r}: the feature {feature.name!r} has the class "
            f"{unknown[0]!r}, which is not among class_names {list(wanted)}. "
            f"Name all of {list(names)}, in any order."
        )
    return np.array([wanted.index(name) for name in names], "int32")


def _recoded(value, codes: np.ndarray | None):
    if codes is None:
        return value
    return tf.where(value < 0, value, tf.gather(codes, tf.maximum(value, 0)))


def _look_up(spec, value, names: Sequence[str]):
    """Numbers the classes that are texts; an empty one is a missing label."""
    is_name = tf.equal(value[..., None], tf.constant(list(names)))
    known = tf.reduce_any(is_name, axis=-1)
    check = tf.debugging.Assert(
        tf.reduce_all(known | (value == "")),
        [f"Task {spec.name}: expected {', '.join(names)}; found", value],
    )
    with tf.control_dependencies([check]):
        codes = tf.argmax(tf.cast(is_name, tf.int32), axis=-1)
        return tf.where(known, tf.cast(codes, tf.int32), MISSING)


def _multi_label(spec, kind, features) -> tuple[Task, Read]:
    if len(features) == 1 and features[0].sequence_rank:
        return _label_list(spec, kind, features[0])
    names = None
    if len(features) > 1:
        names = tuple(feature.path[-1] for feature in features)
        names = names if len(set(names)) == len(names) else None
    if len(features) == 1 and len(features[0].shape) == 1:
        count = features[0].shape[0]
    else:
        count = len(features)
        _check_scalars(spec, kind, features)
    if count is None:
        raise ValueError(
            f"Task {spec.name!r}: the feature {features[0].name!r}, "
            f"{features[0]}, has an open number of labels; expected a fixed "
            "one."
        )
    task = make_task(spec, kind, num_labels=count, class_names=names)
    _check_count(spec, "num_labels", task.num_labels, count)

    def read(example: Mapping):
        value = _stack(features, example)
        if value.dtype.is_floating:
            gone = tf.math.is_nan(value)
            value = tf.where(gone, tf.cast(MISSING, value.dtype), value)
        value = tf.cast(value, tf.int32)
        bad = (value < MISSING) | (value > 1)
        check = tf.debugging.Assert(
            ~tf.reduce_any(bad),
            [f"Task {spec.name}: expected labels of 0 and 1, found", value],
        )
        with tf.control_dependencies([check]):
            return tf.identity(value)

    return task, read


def _label_list(spec, kind, feature) -> tuple[Task, Read]:
    """The labels that a sample has, in a list."""
    found, names = num_classes_of(feature), class_names_of(feature)
    count = said(spec, "num_labels") or found
    if not count or len(feature.shape) != 1:
        raise ValueError(
            f"Task {spec.name!r}: the feature {feature.name!r}, {feature}, is "
            "no list of classes whose number is known. Say num_labels=..., or "
            "name another feature."
        )
    fits = names is not None and len(names) == count
    task = make_task(
        spec, kind, num_labels=count, class_names=names if fits else None
    )
    _check_count(spec, "num_labels", task.num_labels, found or count)
    codes = _codes(spec, feature, names, task.class_names)

    def read(example: Mapping):
        value = tf.cast(feature.value(example), tf.int32)
        if codes is not None:
            value = tf.where(
                value < 0, value, tf.gather(codes, tf.maximum(value, 0))
            )
        there = tf.reduce_sum(tf.one_hot(value, count, dtype=tf.int32), axis=0)
        # A list that holds -1 says that the labels are not known.
        unknown = tf.reduce_any(value < 0)
        return tf.where(unknown, MISSING, tf.minimum(there, 1))

    return task, read


def _regression(spec, kind, features) -> tuple[Task, Read]:
    if len(features) == 1 and len(features[0].shape) == 1:
        count = features[0].shape[0]
    else:
        count = len(features)
        _check_scalars(spec, kind, features)
    if count is None or any(_is_text(feature) for feature in features):
        raise ValueError(
            f"Task {spec.name!r}: a Regression has a fixed number of numbers, "
            f"found {features[0].name!r}, {features[0]}."
        )
    task = make_task(spec, kind, units=count)
    _check_count(spec, "units", task.units, count)
    return task, lambda example: tf.cast(_stack(features, example), tf.float32)


def _is_text(feature: NamedFeature) -> bool:
    return np.dtype(feature.dtype).kind in "OSU"


def _check_scalars(spec, kind, features) -> None:
    for feature in features:
        if not _is_scalar(feature) or _is_text(feature):
            raise ValueError(
                f"Task {spec.name!r}: a {kind.__name__} of {len(features)} "
                f"feature(s) has a number in each, found {feature.name!r}, "
                f"{feature}."
            )


def _check_count(spec, argument: str, stated: int, found: int) -> None:
    if stated != found:
        raise ValueError(
            f"Task {spec.name!r}: {argument}={stated}, but the features hold "
            f"{found}."
        )


def _stack(features: Sequence[NamedFeature], example: Mapping):
    values = [feature.value(example) for feature in features]
    if len(values) == 1:
        return values[0]
    # Together as floats, where one of them is.
    floats = any(value.dtype.is_floating for value in values)
    dtype = tf.float32 if floats else tf.int32
    return tf.stack([tf.cast(value, dtype) for value in values])
