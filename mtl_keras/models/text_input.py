"""Converts models on token ids to models on sentences, and back."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from mtl_keras.layers import TokenIds
from mtl_keras.training import MultiTaskModel
from mtl_keras.training.overrides import class_like


def with_text_input(
    model: MultiTaskModel,
    vocabulary: Sequence[str],
    lowercase: bool = True,
    affix_length: int = 0,
) -> MultiTaskModel:
    """Adds the tokenization of sentences to a model on token ids.

    Both models share their layers and weights: training one trains the other.

    Args:
        model: A model on token ids, as `build_text_cls_tag` builds it with a
            number as `vocabulary`.
        vocabulary: List of words in the order of their ids, which start at 2.
        lowercase: Whether to convert words to lower case. Defaults to `True`.
        affix_length: See `build_text_cls_tag`. Defaults to `0`.

    Returns:
        A `MultiTaskModel` that takes strings, compiled like `model`, with a
        new optimizer.

    Raises:
        ValueError: If `model` takes other inputs, or has fewer ids than there
            are words.

    Example:

    >>> words = ["play", "jazz"]
    >>> model = mtl_keras.build_text_cls_tag(vocabulary=len(words) + 2)
    >>> on_text = mtl_keras.with_text_input(model, words)
    >>> outputs = on_text(np.array(["play jazz"], object))
    >>> outputs["slots"].shape
    TensorShape([1, 2, 72])
    """
    ids = model.inputs[0]
    dtype = keras.backend.standardize_dtype(ids.dtype)
    expected = 3 if affix_length else 2
    is_ids = len(ids.shape) == expected and "int" in dtype
    if len(model.inputs) != 1 or not is_ids:
        shape = "(batch, steps, 3)" if affix_length else "(batch, steps)"
        raise ValueError(
            f"Model {model.name!r} takes {_describe(model)}; with affix_length="
            f"{affix_length}, expected one input of integers of shape {shape}, "
            "the token ids."
        )
    text = keras.Input((), dtype="string", name="text")
    layer = TokenIds(
        vocabulary, ids.shape[1], lowercase, affix_length, name="token_ids"
    )
    _check_size(model, layer.vocabulary_size())
    # `call` adds the layers of the model to the graph, not the model itself.
    return _rebuild(model, text, model.call(layer(text)))


def without_text_input(model: MultiTaskModel) -> MultiTaskModel:
    """Removes the tokenization of sentences from a model.

    A model on token ids trains on sentences that a `tf.data` pipeline
    tokenizes, with `model.get_layer("token_ids")`, and with
    `jit_compile=True`, which does not support strings. Both models share their
    layers and weights: training one trains the other.

    Args:
        model: A model on sentences, as `build_text_cls_tag` builds it with a
            list of words as `vocabulary`.

    Returns:
        A `MultiTaskModel` that takes token ids, compiled like `model`, with a
        new optimizer.

    Raises:
        ValueError: If the model does not have exactly one `TokenIds` layer.

    Example:

    >>> model = mtl_keras.build_text_cls_tag(vocabulary=["play", "jazz"])
    >>> on_ids = mtl_keras.without_text_input(model)
    >>> ids = model.get_layer("token_ids")(np.array(["play jazz"], object))
    >>> on_ids(ids)["slots"].shape
    TensorShape([1, 2, 72])
    """
    lookups = [x for x in model.layers if isinstance(x, TokenIds)]
    if len(lookups) != 1:
        raise ValueError(
            f"Model {model.name!r} takes {_describe(model)} and has "
            f"{len(lookups)} TokenIds layers; expected one, as in a model that "
            "build_text_cls_tag builds with a list of words as vocabulary."
        )
    (lookup,) = lookups
    return _rebuild(model, lookup.output, model.outputs)


def _rebuild(model: MultiTaskModel, inputs, outputs) -> MultiTaskModel:
    """Returns a model with other inputs and the tasks and losses of a model."""
    if not isinstance(outputs, dict):
        outputs = dict(zip(model.output_names, outputs, strict=True))
    rebuilt = class_like(model, MultiTaskModel)(
        inputs, outputs, name=model.name, tasks=model.tasks
    )
    if model.compiled:
        rebuilt.compile_from_config(model.get_compile_config())
    return rebuilt


def _check_size(model: MultiTaskModel, count: int) -> None:
    for table in model.layers:
        embeds_words = isinstance(table, keras.layers.Embedding) and (
            not table.name.startswith("trunk_embedding_")
        )
        if embeds_words and table.input_dim < count:
            raise ValueError(
                f"vocabulary holds {count - 2} words, {count} ids with padding "
                f"and the unknown word, but model {model.name!r} has vectors "
                f"for {table.input_dim}. Leave out the rarest words, or build "
                "the model with a larger vocabulary."
            )


def _describe(model: MultiTaskModel) -> str:
    return ", ".join(
        f"{tensor.dtype} of shape {tuple(tensor.shape)}"
        for tensor in model.inputs
    )
