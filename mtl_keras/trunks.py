"""Shared feature extractors: functions on Keras tensors."""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers

from mtl_keras.normalization import normalize


def mlp(
    x,
    hidden_units: Sequence[int],
    *,
    activation: str = "relu",
    normalization: str | None = None,
    dropout: float = 0.0,
    regularizer=None,
    name: str = "trunk",
):
    """Applies dense layers, each with normalization, activation and dropout.

    Args:
        x: Keras tensor of shape `(batch, features)`.
        hidden_units: Width of each layer. If it is empty, `x` is returned.
        activation: Any Keras activation. Defaults to `"relu"`.
        normalization: See `mtl_keras.normalization`. Defaults to `None`.
        dropout: Dropout rate, in [0, 1). Defaults to `0`.
        regularizer: Keras regularizer of the kernels. Defaults to `None`.
        name: Prefix of the layer names. Defaults to `"trunk"`.

    Returns:
        Features of shape `(batch, hidden_units[-1])`.

    Example:

    >>> mtl_keras.trunks.mlp(keras.Input((10,)), (64, 32)).shape
    (None, 32)
    """
    for level, units in enumerate(hidden_units, start=1):
        x = layers.Dense(
            units,
            use_bias=normalization is None,
            kernel_regularizer=regularizer,
            name=f"{name}_dense_{level}",
        )(x)
        x = activate(
            x,
            activation,
            normalization=normalization,
            dropout=dropout,
            name=name,
            level=level,
        )
    return x


def activate(
    x,
    activation: str,
    *,
    normalization: str | None,
    dropout: float,
    name: str,
    level: int,
):
    """Applies normalization, activation and dropout to a linear output.

    Args:
        x: Keras tensor, channels last.
        activation: Any Keras activation.
        normalization: See `mtl_keras.normalization`.
        dropout: Dropout rate, in [0, 1).
        name: Prefix of the layer names.
        level: Number of the hidden layer, at the end of the layer names.

    Returns:
        A tensor of the shape of `x`.
    """
    x = normalize(x, normalization, f"{name}_normalization_{level}")
    x = layers.Activation(activation, name=f"{name}_activation_{level}")(x)
    if dropout:
        x = layers.Dropout(dropout, name=f"{name}_dropout_{level}")(x)
    return x


def convolutions(
    x,
    filters: int,
    *,
    count: int = 1,
    kernel_size: int = 3,
    activation: str = "relu",
    normalization: str | None = "batch",
    regularizer=None,
    name: str = "trunk",
):
    """Applies convolutions, each with normalization and activation.

    Args:
        x: Keras tensor of shape `(batch, height, width, channels)`.
        filters: Number of filters of each convolution.
        count: Number of convolutions. Defaults to `1`.
        kernel_size: Height and width of the kernels. Defaults to `3`.
        activation: Any Keras activation. Defaults to `"relu"`.
        normalization: See `mtl_keras.normalization`. Defaults to `"batch"`.
        regularizer: Keras regularizer of the kernels. Defaults to `None`.
        name: Prefix of the layer names. Defaults to `"trunk"`.

    Returns:
        Features of shape `(batch, height, width, filters)`.
    """
    for index in range(1, count + 1):
        x = layers.Conv2D(
            filters,
            kernel_size,
            padding="same",
            use_bias=normalization is None,
            kernel_initializer="he_normal",
            kernel_regularizer=regularizer,
            name=f"{name}_conv_{index}",
        )(x)
        x = normalize(x, normalization, f"{name}_normalization_{index}")
        x = layers.Activation(activation, name=f"{name}_activation_{index}")(x)
    return x


def cnn_encoder(
    x,
    filters: Sequence[int],
    *,
    convolutions_per_level: int | Sequence[int] = 1,
    activation: str = "relu",
    normalization: str | None = "batch",
    regularizer=None,
    pool_last: bool = True,
    name: str = "encoder",
):
    """Applies levels of convolutions, each followed by a pooling by 2.

    Args:
        x: Keras tensor of shape `(batch, height, width, channels)`.
        filters: Number of filters of each level.
        convolutions_per_level: Number of convolutions of each level, or one
            number for all levels. Defaults to `1`.
        activation: Any Keras activation. Defaults to `"relu"`.
        normalization: See `mtl_keras.normalization`. Defaults to `"batch"`.
        regularizer: Keras regularizer of the kernels. Defaults to `None`.
        pool_last: Whether to pool the last level, unlike the bottleneck of a
            U-Net. Defaults to `True`.
        name: Prefix of the layer names. Defaults to `"encoder"`.

    Returns:
        Features of the last level, and a list with the features of each pooled
        level before the pooling (the skip connections of a U-Net).

    Example:

    >>> x, skips = mtl_keras.trunks.cnn_encoder(
    ...     keras.Input((32, 32, 3)), (16, 32, 64), pool_last=False
    ... )
    >>> x.shape, len(skips)
    ((None, 8, 8, 64), 2)
    """
    if isinstance(convolutions_per_level, int):
        convolutions_per_level = [convolutions_per_level] * len(filters)
    skips = []
    levels = zip(filters, convolutions_per_level, strict=True)
    for level, (channels, count) in enumerate(levels, start=1):
        x = convolutions(
            x,
            channels,
            count=count,
            activation=activation,
            normalization=normalization,
            regularizer=regularizer,
            name=f"{name}_{level}",
        )
        if level < len(filters) or pool_last:
            skips.append(x)
            x = layers.MaxPooling2D(name=f"{name}_{level}_pool")(x)
    return x, skips


def unet_decoder(
    x,
    skips: Sequence,
    filters: Sequence[int],
    *,
    activation: str = "relu",
    normalization: str | None = "batch",
    regularizer=None,
    name: str = "decoder",
):
    """Upsamples level by level and concatenates the skip connections.

    A level consists of a 1 x 1 convolution, an upsampling by 2, the skip
    connection, and a 3 x 3 convolution over both.

    Args:
        x: Keras tensor, the bottleneck of an encoder.
        skips: Features of each level of the encoder, the largest first.
        filters: Number of filters of each level of the decoder, in the order
            of `skips`.
        activation: Any Keras activation. Defaults to `"relu"`.
        normalization: See `mtl_keras.normalization`. Defaults to `"batch"`.
        regularizer: Keras regularizer of the kernels. Defaults to `None`.
        name: Prefix of the layer names. Defaults to `"decoder"`.

    Returns:
        Features with the height and width of `skips[0]`.

    Reference:
        Ronneberger et al., "U-Net", MICCAI 2015.
    """
    settings = {
        "activation": activation,
        "normalization": normalization,
        "regularizer": regularizer,
    }
    levels = list(enumerate(zip(skips, filters, strict=True), start=1))
    for level, (skip, channels) in reversed(levels):
        # Fewer channels before the upsampling, because large maps cost time.
        x = convolutions(
            x,
            channels,
            kernel_size=1,
            name=f"{name}_{level}_narrow",
            **settings,
        )
        x = layers.UpSampling2D(name=f"{name}_{level}_upsampling")(x)
        x = layers.Concatenate(name=f"{name}_{level}_skip")([x, skip])
        x = convolutions(x, channels, name=f"{name}_{level}", **settings)
    return x


def kernel_regularizer(
    l1: float, l2: float
) -> keras.regularizers.Regularizer | None:
    """Returns the regularizer of the kernels of a trunk.

    Args:
        l1: Factor of the sum of absolute values, 0 or more.
        l2: Factor of the sum of squares, 0 or more.

    Returns:
        A Keras regularizer, or `None` if both factors are 0.
    """
    if not l1 and not l2:
        return None
    return keras.regularizers.L1L2(l1=l1, l2=l2)
