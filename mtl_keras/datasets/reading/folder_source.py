"""Samples that lie in folders of images, read when they are needed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

import keras
import numpy as np
import tensorflow as tf

from mtl_keras.datasets.reading.mask_values import MISSING
from mtl_keras.datasets.samples import Samples, Targets


@dataclasses.dataclass(frozen=True, eq=False)
class FolderSource:
    """Makes batches and arrays of images, masks and labels.

    Args:
        images: String array of shape `(n,)`, paths of the images.
        masks: Dict from task name to a string array of shape `(n,)`, paths of
            the masks, empty where an image has none.
        num_classes: Dict from the same names to the numbers of classes.
        labels: Dict from task name to arrays of shape `(n, ...)`.
        image_size: `(height, width)` of the samples.
        channels: Integer, channels of an image: 1, 3 or 4.
        missing_pixel: Integer, value of the pixels of a mask that have no
            label, or `None`.
    """

    images: np.ndarray
    masks: Mapping[str, np.ndarray]
    num_classes: Mapping[str, int]
    labels: Targets
    image_size: tuple[int, int]
    channels: int
    missing_pixel: int | None = None

    def batches(
        self, indices: np.ndarray, batch_size: int, seed: int | None
    ) -> tf.data.Dataset:
        """Makes batches of some samples.

        Args:
            indices: Integer array, which samples.
            batch_size: Integer, samples per batch; the last may be smaller.
            seed: Integer, seed of the order, which is another one each epoch;
                or `None` for the order of `indices`.

        Returns:
            A `tf.data.Dataset` of `(x, y)` with a known number of batches.
        """
        paths = self._paths(indices)
        if seed is not None:
            # Paths, so that all of them can wait in memory for their turn.
            paths = paths.shuffle(len(indices), seed=seed)
        return (
            paths.map(self._read, num_parallel_calls=tf.data.AUTOTUNE)
            .batch(batch_size)
            .prefetch(tf.data.AUTOTUNE)
        )

    def arrays(self, indices: np.ndarray) -> Samples:
        """Reads some samples.

        Args:
            indices: Integer array, which samples.

        Returns:
            `(x, y)`, in the order of `indices`.
        """
        batches = list(self.batches(indices, 64, None).as_numpy_iterator())
        return keras.tree.map_structure(
            lambda *parts: np.concatenate(parts), *batches
        )

    def targets(self, indices: np.ndarray) -> Iterable[Targets]:
        """Reads the targets of some samples, without their images.

        Args:
            indices: Integer array, which samples.

        Returns:
            Dicts of arrays, batch by batch.
        """
        paths = self._paths(indices)
        targets = paths.map(
            lambda _, masks, labels: self._targets(masks, labels),
            num_parallel_calls=tf.data.AUTOTUNE,
        )
        return targets.batch(64).as_numpy_iterator()

    def _paths(self, indices):
        samples = keras.tree.map_structure(
            lambda values: values[indices],
            (self.images, dict(self.masks), dict(self.labels)),
        )
        return tf.data.Dataset.from_tensor_slices(samples)

    def _read(self, image, masks, labels):
        return self._image(image), self._targets(masks, labels)

    def _targets(self, masks, labels):
        y = {name: self._mask(name, path) for name, path in masks.items()}
        return {**y, **labels}

    def _image(self, path):
        image = tf.io.decode_image(
            tf.io.read_file(path), self.channels, expand_animations=False
        )
        image.set_shape((None, None, self.channels))
        # Resizing to the same size changes nothing.
        image = tf.image.resize(image, self.image_size, antialias=True)
        return tf.ensure_shape(image, (*self.image_size, self.channels))

    def _mask(self, name, path):
        shape = (*self.image_size, 1)

        def read():
            labels = read_mask(path, self.num_classes[name], self.missing_pixel)
            return tf.image.resize(labels, self.image_size, method="nearest")

        mask = tf.cond(
            tf.equal(path, ""), lambda: tf.fill(shape, MISSING), read
        )
        return tf.ensure_shape(mask, shape)


def read_mask(path, num_classes: int | None, missing_pixel: int | None):
    """Reads a mask.

    Args:
        path: String tensor, path of a png or jpeg file.
        num_classes: Integer; 1 for a mask of 0 and 1, or 0 and 255; `None`
            for the values as they are.
        missing_pixel: Integer, value of pixels without a label, or `None`.

    Returns:
        int32 tensor of shape `(height, width, 1)`, -1 without a label.

    Raises:
        InvalidArgumentError: If a value is none of the classes, or the mask
            has colours. The error names the file.
    """
    pixels = tf.io.decode_image(
        tf.io.read_file(path), channels=0, expand_animations=False
    )
    pixels.set_shape((None, None, None))
    # Two channels are grey and opacity, four are colours and opacity.
    grey = tf.where(tf.shape(pixels)[-1] < 3, 1, 3)
    labels = tf.cast(pixels[..., :1], tf.int32)
    colours = tf.reduce_any(pixels[..., :grey] != pixels[..., :1])
    missing = tf.zeros_like(labels, tf.bool)
    if missing_pixel is not None:
        missing = tf.equal(labels, missing_pixel)
    highest = tf.reduce_max(tf.where(missing, 0, labels))
    if num_classes == 1:
        is_picture = highest > 1
        fits = tf.logical_or(highest <= 1, highest > 127)
        labels = tf.where(is_picture, tf.cast(labels > 127, tf.int32), labels)
        expected = "0 and 1, or 0 and 255"
    else:
        fits = tf.logical_or(num_classes is None, highest < (num_classes or 0))
        expected = f"classes from 0 to {(num_classes or 0) - 1}"
    checks = [
        tf.debugging.Assert(
            tf.logical_not(colours),
            ["A mask holds grey values, found colours in", path],
        ),
        tf.debugging.Assert(
            fits,
            [f"A mask must hold {expected}, found", highest, "in", path],
        ),
    ]
    with tf.control_dependencies(checks):
        return tf.where(missing, MISSING, labels)
