"""Feature vectors for tasks on the whole image."""

from __future__ import annotations

from keras import layers


def pool(maps, dropout: float, name: str):
    """Takes the mean of each channel, and drops some.

    Args:
        maps: Keras tensor of shape `(batch, height, width, channels)`.
        dropout: Share of channels to drop, in [0, 1).
        name: Prefix of the layers' names.

    Returns:
        Features of shape `(batch, channels)`.
    """
    x = layers.GlobalAveragePooling2D(name=f"{name}_pool")(maps)
    return layers.Dropout(dropout, name=f"{name}_dropout")(x) if dropout else x
