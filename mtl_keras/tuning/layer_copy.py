"""Copies layers in a space, such as an adapted Normalization."""

from __future__ import annotations

import keras


def copy_layer(layer: keras.layers.Layer) -> keras.layers.Layer:
    """Copies a layer with the values of its variables.

    A layer references every network that it is called in. One layer in the
    models of all trials would keep all of them in memory, and carry random
    states and counters from one trial to the next.

    Args:
        layer: The layer.

    Returns:
        The copy. Random seeds are drawn again, so that they depend on the seed
        of the trial.

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
