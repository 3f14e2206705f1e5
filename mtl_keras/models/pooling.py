"""Feature vectors for tasks on the whole image."""

from __future__ import annotations

from keras import layers


def pool(maps, dropout: float, name: str):
    """Averages each channel and applies dropout.

    Args:
        maps: Keras tensor of shape `(batch, height, width, channels)`.
        dropout: Dropout rate, in [0, 1).
        name: Prefix of the layer names.

    Returns:
        Features of shape `(batch, channels)`.
    """
    x = layers.GlobalAveragePooling2D(name=f"{name}_pool")(maps)
    return layers.Dropout(dropout, name=f"{name}_dropout")(x) if dropout else x
