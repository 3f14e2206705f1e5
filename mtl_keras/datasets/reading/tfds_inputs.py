"""Inputs from the features of TensorFlow Datasets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from mtl_keras.datasets.reading.tfds_features import Features, NamedFeature

Inputs = dict[str, NamedFeature]

_NO_BREAK = "\u00a0"


def resolve_inputs(
    inputs: str | Sequence[str] | None,
    features: Features,
    supervised_keys: Any,
    taken: Mapping[str, str],
) -> Inputs | NamedFeature:
    """Finds the features that are inputs.

    Args:
        inputs: See `from_tfds`.
        features: The `Features`.
        supervised_keys: What the data set names as its inputs and label, or
            `None`.
        taken: Dict from the names of features that are labels to their tasks.

    Returns:
        The feature, or a dict from the name of an input to one.

    Raises:
        TypeError: If `inputs` is neither a name nor a list of them.
        ValueError: If there is no such feature, it is a label too, or the data
            set does not name its input.
    """
    if inputs is None:
        inputs = _default(features, supervised_keys, taken)
    if isinstance(inputs, str):
        found = features.resolve(inputs, "inputs")
        # All of a dict go by the names that they have in it.
        chosen = {f.name.removeprefix(inputs + "/"): f for f in found}
        is_one = found[0].name == inputs
    else:
        chosen, is_one = _several(inputs, features), False
    for feature in chosen.values():
        if feature.name in taken:
            raise ValueError(
                f"`inputs` has the feature {feature.name!r}, the label of task "
                f"{taken[feature.name]!r}. Name the inputs without it."
            )
    return chosen[inputs] if is_one else chosen


def read_input(
    feature: NamedFeature, image_size: tuple[int, int] | None
) -> Callable[[Mapping], Any]:
    """Makes the function that reads an input.

    Args:
        feature: The feature.
        image_size: `(height, width)` of images, or `None` for their own.

    Returns:
        Function from an example to a tensor: float32 for images, floats and
        booleans, integers as they are, and strings, where a list of tokens
        becomes a sentence.
    """

    def read(example: Mapping):
        value = feature.value(example)
        if isinstance(value, tf.data.Dataset):
            raise ValueError(_no_input(feature, "a data set in each sample"))
        if isinstance(value, tf.RaggedTensor):
            raise ValueError(_no_input(feature, "lists of several lengths"))
        if value.dtype == tf.string:
            return _text(feature, value)
        if feature.is_image:
            value = tf.cast(resize_image(value, image_size), tf.float32)
        if not value.shape.is_fully_defined():
            raise ValueError(_no_input(feature, f"the shape {value.shape}"))
        if value.dtype.is_floating or value.dtype.is_bool:
            return tf.cast(value, tf.float32)
        return value

    return read


def resize_image(value, image_size: tuple[int, int] | None):
    """Resizes an image bilinearly.

    Args:
        value: Tensor of shape `(height, width, channels)`.
        image_size: `(height, width)`, or `None` to keep its own.

    Returns:
        The resized tensor, of float32; or `value` where it has that size.
    """
    if image_size is None or tuple(value.shape[:2]) == image_size:
        return value
    return tf.image.resize(value, image_size, antialias=True)


def _default(features: Features, supervised_keys, taken) -> str:
    keys = supervised_keys or ()
    if keys and isinstance(keys[0], str) and keys[0] not in taken:
        return keys[0]
    left = [name for name in features.by_name if name not in taken]
    images = [name for name in left if features.by_name[name].is_image]
    for known in (left, images):
        if len(known) == 1:
            return known[0]
    free = ", ".join(map(repr, left)) or "none"
    raise ValueError(
        "`inputs` must name the features that are inputs, because the data set "
        f"does not. Those that are no labels: {free}."
    )


def _several(inputs, features: Features) -> Inputs:
    is_list = isinstance(inputs, Sequence)
    if not is_list or not inputs or not all(isinstance(n, str) for n in inputs):
        raise TypeError(
            "`inputs` must be the name of a feature or a list of names, found "
            f"{inputs!r}."
        )
    return {
        feature.name: feature
        for name in inputs
        for feature in features.resolve(name, "inputs")
    }


def _text(feature: NamedFeature, value):
    if value.shape.rank == 0:
        return value
    if value.shape.rank != 1:
        raise ValueError(_no_input(feature, f"texts of shape {value.shape}"))
    # Blanks part the tokens again, and no others: within a token, and as one,
    # a no-break space stands in.
    tokens = tf.strings.regex_replace(value, r"\s", _NO_BREAK)
    tokens = tf.where(tokens == "", _NO_BREAK, tokens)
    return tf.strings.reduce_join(tokens, separator=" ")


def _no_input(feature: NamedFeature, found: str) -> str:
    way = (
        "Pass image_size=(height, width)."
        if feature.is_image
        else "Pass a decoder that gives them one shape: decoders="
        f"{{{feature.name!r}: ...}}, or leave the feature out of `inputs`."
    )
    return (
        f"`inputs`: the feature {feature.name!r} has {found}, and a batch "
        f"needs one shape. {way}"
    )
