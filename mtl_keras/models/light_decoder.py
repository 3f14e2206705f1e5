"""Decoder with few parameters for tasks on pixels."""

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
    """Sums the maps of an encoder, from the smallest to the largest.

    A 1 x 1 convolution maps each level to `filters` channels. The running sum
    is upsampled to the size of the next map and added to it. A 3 x 3
    convolution at the size of the image ends the decoder.

    Args:
        maps: Keras tensors of shape `(batch, height, width, channels)`, the
            largest first.
        factors: Factor from each map to the size of the map before it, and
            from the first map to the size of the image.
        filters: Number of filters of the decoder.
        activation: Any Keras activation, after the 3 x 3 convolution.
        normalization: Normalization of the 3 x 3 convolution, see
            `mtl_keras.normalization.normalize`.
        regularizer: Keras regularizer of the kernels, or `None`.
        name: Prefix of the layer names.

    Returns:
        Features with the height and width of the image.

    Reference:
        Lin et al., "Feature Pyramid Networks for Object Detection", CVPR 2017
        (the top-down pathway).
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
