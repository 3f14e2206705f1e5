"""What a batch looks like, as the data say before any is read."""

from __future__ import annotations

import keras
import tensorflow as tf


def specified_batch(data):
    """Returns a batch without numbers, of the shapes and dtypes of the data.

    Args:
        data: A `tf.data.Dataset`, or an iterator over one.

    Returns:
        The structure of a batch with a `keras.KerasTensor` at each leaf, or
        `None` where the data do not say a rank, or are parted by replicas.
    """
    specification = data.element_spec
    leaves = tf.nest.flatten(specification)
    if any(
        not isinstance(leaf, tf.TensorSpec) or leaf.shape.rank is None
        for leaf in leaves
    ):
        return None
    return tf.nest.map_structure(
        lambda leaf: keras.KerasTensor(leaf.shape, leaf.dtype.name),
        specification,
    )
