"""Infers the kind of a task from the features of TensorFlow Datasets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mtl_keras.datasets.reading.target_spec import TargetSpec
from mtl_keras.datasets.reading.tfds_features import NamedFeature
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


def infer_kind(
    spec: TargetSpec,
    features: Sequence[NamedFeature],
    inputs: Sequence[NamedFeature],
) -> type[Task]:
    """Infers the kind of a task from its features.

    Args:
        spec: The `TargetSpec`.
        features: Sequence of the features that contain its labels.
        inputs: Sequence of the features that are inputs.

    Returns:
        Class of the task.

    Raises:
        ValueError: If the kind is ambiguous.
    """
    if len(features) > 1:
        if all(f.is_scalar and f.dtype == np.bool_ for f in features):
            return MultiLabelClassification
        if all(f.is_scalar and f.is_float for f in features):
            return Regression
        kinds = (MultiLabelClassification, Regression)
        raise ValueError(_ambiguous_kind(spec, features, *kinds))
    (feature,) = features
    count = feature.num_classes
    if feature.is_image or _has_value_per_pixel(feature, inputs):
        return DenseRegression if feature.is_float else Segmentation
    if feature.sequence_rank:
        if count and any(map(_is_token_list, inputs)):
            return SequenceTagging
        kinds = (SequenceTagging, MultiLabelClassification)
        raise ValueError(_ambiguous_kind(spec, features, *kinds))
    if count and feature.is_scalar:
        return BinaryClassification if count == 2 else Classification
    rank = len(feature.shape)
    if feature.dtype == np.bool_ and rank < 2:
        is_scalar = feature.is_scalar
        return BinaryClassification if is_scalar else MultiLabelClassification
    if feature.is_float and rank < 2:
        return Regression
    kinds = (Classification, Regression)
    if rank > 1:
        kinds = (Segmentation, DenseRegression)
    raise ValueError(_ambiguous_kind(spec, features, *kinds))


def _has_value_per_pixel(
    feature: NamedFeature, inputs: Sequence[NamedFeature]
) -> bool:
    if feature.sequence_rank or feature.is_text:
        return False
    if len(feature.shape) not in (2, 3):
        return False
    return feature.shape[:2] in [x.shape[:2] for x in inputs if x.is_image]


def _is_token_list(feature: NamedFeature) -> bool:
    is_list = feature.sequence_rank == 1 and len(feature.shape) == 1
    return is_list and feature.is_text


def _ambiguous_kind(spec, features, *kinds: type[Task]) -> str:
    found = ", ".join(f"{f.name!r} ({f})" for f in features)
    ways = " or ".join(_tasks_argument(spec, kind.__name__) for kind in kinds)
    return (
        f"Task {spec.name!r}: its kind is ambiguous, found {found}. Pass "
        f"tasks={ways}, with 'num_classes' or 'class_names' beside the 'kind' "
        "if needed."
    )


def _tasks_argument(spec: TargetSpec, kind: str) -> str:
    if spec.columns == (spec.name,):
        return f"{{{spec.name!r}: {kind!r}}}"
    columns = list(spec.columns)
    return f"{{{spec.name!r}: {{'kind': {kind!r}, 'columns': {columns}}}}}"
