"""Adapts the size and the channels of images."""

from __future__ import annotations

import dataclasses

import tensorflow as tf

from mtl_keras.datasets.mixing.signature import ArraySpec, Signature


@dataclasses.dataclass(frozen=True)
class ImageAdaptation:
    """Adapts the size and the channels of images.

    Inputs are resized bilinearly, and masks (targets with the height and width
    of the inputs) by the nearest pixel.

    Args:
        image_size: `(height, width)`. Defaults to `None`: images keep their
            size.
        channels: 1 to average channels, 3 to repeat a single channel. Defaults
            to `None`: images keep their channels.
    """

    image_size: tuple[int, int] | None = None
    channels: int | None = None

    def signature(self, name: str, signature: Signature) -> Signature:
        """Returns the shapes and dtypes of adapted samples.

        Args:
            name: Name of the data set, for errors.
            signature: `Signature` of its samples.

        Returns:
            `Signature` of the adapted samples.

        Raises:
            ValueError: If the inputs are not images, or their channels cannot
                be adapted.
        """
        if self.image_size is None and self.channels is None:
            return signature
        shape = signature.x.shape
        if len(shape) != 3:
            raise ValueError(
                f"Data set {name!r} has inputs of shape {shape}; image_size "
                "and channels need (height, width, channels). Add a channel "
                "axis to grey images with x[..., None]."
            )
        if self.channels not in (None, shape[2]) and shape[2] not in (1, 3):
            raise ValueError(
                f"Data set {name!r} has images of {shape[2]} channels; "
                f"channels={self.channels} adapts 1 or 3. Convert them first."
            )
        size = self.image_size or shape[:2]
        x = ArraySpec((*size, self.channels or shape[2]), signature.x.dtype)
        y = {
            task: ArraySpec((*size, *spec.shape[2:]), spec.dtype)
            if is_mask(spec.shape, shape)
            else spec
            for task, spec in signature.y.items()
        }
        return Signature(x, y)

    def __call__(self, x, y: dict, before: Signature) -> tuple:
        """Adapts a batch.

        Args:
            x: Tensor of shape `(batch, height, width, channels)`.
            y: Dict from task name to targets.
            before: The `Signature` of the data set.

        Returns:
            The adapted `(x, y)`.
        """
        shape = before.x.shape
        if self.image_size not in (None, shape[:2]):
            x = _resize(x, self.image_size, "bilinear")
            y = {
                task: _resize_mask(targets, self.image_size)
                if is_mask(before.y[task].shape, shape)
                else targets
                for task, targets in y.items()
            }
        if self.channels == 3 and shape[2] != 3:
            x = tf.repeat(x, 3, axis=-1)
        elif self.channels == 1 and shape[2] != 1:
            mean = tf.reduce_mean(tf.cast(x, tf.float32), axis=-1)
            x = _cast_pixels(mean[..., None], x.dtype)
        return x, y


def is_mask(target_shape: tuple, image_shape: tuple) -> bool:
    """Returns whether targets have the height and width of an image.

    Args:
        target_shape: Shape of the targets of one sample.
        image_shape: Shape of the inputs of one sample.
    """
    return len(target_shape) in (2, 3) and target_shape[:2] == image_shape[:2]


def _resize(x, size, method):
    return _cast_pixels(tf.image.resize(x, size, method=method), x.dtype)


def _resize_mask(mask, size):
    if len(mask.shape) == 4:
        return _resize(mask, size, "nearest")
    return _resize(mask[..., None], size, "nearest")[..., 0]


def _cast_pixels(x, dtype):
    # A cast to integers would truncate.
    return tf.cast(tf.round(x) if dtype.is_integer else x, dtype)
