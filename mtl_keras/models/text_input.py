"""Models on sentences made of models on numbers of tokens, and back."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from mtl_keras.layers import TokenIds
from mtl_keras.training import MultiTaskModel
from mtl_keras.training.overrides import derive_model_class


def with_text_input(
    model: MultiTaskModel,
    vocabulary: Sequence[str],
    lowercase: bool = True,
    affix_length: int = 0,
) -> MultiTaskModel:
    """Puts the splitting and looking up of words before a model.

    Both models have the same layers and weights: training the one trains the
    other.

    Args:
        model: A model on numbers of tokens, such as `build_text_cls_tag`
            builds with a number as `vocabulary`.
        vocabulary: Words by their numbers, that of the first being 2.
        lowercase: Whether capitals count as small letters. Defaults to
            `True`.
        affix_length: That of `build_text_cls_tag`. Defaults to `0`.

    Returns:
        A `MultiTaskModel` that takes strings, compiled as `model` is. Its
        optimizer starts anew.

    Raises:
        ValueError: If `model` takes something else, or has fewer numbers than
            there are words.

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
            "the numbers of tokens."
        )
    text = keras.Input((), dtype="string", name="text")
    layer = TokenIds(
        vocabulary, ids.shape[1], lowercase, affix_length, name="token_ids"
    )
    _check_size(model, layer.vocabulary_size())
    # Called as the graph that it is, it is no layer but all of its layers.
    return _like(model, text, model.call(layer(text)))


def without_text_input(model: MultiTaskModel) -> MultiTaskModel:
    """Takes the splitting and looking up of words off a model.

    For training on numbers of tokens that a `tf.data` pipeline looks up beside
    the steps, or with `jit_compile=True`, which cannot hold strings.
    `model.get_layer("token_ids")` is the layer that looks them up. Both models
    have the same layers and weights: training the one trains the other.

    Args:
        model: A model on sentences, such as `build_text_cls_tag` builds with a
            list of words as `vocabulary`.

    Returns:
        A `MultiTaskModel` that takes numbers of tokens, compiled as `model`
        is. Its optimizer starts anew.

    Raises:
        ValueError: If the model has no layer that looks words up.

    Example:

    >>> model = mtl_keras.build_text_cls_tag(vocabulary=["play", "jazz"])
    >>> on_ids = mtl_keras.without_text_input(model)
    >>> ids = model.get_layer("token_ids")(np.array(["play jazz"], object))
    >>> on_ids(ids)["slots"].shape
    TensorShape([1, 2, 72])
    """
    lookups = [one for one in model.layers if isinstance(one, TokenIds)]
    if len(lookups) != 1:
        raise ValueError(
            f"Model {model.name!r} takes {_describe(model)} and has "
            f"{len(lookups)} TokenIds layers; expected one, as in a model that "
            "build_text_cls_tag builds with a list of words as vocabulary."
        )
    (looked_up,) = lookups
    return _like(model, looked_up.output, model.outputs)


def _like(model: MultiTaskModel, inputs, outputs) -> MultiTaskModel:
    """A model of other inputs with the tasks and losses of a model."""
    if not isinstance(outputs, dict):
        outputs = dict(zip(model.output_names, outputs, strict=True))
    made = derive_model_class(model, MultiTaskModel)(
        inputs, outputs, name=model.name, tasks=model.tasks
    )
    if model.compiled:
        made.compile_from_config(model.get_compile_config())
    return made


def _check_size(model: MultiTaskModel, count: int) -> None:
    for table in model.layers:
        is_of_words = isinstance(table, keras.layers.Embedding) and (
            not table.name.startswith("trunk_embedding_")
        )
        if is_of_words and table.input_dim < count:
            raise ValueError(
                f"vocabulary holds {count - 2} words, which with padding and "
                f"the unknown one are {count}; model {model.name!r} has "
                f"vectors for {table.input_dim}. Leave the rarest words out, "
                "or build the model with a larger vocabulary."
            )


def _describe(model: MultiTaskModel) -> str:
    return ", ".join(
        f"{tensor.dtype} of shape {tuple(tensor.shape)}"
        for tensor in model.inputs
    )
