"""A decoder of few parameters, for tasks that predict every pixel."""

from __future__ import annotations

from collections.abc import Sequence

from keras import layers

from mtl_keras import trunks


def light_decoder(
    maps: Sequence,
    factors: Sequence[int],
    filters: int,
    *,
    activation: str,
    normalization: str | None,
    regularizer,
    name: str,
):
    """Adds up the maps of an encoder, from the smallest to the largest.

    Each map goes through a 1 x 1 convolution to `filters` channels; the sum so
    far is enlarged to the size of the next map and added to it; a 3 x 3
    convolution ends it, at the size of the image.

    Args:
        maps: Keras tensors of shape `(batch, height, width, channels)`, the
            largest first.
        factors: What each map is enlarged by, to the size of the one before
            it and, for the first, to that of the image.
        filters: Channels of the decoder.
        activation: Any Keras activation, after the 3 x 3 convolution.
        normalization: Its normalization, see `mtl_keras.normalization`.
        regularizer: Keras regularizer of the kernels, or `None`.
        name: Prefix of the layers' names.

    Returns:
        Features of the height and width of the image.

    Reference:
        Lin et al., "Feature Pyramid Networks for Object Detection", CVPR 2017
        (the pathway from the top, with sums).
    """
    x = None
    levels = list(enumerate(zip(maps, factors, strict=True), start=1))
    for level, (features, factor) in reversed(levels):
        lateral = layers.Conv2D(
            filters,
            kernel_size=1,
            kernel_regularizer=regularizer,
            name=f"{name}_{level}_lateral",
        )(features)
        if x is None:
            x = lateral
        else:
            x = layers.Add(name=f"{name}_{level}_sum")([x, lateral])
        if factor > 1:
            x = layers.UpSampling2D(factor, name=f"{name}_{level}_upsampling")(
                x
            )
    return trunks.convolutions(
        x,
        filters,
        activation=activation,
        normalization=normalization,
        regularizer=regularizer,
        name=name,
    )
