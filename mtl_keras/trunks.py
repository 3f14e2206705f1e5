"""Shared feature extractors: plain functions on Keras tensors."""

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
    """Dense layers, each followed by normalization, activation and dropout.

    Args:
        x: Keras tensor of shape `(batch, features)`.
        hidden_units: Width of each layer; empty returns `x`.
        activation: Any Keras activation. Defaults to `"relu"`.
        normalization: See `normalize`. Defaults to `None`.
        dropout: Share of units to drop, in [0, 1). Defaults to `0`.
        regularizer: Keras regularizer of the kernels. Defaults to none.
        name: Prefix of the layers' names. Defaults to `"trunk"`.

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
    """What follows the linear part of a hidden layer.

    Args:
        x: Keras tensor, channels last.
        activation: Any Keras activation.
        normalization: See `normalize`.
        dropout: Share of units to drop, in [0, 1).
        name: Prefix of the layers' names.
        level: Number of the hidden layer.

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
    """Convolutions of one width, each with normalization and activation.

    Args:
        x: Keras tensor of shape `(batch, height, width, channels)`.
        filters: Channels of each convolution.
        count: How many. Defaults to `1`.
        kernel_size: Height and width of the kernels. Defaults to `3`.
        activation: Any Keras activation. Defaults to `"relu"`.
        normalization: See `normalize`. Defaults to `"batch"`.
        regularizer: Keras regularizer of the kernels. Defaults to none.
        name: Prefix of the layers' names. Defaults to `"trunk"`.

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
    """Levels of convolutions, each followed by pooling that halves the size.

    Args:
        x: Keras tensor of shape `(batch, height, width, channels)`.
        filters: Channels of each level.
        convolutions_per_level: Convolutions in each level, one number for
            all or one for each. Defaults to `1`.
        activation: Any Keras activation. Defaults to `"relu"`.
        normalization: See `normalize`. Defaults to `"batch"`.
        regularizer: Keras regularizer of the kernels. Defaults to none.
        pool_last: Whether the last level is pooled too; a U-Net's bottleneck
            is not. Defaults to `True`.
        name: Prefix of the layers' names. Defaults to `"encoder"`.

    Returns:
        The features of the last level, and a list of the features of each
        pooled level before its pooling (the skips of a U-Net).

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
    """Doubles the size level by level and joins the encoder's skips.

    A level is a 1 x 1 convolution at the small size, upsampling, the skip, and
    one 3 x 3 convolution over both.

    Args:
        x: Keras tensor, the bottleneck of an encoder.
        skips: Features of the encoder's levels, the largest first.
        filters: Channels of each level of the decoder, in the order of the
            skips.
        activation: Any Keras activation. Defaults to `"relu"`.
        normalization: See `normalize`. Defaults to `"batch"`.
        regularizer: Keras regularizer of the kernels. Defaults to none.
        name: Prefix of the layers' names. Defaults to `"decoder"`.

    Returns:
        Features of the height and width of `skips[0]`.

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
        # Narrowed while it is small: the large sizes cost the time.
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
    """Makes the regularizer of a trunk's kernels.

    Args:
        l1: Factor of the sum of absolute values, 0 or more.
        l2: Factor of the sum of squares, 0 or more.

    Returns:
        A Keras regularizer, or `None` if both factors are 0.
    """
    if not l1 and not l2:
        return None
    return keras.regularizers.L1L2(l1=l1, l2=l2)
