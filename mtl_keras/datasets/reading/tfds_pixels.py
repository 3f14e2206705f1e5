"""Reads masks and maps from the features of TensorFlow Datasets."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from mtl_keras.datasets.reading.kind_labels import format_size
from mtl_keras.datasets.reading.mask_values import MISSING, infer_num_classes
from mtl_keras.datasets.reading.spec_task import get_size, make_task
from mtl_keras.datasets.reading.target_spec import TargetSpec
from mtl_keras.datasets.reading.tfds_features import NamedFeature
from mtl_keras.tasks import Task

# Lowest foreground value of black and white masks.
_MIDDLE = 128


@dataclasses.dataclass(frozen=True)
class PixelOptions:
    """Options for reading masks and maps.

    Args:
        image_size: `(height, width)` to resize to, or `None` to keep their
            size.
        missing_pixel: Integer, value of pixels of a mask that have no label,
            or `None`.
        sample: Function from a feature to its values in some examples.
    """

    image_size: tuple[int, int] | None
    missing_pixel: int | None
    sample: Callable[[NamedFeature], Iterable[np.ndarray]]


def make_mask(
    spec: TargetSpec,
    kind: type[Task],
    feature: NamedFeature,
    pixels: PixelOptions,
) -> tuple[Task, Callable[[Mapping], Any]]:
    """Makes a task of masks, and the function that reads them.

    Args:
        spec: The `TargetSpec`.
        kind: `Segmentation`, or a subclass.
        feature: The feature.
        pixels: The `PixelOptions`.

    Returns:
        The task, and a function from an example to an int32 tensor of shape
        `(height, width, 1)`, -1 where a pixel has no label.

    Raises:
        ValueError: If the feature does not contain masks, or the number of
            classes is ambiguous.
    """
    count, allowed = get_size(spec, kind), None
    named = feature.num_classes
    if count is None and named:
        count = 1 if named == 2 else named
    if count in (None, 1):
        count, allowed = _inspect(spec, feature, pixels, count)
    names = feature.class_names
    fits = names is not None and len(names) == max(count, 2)
    task = make_task(
        spec, kind, size=count, class_names=names if fits else None
    )
    # Valid values, the same for all masks.
    if allowed is None:
        allowed = np.arange(task.num_label_classes)

    def read(example: Mapping):
        value = _check_pixels(spec, feature, feature.value(example))
        value = tf.cast(value[..., :1], tf.int32)
        missing = value == MISSING
        if pixels.missing_pixel is not None:
            missing |= value == pixels.missing_pixel
        fits = _fits(value, allowed) | missing
        bad = tf.boolean_mask(value, ~fits)[:1]
        check = tf.debugging.Assert(
            tf.reduce_all(fits),
            [
                # Without quotes, which TensorFlow would escape.
                f"A mask of task {spec.name} (feature {feature.name}) must "
                f"hold {_list_values(allowed)}, found",
                bad,
                "Pass the value of pixels without a label as missing_pixel=, "
                "and the number of classes as num_classes=.",
            ],
        )
        if allowed[-1] > 1 and count == 1:
            value = tf.cast(value >= _MIDDLE, tf.int32)
        with tf.control_dependencies([check]):
            labels = tf.where(missing, MISSING, value)
        return _resize(spec, feature, labels, pixels)

    return task, read


def make_map(
    spec: TargetSpec,
    kind: type[Task],
    feature: NamedFeature,
    pixels: PixelOptions,
) -> tuple[Task, Callable[[Mapping], Any]]:
    """Makes a task of maps of numbers, and the function that reads them.

    Args:
        spec: The `TargetSpec`.
        kind: `DenseRegression`, or a subclass.
        feature: The feature.
        pixels: The `PixelOptions`.

    Returns:
        The task, and a function from an example to a float32 tensor of shape
        `(height, width, units)`.

    Raises:
        ValueError: If the feature has another number of values per pixel.
    """
    units = feature.shape[-1] if len(feature.shape) == 3 else 1
    task = make_task(spec, kind, size=units)
    if task.output_size != units:
        raise ValueError(
            f"Task {spec.name!r}: expected "
            f"{format_size(kind, task.output_size)}, but the feature "
            f"{feature.name!r} has {units} numbers per pixel."
        )

    def read(example: Mapping):
        value = _check_pixels(spec, feature, feature.value(example), units)
        value = tf.cast(value, tf.float32)
        return _resize(spec, feature, value, pixels)

    return task, read


def _inspect(spec, feature, pixels: PixelOptions, count: int | None):
    """Returns the number of classes, and the valid values of masks."""
    found = _sample_values(spec, feature, pixels)
    if not len(found):
        raise ValueError(
            f"Task {spec.name!r}: no pixel has a label in the first masks of "
            f"the feature {feature.name!r}. Pass num_classes=..., or leave the "
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
            f"hold {_list_values(found)}. If 255 marks pixels without a label, "
            "pass missing_pixel=255; if the masks are black and white with "
            "soft edges, pass num_classes=1."
        )
    if count is None:
        source = f"Task {spec.name!r}: the feature {feature.name!r}"
        return infer_num_classes(found, source), None
    if found[-1] < _MIDDLE:
        raise ValueError(
            f"Task {spec.name!r}: num_classes=1, but the masks of the feature "
            f"{feature.name!r} hold {_list_values(found)}; expected 0 and 1, "
            f"or greys up to 255. Pass num_classes={found[-1] + 1}."
        )
    return 1, np.arange(256)


def _sample_values(spec, feature, pixels: PixelOptions) -> np.ndarray:
    """Returns the values of the first masks, without missing labels."""
    found: set[int] = set()
    for mask in pixels.sample(feature):
        if mask.dtype.kind not in "biu":
            raise ValueError(_not_pixels(spec, feature, f"dtype {mask.dtype}"))
        found.update(np.unique(mask).tolist())
    found.discard(pixels.missing_pixel)
    return np.array(sorted(value for value in found if value >= 0), int)


def _check_pixels(spec, feature, value, units: int = 1):
    """Returns a value with a channel axis, or raises an error."""
    if isinstance(value, tf.RaggedTensor) or value.dtype == tf.string:
        raise ValueError(_not_pixels(spec, feature, "no pixels"))
    if value.shape.rank == 2:
        value = value[..., None]
    if value.shape.rank != 3 or value.shape[-1] != units:
        raise ValueError(_not_pixels(spec, feature, f"shape {value.shape}"))
    return value


def _not_pixels(spec, feature, found: str) -> str:
    return (
        f"Task {spec.name!r}: the feature {feature.name!r} has {found}, "
        "expected pixels of shape (height, width, 1). Pass a decoder that "
        f"returns them: decoders={{{feature.name!r}: ...}}."
    )


def _resize(spec, feature, value, pixels: PixelOptions):
    size = pixels.image_size
    if size is not None and tuple(value.shape[:2]) != size:
        value = tf.image.resize(value, size, method="nearest")
    if not value.shape.is_fully_defined():
        raise ValueError(
            f"Task {spec.name!r}: the feature {feature.name!r} has the unknown "
            f"shape {value.shape}, but a batch needs one shape. Pass "
            "image_size=(height, width)."
        )
    return value


def _fits(value, allowed: np.ndarray):
    low, high = allowed[0], allowed[-1]
    if len(allowed) == high - low + 1:
        return (value >= low) & (value <= high)
    return (value == low) | (value == high)


def _list_values(values: np.ndarray) -> str:
    if len(values) > 8 and len(values) == values[-1] - values[0] + 1:
        return f"the values from {values[0]} to {values[-1]}"
    shown = ", ".join(map(str, values[:8].tolist()))
    return f"the values {shown}" + (", ..." if len(values) > 8 else "")
