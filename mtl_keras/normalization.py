"""Normalization layers by name."""

from __future__ import annotations

import keras
from keras import layers

from mtl_keras.keras_compat import get_mask
from mtl_keras.synchronized_batch_normalization import (
    SynchronizedBatchNormalization,
)

# With Keras's default of 0.99 the moving statistics need about 500 steps;
# evaluation after short training would look broken.
_BATCH_NORMALIZATION_MOMENTUM = 0.9
_MAX_GROUPS = 8

NORMALIZATIONS = ("batch", "group", "layer", None)


def normalize(x, normalization: str | None, name: str):
    """Normalizes features.

    Args:
        x: Keras tensor, channels last.
        normalization: `"batch"`, `"group"` (with the largest number of groups,
            at most 8, that divides the channels), `"layer"` or `None`. Under
            a `tf.distribute` strategy, batch statistics are synchronized over
            the replicas, also with masks.
        name: Name of the layer.

    Returns:
        A tensor of the shape of `x`.
    """
    layer = normalization_layer(
        normalization,
        x.shape[-1],
        name=name,
        masked=get_mask(x) is not None,
    )
    return x if layer is None else layer(x)


def normalization_layer(
    normalization: str | None,
    channels: int,
    name: str | None = None,
    dtype=None,
    masked: bool = False,
) -> keras.layers.Layer | None:
    """Creates a normalization layer.

    Args:
        normalization: See `normalize`.
        channels: Number of channels.
        name: Name of the layer. Defaults to a name that Keras chooses.
        dtype: As in `keras.layers.Layer`.
        masked: Whether the layer will receive a mask. Defaults to `False`.

    Returns:
        A Keras layer, or `None` without normalization.
    """
    if normalization is None:
        return None
    options = {"name": name, "dtype": dtype}
    if normalization == "batch":
        several = _several_replicas()
        options["momentum"] = _BATCH_NORMALIZATION_MOMENTUM
        if several and masked:
            return SynchronizedBatchNormalization(**options)
        return layers.BatchNormalization(synchronized=several, **options)
    if normalization == "layer":
        return layers.LayerNormalization(**options)
    return layers.GroupNormalization(max_groups(channels), **options)


def max_groups(channels: int) -> int:
    """Returns the largest number of groups, at most 8, for the channels.

    Args:
        channels: Number of channels, which the groups divide.
    """
    return max(g for g in range(1, _MAX_GROUPS + 1) if channels % g == 0)


def _several_replicas() -> bool:
    import tensorflow as tf

    return tf.distribute.get_strategy().num_replicas_in_sync > 1
