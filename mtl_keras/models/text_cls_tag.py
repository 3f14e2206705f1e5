"""Sentence tasks and token tasks from one encoder of text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras
import numpy as np
from keras import layers

from mtl_keras.layers import TokenIds, WordDropout
from mtl_keras.layers.token_ids import BUCKETS
from mtl_keras.models import arguments
from mtl_keras.models.assembly import assemble, preprocess
from mtl_keras.models.sequences import (
    check_sequence_trunk,
    encode,
    features_of_tasks,
)
from mtl_keras.tasks import Classification, SequenceTagging, Task
from mtl_keras.training import MultiTaskModel


def build_text_cls_tag(
    input_shape: Sequence[int | None] = (None,),
    tasks: Sequence[Task] | None = None,
    *,
    num_classes: int | Sequence[int] | None = None,
    vocabulary: int | Sequence[str] = 10_000,
    lowercase: bool = True,
    embedding_size: int = 128,
    affix_length: int = 0,
    encoder: str = "gru",
    hidden_units: Sequence[int] | None = None,
    trunk_width: int | None = None,
    trunk_depth: int | None = None,
    kernel_size: int = 5,
    num_heads: int = 4,
    pooling: str = "average",
    activation: str = "relu",
    normalization: str | None = None,
    dropout: float = 0.0,
    word_dropout: float = 0.0,
    l1: float = 0.0,
    l2: float = 0.0,
    preprocessing: keras.layers.Layer | Sequence | None = None,
    loss_weights: Mapping[str, float] | None = None,
    weighting=None,
    gradients: str = "parameters",
    optimizer="adam",
    compile: bool = True,
    weights=None,
    name: str = "text_cls_tag",
) -> MultiTaskModel:
    """Builds a network on sentences: classes of sentences, tags of tokens.

    Any number of tasks of both kinds read one encoder, by default what the
    user wants (`intent`) and which words say the details (`slots`). With a
    list of words as `vocabulary`, the model takes sentences as they are,
    strings of tokens apart by whitespace, and so does what it exports. With a
    number, it takes the numbers of tokens, 0 for padding and 1 for unknown
    ones: `mtl_keras.without_text_input` and `mtl_keras.with_text_input` make
    the one of the other.

    Padding changes no prediction, and adds nothing to losses and metrics.

    Args:
        input_shape: `(steps,)`: to how many tokens sentences are padded, as
            targets are. `(None,)` (default) is the longest sentence of the
            batch. A longer sentence is never cut.
        tasks: List of tasks: `Classification` and the like for sentences,
            `SequenceTagging` for tokens. Defaults to
            `Classification("intent", 7)` and `SequenceTagging("slots", 72)`.
        num_classes: Classes of both default tasks, or a number for each.
            Defaults to `(7, 72)`; an error together with `tasks`.
        vocabulary: List of words, the most frequent first (such as
            `mtl_keras.layers.token_ids.words_of(sentences)`); or how many
            numbers tokens have, with those of padding and of unknown words.
            Defaults to `10_000`.
        lowercase: Whether capitals count as small letters, where `vocabulary`
            lists words. Defaults to `True`.
        embedding_size: Size of the vector of a token. Defaults to `128`.
        affix_length: Letters of the beginning and the end of a token that the
            encoder reads beside it, for words that it has not seen. Numbers of
            tokens are then three to each, of shape `(steps, 3)`, see
            `mtl_keras.layers.TokenIds`. Defaults to `0`: the token alone.
        encoder: `"gru"` (default), bidirectional; `"transformer"`; or
            `"conv"`, convolutions that each reach twice as far as the one
            before.
        hidden_units: Width of each level of the encoder, for GRUs in each
            direction. Defaults to `(128,)`.
        trunk_width: Width of all levels, in place of `hidden_units`.
        trunk_depth: Number of levels, in place of `hidden_units`.
        kernel_size: Tokens that a convolution reads, odd. Defaults to `5`.
        num_heads: Attention heads of a Transformer. Defaults to `4`.
        pooling: `"average"` (default) or `"max"` over the tokens, for the
            tasks of sentences.
        activation: Activation of convolutions and Transformers; GRUs keep
            theirs. Defaults to `"relu"`.
        normalization: `"batch"`, `"layer"` or `None` (default) after each
            level. On several replicas each has batch statistics of its own.
        dropout: Dropout rate after the embedding and each level, in [0, 1).
            Defaults to `0`.
        word_dropout: Share of the tokens that training reads as unknown, in
            [0, 1), for sentences with words that it has not seen. Defaults to
            `0`.
        l1: Factor of the L1 penalty on the encoder's kernels. Defaults to `0`.
        l2: Factor of the L2 penalty on the encoder's kernels. Defaults to `0`.
        preprocessing: Keras layer, or list of layers, on the input; saved and
            exported with the model.
        loss_weights: Dict from task name to weight. Tasks that it leaves out
            keep their own.
        weighting: Name, config or instance of a weighting (see
            `mtl_keras.weighting.table()`). Defaults to `None`, the weighted
            sum of the task losses.
        gradients: `"parameters"` (default) or `"features"`: the gradients that
            a weighting compares, see `MultiTaskModel.compile`.
        optimizer: Name or instance of a Keras optimizer. Defaults to
            `"adam"`.
        compile: Whether to compile the model. Defaults to `True`.
        weights: Path of a `.weights.h5` or `.keras` file to start from.
        name: Name of the model. Defaults to `"text_cls_tag"`.

    Returns:
        A compiled `MultiTaskModel` whose outputs are named after the tasks.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If an argument is out of range, or two contradict.

    Reference:
        Liu and Lane, "Attention-Based Recurrent Neural Network Models for
        Joint Intent Detection and Slot Filling", Interspeech 2016.

    Example:

    >>> model = mtl_keras.build_text_cls_tag(
    ...     vocabulary=["play", "jazz"], num_classes=(2, 3)
    ... )
    >>> x = np.array(["play jazz", "play some jazz now"], object)
    >>> model.predict(x, verbose=0)["slots"].shape
    (2, 4, 3)
    """
    (steps,) = arguments.check_input_shape(input_shape, 1, "(None,)")
    tasks = arguments.resolve_tasks(
        tasks, lambda: _default_tasks(num_classes), num_classes=num_classes
    )
    widths = arguments.resolve_widths(
        "hidden_units",
        hidden_units,
        trunk_width,
        trunk_depth,
        default=(128,),
        growth=1,
        least_levels=1,
    )
    settings = {
        "kernel_size": kernel_size,
        "num_heads": num_heads,
        "normalization": normalization,
        "dropout": dropout,
        "l1": l1,
        "l2": l2,
    }
    check_sequence_trunk("encoder", encoder, **settings)
    _check_word_dropout(word_dropout)
    size = arguments.check_integer("embedding_size", embedding_size, least=1)

    letters = arguments.check_integer("affix_length", affix_length, least=0)

    inputs, ids, count = _token_ids(
        steps, vocabulary, lowercase, letters, preprocessing
    )
    x = _embed(ids, count, size, word_dropout, dropout)
    x = encode(x, encoder, widths, activation=activation, **settings)
    return assemble(
        inputs,
        features_of_tasks(x, tasks, pooling, steps=steps),
        tasks,
        loss_weights=loss_weights,
        weighting=weighting,
        gradients=gradients,
        optimizer=optimizer,
        compile=compile,
        weights=weights,
        name=name,
    )


def _token_ids(
    steps, vocabulary, lowercase: bool, affix_length: int, preprocessing
) -> tuple:
    """The input, the numbers of tokens, and how many of these there are."""
    if isinstance(vocabulary, int | np.integer):
        count = arguments.check_integer("vocabulary", vocabulary, least=3)
        shape = (steps, 3) if affix_length else (steps,)
        inputs = keras.Input(shape, dtype="int32", name="token_ids")
        return inputs, preprocess(inputs, preprocessing), count
    inputs = keras.Input((), dtype="string", name="text")
    layer = TokenIds(
        vocabulary,
        lowercase=lowercase,
        affix_length=affix_length,
        name="token_ids",
    )
    ids = layer(preprocess(inputs, preprocessing))
    return inputs, ids, layer.vocabulary_size()


def _embed(ids, count: int, size: int, word_dropout: float, dropout: float):
    # A preprocessing layer may have made floats of them.
    ids = keras.ops.cast(ids, "int32")
    words, affixes = ids, ()
    if len(ids.shape) == 3:
        words, *affixes = keras.ops.unstack(ids, 3, axis=-1)
    if word_dropout:
        words = WordDropout(word_dropout, name="trunk_word_dropout")(words)
    x = layers.Embedding(count, size, mask_zero=True, name="trunk_embedding")(
        words
    )
    if affixes:
        parts = [
            layers.Embedding(
                BUCKETS + 1,
                max(size // 2, 1),
                mask_zero=True,
                name=f"trunk_embedding_{which}",
            )(numbers)
            for which, numbers in zip(("start", "end"), affixes, strict=True)
        ]
        x = layers.Concatenate(name="trunk_token")([x, *parts])
    if dropout:
        x = layers.Dropout(dropout, name="trunk_embedding_dropout")(x)
    return x


def _default_tasks(num_classes: int | Sequence[int] | None) -> list[Task]:
    counts = (7, 72) if num_classes is None else num_classes
    if not isinstance(counts, Sequence):
        counts = (counts, counts)
    if len(counts) != 2:
        raise ValueError(
            f"num_classes={tuple(counts)}; expected one number, or two: the "
            "number of intents and that of tags. For other tasks pass tasks."
        )
    return [
        Classification("intent", counts[0]),
        SequenceTagging("slots", counts[1]),
    ]


def _check_word_dropout(rate) -> None:
    if isinstance(rate, bool) or not isinstance(rate, int | float):
        raise TypeError(f"word_dropout={rate!r} is not a number.")
    if not 0 <= rate < 1:
        raise ValueError(
            f"word_dropout={rate!r}; expected a number of at least 0 and "
            "below 1."
        )
