"""Masks and maps from the features of TensorFlow Datasets."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from mtl_keras.datasets.reading.mask_values import MISSING, inferred_count
from mtl_keras.datasets.reading.target_spec import TargetSpec
from mtl_keras.datasets.reading.tfds_features import NamedFeature
from mtl_keras.datasets.reading.tfds_spec import (
    class_names_of,
    make_task,
    num_classes_of,
    said,
)
from mtl_keras.tasks import Task

# A value of a mask from which on it is the foreground, if it is a picture.
_MIDDLE = 128


@dataclasses.dataclass(frozen=True)
class Pixels:
    """What is asked of masks and maps.

    Args:
        image_size: `(height, width)` to resize to, or `None` to keep theirs.
        missing_pixel: Integer, value of pixels of a mask that have no label,
            or `None`.
        sample: Function from a feature to numpy values of a few examples.
    """

    image_size: tuple[int, int] | None
    missing_pixel: int | None
    sample: Callable[[NamedFeature], Iterable[np.ndarray]]


def make_mask(
    spec: TargetSpec, kind: type[Task], feature: NamedFeature, pixels: Pixels
) -> tuple[Task, Callable[[Mapping], Any]]:
    """Makes a task of masks, and what reads them.

    Args:
        spec: What the caller says of the target.
        kind: `Segmentation`, or a class that inherits from it.
        feature: The feature.
        pixels: What is asked of masks.

    Returns:
        The task, and a function from an example to an int32 tensor of shape
        `(height, width, 1)`, -1 where a pixel has no label.

    Raises:
        ValueError: If the feature holds no masks, or a few of them do not say
            how many classes there are.
    """
    count, allowed = said(spec, "num_classes"), None
    named = num_classes_of(feature)
    if count is None and named:
        count = 1 if named == 2 else named
    if count in (None, 1):
        count, allowed = _inspect(spec, feature, pixels, count)
    names = class_names_of(feature)
    fits = names is not None and len(names) == max(count, 2)
    task = make_task(
        spec, kind, num_classes=count, class_names=names if fits else None
    )
    # The values that the masks may hold, the same for all of them.
    allowed = np.arange(max(count, 2)) if allowed is None else allowed

    def read(example: Mapping):
        value = _plane(spec, feature, feature.value(example))
        value = tf.cast(value[..., :1], tf.int32)
        gone = value == MISSING
        if pixels.missing_pixel is not None:
            gone |= value == pixels.missing_pixel
        fits = _fits(value, allowed) | gone
        bad = tf.boolean_mask(value, ~fits)[:1]
        check = tf.debugging.Assert(
            tf.reduce_all(fits),
            [
                # Quotation marks come out of TensorFlow as a mess.
                f"A mask of task {spec.name} (feature {feature.name}) must "
                f"hold {_listed(allowed)}, found",
                bad,
                "Pixels without a label have a value that missing_pixel= "
                "names, and num_classes= says how many classes there are.",
            ],
        )
        if allowed[-1] > 1 and count == 1:
            value = tf.cast(value >= _MIDDLE, tf.int32)
        with tf.control_dependencies([check]):
            labels = tf.where(gone, MISSING, value)
        return _resized(spec, feature, labels, pixels)

    return task, read


def make_map(
    spec: TargetSpec, kind: type[Task], feature: NamedFeature, pixels: Pixels
) -> tuple[Task, Callable[[Mapping], Any]]:
    """Makes a task of numbers of pixels, and what reads them.

    Args:
        spec: What the caller says of the target.
        kind: `DenseRegression`, or a class that inherits from it.
        feature: The feature.
        pixels: What is asked of maps.

    Returns:
        The task, and a function from an example to a float32 tensor of shape
        `(height, width, units)`.

    Raises:
        ValueError: If the feature holds no maps of as many numbers.
    """
    units = feature.shape[-1] if len(feature.shape) == 3 else 1
    task = make_task(spec, kind, units=units)
    if task.units != units:
        raise ValueError(
            f"Task {spec.name!r}: units={task.units}, but the feature "
            f"{feature.name!r} has {units} numbers a pixel."
        )

    def read(example: Mapping):
        value = _plane(spec, feature, feature.value(example), units)
        value = tf.cast(value, tf.float32)
        return _resized(spec, feature, value, pixels)

    return task, read


def _inspect(spec, feature, pixels: Pixels, count: int | None):
    """The number of classes, and the values that masks may hold."""
    found = _values(spec, feature, pixels)
    if not len(found):
        raise ValueError(
            f"Task {spec.name!r}: no pixel has a label in the first masks of "
            f"the feature {feature.name!r}. Say num_classes=..., or leave the "
            "task out."
        )
    if np.isin(found, [0, 1]).all():
        return 1, None
    if np.isin(found, [0, 255]).all():
        return 1, np.array([0, 255])
    is_ambiguous = 255 in found and (count is None or found[-2] <= 1)
    if is_ambiguous:
        raise ValueError(
            f"Task {spec.name!r}: the masks of the feature {feature.name!r} "
            f"hold {_listed(found)}. If 255 marks pixels without a label, pass "
            "missing_pixel=255; if the masks are pictures of 0 and 255 with "
            "soft edges, say num_classes=1."
        )
    if count is None:
        source = f"Task {spec.name!r}: the feature {feature.name!r}"
        return inferred_count(found, source), None
    if found[-1] < _MIDDLE:
        raise ValueError(
            f"Task {spec.name!r}: num_classes=1, but the masks of the feature "
            f"{feature.name!r} hold {_listed(found)}; expected 0 and 1, or "
            f"greys up to 255. Say num_classes={found[-1] + 1}."
        )
    return 1, np.arange(256)


def _values(spec, feature, pixels: Pixels) -> np.ndarray:
    """The values of the first masks, without those of missing labels."""
    found: set[int] = set()
    for mask in pixels.sample(feature):
        if mask.dtype.kind not in "biu":
            raise ValueError(_no_mask(spec, feature, f"dtype {mask.dtype}"))
        found.update(np.unique(mask).tolist())
    gone = {pixels.missing_pixel}
    return np.array(sorted(v for v in found if v >= 0 and v not in gone), int)


def _plane(spec, feature, value, units: int = 1):
    """Brings a value to the rank of an image."""
    if isinstance(value, tf.RaggedTensor) or value.dtype == tf.string:
        raise ValueError(_no_mask(spec, feature, "no pixels"))
    if value.shape.rank == 2:
        value = value[..., None]
    if value.shape.rank != 3 or value.shape[-1] != units:
        raise ValueError(_no_mask(spec, feature, f"shape {value.shape}"))
    return value


def _no_mask(spec, feature, found: str) -> str:
    return (
        f"Task {spec.name!r}: the feature {feature.name!r} has {found}, "
        "expected pixels of shape (height, width, 1). Pass a decoder that "
        f"makes them: decoders={{{feature.name!r}: ...}}."
    )


def _resized(spec, feature, value, pixels: Pixels):
    size = pixels.image_size
    if size is not None and tuple(value.shape[:2]) != size:
        value = tf.image.resize(value, size, method="nearest")
    if not value.shape.is_fully_defined():
        raise ValueError(
            f"Task {spec.name!r}: the feature {feature.name!r} has the open "
            f"shape {value.shape}, and a batch needs one shape. Pass "
            "image_size=(height, width)."
        )
    return value


def _fits(value, allowed: np.ndarray):
    low, high = allowed[0], allowed[-1]
    if len(allowed) == high - low + 1:
        return (value >= low) & (value <= high)
    return (value == low) | (value == high)


def _listed(values: np.ndarray) -> str:
    if len(values) > 8 and len(values) == values[-1] - values[0] + 1:
        return f"the values from {values[0]} to {values[-1]}"
    shown = ", ".join(map(str, values[:8].tolist()))
    return f"the values {shown}" + (", ..." if len(values) > 8 else "")
