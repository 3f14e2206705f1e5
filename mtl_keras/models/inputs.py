"""Input tensors of factories, and the preprocessing layers after them."""

from __future__ import annotations

import keras


def preprocess(inputs, preprocessing):
    """Applies preprocessing layers to the inputs of a model.

    Args:
        inputs: Input tensor of the model.
        preprocessing: A Keras layer, a list of layers, or `None`.

    Returns:
        The tensor that the trunk reads.

    Raises:
        TypeError: If an element is not a layer.
    """
    if preprocessing is None:
        return inputs
    if not isinstance(preprocessing, list | tuple):
        preprocessing = [preprocessing]
    for layer in preprocessing:
        if not isinstance(layer, keras.layers.Layer):
            raise TypeError(
                f"preprocessing holds {layer!r}; expected Keras layers, such "
                "as keras.layers.Rescaling(1 / 255)."
            )
        inputs = layer(inputs)
    return inputs


def vector_inputs(shape: tuple, preprocessing) -> tuple:
    """Creates the inputs of a network on vectors.

    Args:
        shape: Shape of one sample. Samples of higher rank are flattened.
        preprocessing: See `preprocess`.

    Returns:
        The input tensor of the model, and a tensor of shape
        `(batch, features)`.
    """
    inputs = keras.Input(shape, name="features")
    x = preprocess(inputs, preprocessing)
    if len(x.shape) > 2:
        x = keras.layers.Flatten(name="trunk_flatten")(x)
    return inputs, x


def image_inputs(shape: tuple, preprocessing) -> tuple:
    """Creates the inputs of a network on images.

    Args:
        shape: Shape of one image, `(height, width, channels)`.
        preprocessing: See `preprocess`.

    Returns:
        The input tensor of the model, and the tensor that the trunk reads.
    """
    inputs = keras.Input(shape, name="image")
    return inputs, preprocess(inputs, preprocessing)
