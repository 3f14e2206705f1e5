"""Encoder of text, for tasks on sentences and on tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Unpack

import keras
import numpy as np
from keras import layers

from mtl_keras.argument_checks import check_integer
from mtl_keras.layers import TokenIds, WordDropout
from mtl_keras.layers.token_ids import BUCKETS
from mtl_keras.models import arguments
from mtl_keras.models.build_model import ModelOptions, build_model
from mtl_keras.models.default_tasks import class_counts
from mtl_keras.models.factory import factory
from mtl_keras.models.heads import add_heads
from mtl_keras.models.inputs import preprocess
from mtl_keras.models.sequences import (
    check_sequence_trunk,
    encode,
    select_features,
)
from mtl_keras.models.trunk_sizes import resolve_hidden_units
from mtl_keras.tasks import Classification, SequenceTagging, Task
from mtl_keras.training import MultiTaskModel


@factory("text")
def build_text_cls_tag(
    input_shape: Sequence[int | None] = (None,),
    tasks: Sequence[Task] | None = None,
    *,
    num_classes: int | Sequence[int] | None = None,
    names: Mapping[str, str] | None = None,
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
    name: str = "text_cls_tag",
    **options: Unpack[ModelOptions],
) -> MultiTaskModel:
    """Builds a network on text that classifies sentences and tags tokens.

    Any number of tasks of both kinds read one encoder. By default, they
    predict what a user wants (`intent`) and the words with the details
    (`slots`). With a list of words as `vocabulary`, the model and its exports
    take sentences as strings, with whitespace between the tokens. With a
    number, they take token ids, where 0 is padding and 1 an unknown word.
    `mtl_keras.without_text_input` and `mtl_keras.with_text_input` convert one
    into the other.

    Padding changes no prediction and adds nothing to losses and metrics.

    Args:
        input_shape: `(steps,)`, the number of tokens to which sentences and
            their targets are padded. Longer sentences are not truncated.
            Defaults to `(None,)`, the longest sentence of a batch.
        tasks: List of tasks: `Classification` and others on sentences,
            `SequenceTagging` on tokens. Defaults to
            `Classification("intent", 7)` and `SequenceTagging("slots", 72)`.
        num_classes: Number of classes of both default tasks, or of each of
            them. Defaults to `(7, 72)`. Cannot be combined with `tasks`.
        vocabulary: List of words, the most frequent first (such as
            `mtl_keras.layers.token_ids.count_words(sentences)`), or the number
            of token ids, including those of padding and of unknown words.
            Defaults to `10_000`.
        lowercase: Whether to convert words to lower case, if `vocabulary`
            lists words. Defaults to `True`.
        embedding_size: Size of the vector of a token. Defaults to `128`.
        affix_length: Number of letters at the beginning and at the end of a
            token that the encoder reads in addition to the token, for words
            that are not in the vocabulary. Each token then has three ids, of
            shape `(steps, 3)`, see `mtl_keras.layers.TokenIds`. Defaults to
            `0`, only the token.
        encoder: `"gru"`, bidirectional GRUs; `"transformer"`; or `"conv"`,
            convolutions, each with twice the dilation of the one before.
            Defaults to `"gru"`.
        hidden_units: Width of each level of the encoder, for GRUs in each
            direction. Defaults to `(128,)`.
        normalization: Normalization after each level: `"batch"`, `"layer"` or
            `None`. With several replicas, each replica has separate batch
            statistics. Defaults to `None`.
        dropout: Dropout rate after the embedding and each level, in [0, 1).
            Defaults to `0`.
        word_dropout: Share of the tokens that are replaced by the unknown word
            in training, in [0, 1), for sentences with unknown words. Defaults
            to `0`.
        preprocessing: Keras layer, or list of layers, to apply to the inputs.
            Saved and exported with the model. Defaults to `None`.

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
        tasks, _default_tasks, num_classes=num_classes, names=names
    )
    widths = resolve_hidden_units(
        hidden_units, trunk_width, trunk_depth, default=(128,), min_levels=1
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
    arguments.check_rate("word_dropout", word_dropout)
    size = check_integer("embedding_size", embedding_size, minimum=1)
    letters = check_integer("affix_length", affix_length, minimum=0)

    inputs, ids, count = _token_ids(
        steps, vocabulary, lowercase, letters, preprocessing
    )
    x = _embed(ids, count, size, word_dropout, dropout)
    x = encode(x, encoder, widths, activation=activation, **settings)
    features = select_features(x, tasks, pooling, steps=steps)
    outputs = add_heads(features, tasks)
    return build_model(inputs, outputs, tasks, name, **options)


def _token_ids(
    steps, vocabulary, lowercase: bool, affix_length: int, preprocessing
) -> tuple:
    """Returns the input tensor, the token ids, and the number of ids."""
    if isinstance(vocabulary, int | np.integer):
        count = check_integer("vocabulary", vocabulary, minimum=3)
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
    # A preprocessing layer may have converted them to floats.
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
        vectors = [
            layers.Embedding(
                BUCKETS + 1,
                max(size // 2, 1),
                mask_zero=True,
                name=f"trunk_embedding_{end}",
            )(affix_ids)
            for end, affix_ids in zip(("start", "end"), affixes, strict=True)
        ]
        x = layers.Concatenate(name="trunk_token")([x, *vectors])
    if dropout:
        x = layers.Dropout(dropout, name="trunk_embedding_dropout")(x)
    return x


def _default_tasks(num_classes: int | Sequence[int] | None) -> list[Task]:
    intents, tags = class_counts(num_classes, default=(7, 72))
    return [Classification("intent", intents), SequenceTagging("slots", tags)]
