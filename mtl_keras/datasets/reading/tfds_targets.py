"""Makes tasks and their targets from the features of TensorFlow Datasets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mtl_keras.datasets.reading.kind_labels import has_one_class
from mtl_keras.datasets.reading.target_spec import TargetSpec
from mtl_keras.datasets.reading.tfds_classes import make_classes
from mtl_keras.datasets.reading.tfds_columns import (
    make_multi_label,
    make_regression,
)
from mtl_keras.datasets.reading.tfds_features import NamedFeature
from mtl_keras.datasets.reading.tfds_kind import infer_kind
from mtl_keras.datasets.reading.tfds_pixels import (
    PixelOptions,
    make_map,
    make_mask,
)
from mtl_keras.tasks import Task


def make_tfds_target(
    spec: TargetSpec,
    features: Sequence[NamedFeature],
    inputs: Sequence[NamedFeature],
    pixels: PixelOptions,
) -> tuple[Task, Callable[[Mapping], Any]]:
    """Makes the task of a spec, and the function that reads its targets.

    Args:
        spec: The `TargetSpec`.
        features: Sequence of the features that contain its labels.
        inputs: Sequence of the features that are inputs.
        pixels: The `PixelOptions`.

    Returns:
        The task, and a function from an example to a tensor: float32 with NaN
        for missing labels of a regression, int32 with -1 for missing classes.

    Raises:
        ValueError: If the features do not fit, or the kind is ambiguous.
    """
    kind = spec.kind or infer_kind(spec, features, inputs)
    form = kind.target_kind, kind.labels_per
    if form == ("binary", "sample") and kind.columns:
        return make_multi_label(spec, kind, features)
    if form == ("number", "sample"):
        return make_regression(spec, kind, features)
    if len(features) > 1:
        names = [feature.name for feature in features]
        raise ValueError(
            f"Task {spec.name!r}: a {kind.__name__} has one feature, found "
            f"{names}. A MultiLabelClassification or a Regression can have "
            "several."
        )
    (feature,) = features
    if form == ("number", "pixel"):
        return make_map(spec, kind, feature, pixels)
    if has_one_class(kind, "pixel"):
        return make_mask(spec, kind, feature, pixels)
    if has_one_class(kind, "step"):
        return make_classes(spec, kind, feature, rank=1)
    if has_one_class(kind, "sample"):
        return make_classes(spec, kind, feature, rank=0)
    raise ValueError(
        f"Task {spec.name!r}: from_tfds cannot read a {kind.__name__}. Read "
        "the data set with tfds.load, and map it with tf.data."
    )
