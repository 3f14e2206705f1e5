"""Shared feature extractors of sequences, which keep the steps as they are.

Masks go along as Keras carries them, on the tensors: what is masked changes
nothing of the steps that are not.
"""

from __future__ import annotations

from collections.abc import Sequence

from keras import layers

from mtl_keras.layers import BidirectionalGRU, MaskedConv1D, PositionEncoding
from mtl_keras.trunks import activate, normalize

SEQUENCE_TRUNKS = ("conv", "gru", "transformer")
# Of all steps together, padding included; the others are per step or masked.
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
    """Bidirectional GRUs, each followed by normalization and dropout.

    Args:
        x: Keras tensor of shape `(batch, steps, channels)`.
        hidden_units: Units of each GRU in each direction.
        normalization: See `mtl_keras.trunks.normalize`. Defaults to `None`.
        dropout: Share of channels to drop, in [0, 1). Defaults to `0`.
        regularizer: Keras regularizer of the kernels. Defaults to none.
        name: Prefix of the layers' names. Defaults to `"trunk"`.

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
        x = BidirectionalGRU(
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
    """Convolutions over steps, each twice as far apart as the one before.

    Args:
        x: Keras tensor of shape `(batch, steps, channels)`.
        hidden_units: Channels of each convolution.
        kernel_size: Steps that a convolution reads, odd. Defaults to `5`.
        activation: Any Keras activation. Defaults to `"relu"`.
        normalization: See `mtl_keras.trunks.normalize`. Defaults to `None`.
        dropout: Share of channels to drop, in [0, 1). Defaults to `0`.
        regularizer: Keras regularizer of the kernels. Defaults to none.
        name: Prefix of the layers' names. Defaults to `"trunk"`.

    Returns:
        Features of shape `(batch, steps, hidden_units[-1])`. With a kernel of
        5, a step of it reads 4 (2^levels - 1) steps around it.

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
    """Transformer blocks: attention, then two dense layers, added to the input.

    What is added is normalized before (Pre-LN), and the whole at the end.

    Args:
        x: Keras tensor of shape `(batch, steps, channels)`.
        hidden_units: Channels of each block, the same for all. Between its
            dense layers a block is four times as wide.
        num_heads: Attention heads, by which the channels divide. Defaults to
            `4`.
        activation: Any Keras activation. Defaults to `"relu"`.
        normalization: See `mtl_keras.trunks.normalize`. Defaults to `None`,
            which here is `"layer"`.
        dropout: Share of channels to drop, in [0, 1). Defaults to `0`.
        regularizer: Keras regularizer of the kernels. Defaults to none.
        name: Prefix of the layers' names. Defaults to `"trunk"`.

    Returns:
        Features of shape `(batch, steps, hidden_units[-1])`.

    Raises:
        ValueError: If blocks have several widths, or heads do not divide them.

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
            f"hidden_units={tuple(hidden_units)}: the blocks of a Transformer "
            "have one width, such as (64, 64)."
        )
    width = hidden_units[0]
    if width % num_heads:
        raise ValueError(
            f"num_heads={num_heads} does not divide the {width} channels of "
            "the Transformer. Use another num_heads, or widths that are a "
            "multiple of it."
        )
    return width
