"""Copies of layers that a space fixes, such as an adapted Normalization."""

from __future__ import annotations

import keras


def copy_layer(layer: keras.layers.Layer) -> keras.layers.Layer:
    """Makes a layer like another one, with the same values of its variables.

    A layer remembers every network that it was called in, so one layer in the
    models of all trials would keep them all in memory; and what it draws or
    counts would go on from one trial to the next.

    Args:
        layer: The layer.

    Returns:
        A layer of its own. Seeds that the layer had drawn by itself are drawn
        anew, so that they follow from the seed of the trial.

    Example:

    >>> from mtl_keras.tuning.layer_copy import copy_layer
    >>> layer = keras.layers.Normalization()
    >>> layer.adapt(np.array([[1.0], [3.0]]))
    >>> np.asarray(copy_layer(layer)(np.array([[3.0]]))).tolist()
    [[1.0]]
    """
    if isinstance(layer, keras.Model):
        copied = keras.models.clone_model(layer)
        copied.set_weights(layer.get_weights())
        return copied
    copied = type(layer).from_config(layer.get_config())
    if layer.built:
        copied.build_from_config(layer.get_build_config())
        values: dict = {}
        layer.save_own_variables(values)
        copied.load_own_variables(values)
    return copied
