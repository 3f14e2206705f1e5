"""Shared feature extractors of sequences, which keep the number of steps.

Keras tensors carry the masks. Masked steps do not change the other steps.
"""

from __future__ import annotations

from collections.abc import Sequence

from keras import layers

from mtl_keras.layers import MaskedConv1D, PositionEncoding
from mtl_keras.trunks import activate, normalize

SEQUENCE_TRUNKS = ("conv", "gru", "transformer")
# Group normalization would include padding; these are per step or masked.
SEQUENCE_NORMALIZATIONS = ("batch", "layer", None)


def recurrent(
    x,
    hidden_units: Sequence[int],
    *,
    normalization: str | None = None,
    dropout: float = 0.0,
    regularizer=None,
    name: str = "trunk",
):
    """Applies bidirectional GRUs, each with normalization and dropout.

    Args:
        x: Keras tensor of shape `(batch, steps, channels)`.
        hidden_units: Number of units of each GRU in each direction.
        normalization: See `mtl_keras.normalization`. Defaults to `None`.
        dropout: Dropout rate, in [0, 1). Defaults to `0`.
        regularizer: Keras regularizer of the kernels. Defaults to `None`.
        name: Prefix of the layer names. Defaults to `"trunk"`.

    Returns:
        Features of shape `(batch, steps, 2 * hidden_units[-1])`.

    Reference:
        Schuster and Paliwal, "Bidirectional Recurrent Neural Networks", 1997;
        Cho et al., "Learning Phrase Representations using RNN
        Encoder-Decoder", EMNLP 2014.

    Example:

    >>> from mtl_keras import sequence_trunks
    >>> sequence_trunks.recurrent(keras.Input((9, 4)), (16,)).shape
    (None, 9, 32)
    """
    for level, units in enumerate(hidden_units, start=1):
        x = layers.Bidirectional(
            layers.GRU(
                units, return_sequences=True, kernel_regularizer=regularizer
            ),
            name=f"{name}_gru_{level}",
        )(x)
        x = normalize(x, normalization, f"{name}_normalization_{level}")
        if dropout:
            x = layers.Dropout(dropout, name=f"{name}_dropout_{level}")(x)
    return x


def convolutional(
    x,
    hidden_units: Sequence[int],
    *,
    kernel_size: int = 5,
    activation: str = "relu",
    normalization: str | None = None,
    dropout: float = 0.0,
    regularizer=None,
    name: str = "trunk",
):
    """Applies convolutions over steps, each with twice the dilation.

    Args:
        x: Keras tensor of shape `(batch, steps, channels)`.
        hidden_units: Number of filters of each convolution.
        kernel_size: Number of steps that a convolution reads, odd. Defaults to
            `5`.
        activation: Any Keras activation. Defaults to `"relu"`.
        normalization: See `mtl_keras.normalization`. Defaults to `None`.
        dropout: Dropout rate, in [0, 1). Defaults to `0`.
        regularizer: Keras regularizer of the kernels. Defaults to `None`.
        name: Prefix of the layer names. Defaults to `"trunk"`.

    Returns:
        Features of shape `(batch, steps, hidden_units[-1])`. With a kernel
        size of 5, each step depends on 4 (2^levels - 1) steps around it.

    Reference:
        Bai et al., "An Empirical Evaluation of Generic Convolutional and
        Recurrent Networks for Sequence Modeling", 2018.

    Example:

    >>> from mtl_keras import sequence_trunks
    >>> sequence_trunks.convolutional(keras.Input((9, 4)), (16, 32)).shape
    (None, 9, 32)
    """
    for level, units in enumerate(hidden_units, start=1):
        x = MaskedConv1D(
            units,
            kernel_size,
            dilation_rate=2 ** (level - 1),
            use_bias=normalization is None,
            kernel_initializer="he_normal",
            kernel_regularizer=regularizer,
            name=f"{name}_conv_{level}",
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


def transformer(
    x,
    hidden_units: Sequence[int],
    *,
    num_heads: int = 4,
    activation: str = "relu",
    normalization: str | None = None,
    dropout: float = 0.0,
    regularizer=None,
    name: str = "trunk",
):
    """Applies Transformer blocks of self-attention and two dense layers.

    The normalization is before attention and dense layers (Pre-LN), and once
    at the end.

    Args:
        x: Keras tensor of shape `(batch, steps, channels)`.
        hidden_units: Width of each block, the same for all. The first dense
            layer of a block is four times as wide.
        num_heads: Number of attention heads, which divides the width. Defaults
            to `4`.
        activation: Any Keras activation. Defaults to `"relu"`.
        normalization: See `mtl_keras.normalization`. Defaults to `None`,
            which is `"layer"` here.
        dropout: Dropout rate, in [0, 1). Defaults to `0`.
        regularizer: Keras regularizer of the kernels. Defaults to `None`.
        name: Prefix of the layer names. Defaults to `"trunk"`.

    Returns:
        Features of shape `(batch, steps, hidden_units[-1])`.

    Raises:
        ValueError: If widths differ, or are not divisible by `num_heads`.

    Reference:
        Vaswani et al., "Attention Is All You Need", NeurIPS 2017; Xiong et
        al., "On Layer Normalization in the Transformer Architecture", 2020.

    Example:

    >>> from mtl_keras import sequence_trunks
    >>> sequence_trunks.transformer(keras.Input((9, 4)), (16, 16)).shape
    (None, 9, 16)
    """
    width = _transformer_width(hidden_units, num_heads)
    settings = {"kernel_regularizer": regularizer}
    normalization = normalization or "layer"
    x = layers.Dense(width, name=f"{name}_projection", **settings)(x)
    x = PositionEncoding(name=f"{name}_positions")(x)
    for level in range(1, len(hidden_units) + 1):
        y = normalize(x, normalization, f"{name}_normalization_{level}_1")
        y = layers.MultiHeadAttention(
            num_heads,
            width // num_heads,
            name=f"{name}_attention_{level}",
            **settings,
        )(y, y)
        x = _add(x, y, dropout, f"{name}_{{}}_{level}_1")
        y = normalize(x, normalization, f"{name}_normalization_{level}_2")
        y = layers.Dense(
            4 * width,
            activation=activation,
            name=f"{name}_dense_{level}_1",
            **settings,
        )(y)
        y = layers.Dense(width, name=f"{name}_dense_{level}_2", **settings)(y)
        x = _add(x, y, dropout, f"{name}_{{}}_{level}_2")
    return normalize(x, normalization, f"{name}_normalization")


def _add(x, y, dropout: float, name: str):
    if dropout:
        y = layers.Dropout(dropout, name=name.format("dropout"))(y)
    return layers.Add(name=name.format("add"))([x, y])


def _transformer_width(hidden_units: Sequence[int], num_heads: int) -> int:
    if len(set(hidden_units)) != 1:
        raise ValueError(
            f"hidden_units={tuple(hidden_units)}; expected one width for all "
            "blocks of a Transformer, such as (64, 64)."
        )
    width = hidden_units[0]
    if width % num_heads:
        raise ValueError(
            f"num_heads={num_heads} does not divide the width {width} of the "
            "Transformer. Use another num_heads, or a width that is a multiple "
            "of it."
        )
    return width
