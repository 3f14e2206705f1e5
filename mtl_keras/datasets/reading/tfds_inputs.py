"""Reads inputs from the features of TensorFlow Datasets."""

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
    task_by_feature: Mapping[str, str],
) -> Inputs | NamedFeature:
    """Finds the features that are inputs.

    Args:
        inputs: See `from_tfds`.
        features: The `Features`.
        supervised_keys: Names of the input and the label that the data set
            declares, or `None`.
        task_by_feature: Dict from the names of features that are labels to
            their tasks.

    Returns:
        The feature, or a dict from the name of an input to its feature.

    Raises:
        TypeError: If `inputs` is neither a name nor a list of names.
        ValueError: If a feature does not exist or is a label, or the data set
            does not declare its input.
    """
    if inputs is None:
        inputs = _find_default(features, supervised_keys, task_by_feature)
    if isinstance(inputs, str):
        found = features.resolve(inputs, "inputs")
        chosen = {f.name.removeprefix(inputs + "/"): f for f in found}
        is_one = found[0].name == inputs
    else:
        chosen, is_one = _resolve_list(inputs, features), False
    for feature in chosen.values():
        if feature.name in task_by_feature:
            raise ValueError(
                f"`inputs` has the feature {feature.name!r}, the label of task "
                f"{task_by_feature[feature.name]!r}. Name the inputs without "
                "it."
            )
    return chosen[inputs] if is_one else chosen


def read_inputs(
    inputs: Inputs | NamedFeature, image_size: tuple[int, int] | None
) -> Callable[[Mapping], Any]:
    """Makes the function that reads the inputs of an example.

    Args:
        inputs: The feature, or a dict of features.
        image_size: `(height, width)` of images, or `None` to keep their size.

    Returns:
        Function from an example to a tensor, or a dict of tensors: float32 for
        images, floats and booleans, integers as they are, and strings, where a
        list of tokens becomes a sentence.
    """

    def read(example: Mapping):
        if isinstance(inputs, NamedFeature):
            return _read_input(inputs, example, image_size)
        return {
            name: _read_input(feature, example, image_size)
            for name, feature in inputs.items()
        }

    return read


def _read_input(feature: NamedFeature, example: Mapping, image_size):
    value = feature.value(example)
    if isinstance(value, tf.data.Dataset):
        raise ValueError(_invalid_input(feature, "a data set in each sample"))
    if isinstance(value, tf.RaggedTensor):
        raise ValueError(_invalid_input(feature, "lists of different lengths"))
    if value.dtype == tf.string:
        return _read_text(feature, value)
    if feature.is_image:
        value = tf.cast(resize_image(value, image_size), tf.float32)
    if not value.shape.is_fully_defined():
        raise ValueError(_invalid_input(feature, f"the shape {value.shape}"))
    if value.dtype.is_floating and not feature.is_image:
        return tf.debugging.assert_all_finite(
            tf.cast(value, tf.float32),
            f"Feature {feature.name!r} has a missing or infinite number in a "
            "sample. Replace it in the builder, or leave the feature out of "
            "`inputs`",
        )
    return tf.cast(value, tf.float32) if value.dtype.is_bool else value


def resize_image(value, image_size: tuple[int, int] | None):
    """Resizes an image bilinearly.

    Args:
        value: Tensor of shape `(height, width, channels)`.
        image_size: `(height, width)`, or `None` to keep its size.

    Returns:
        The resized tensor, float32; or `value` if it has that size already.
    """
    if image_size is None or tuple(value.shape[:2]) == image_size:
        return value
    return tf.image.resize(value, image_size, antialias=True)


def _find_default(features: Features, supervised_keys, task_by_feature) -> str:
    keys = supervised_keys or ()
    if keys and isinstance(keys[0], str) and keys[0] not in task_by_feature:
        return keys[0]
    others = [name for name in features.by_name if name not in task_by_feature]
    images = [name for name in others if features.by_name[name].is_image]
    for known in (others, images):
        if len(known) == 1:
            return known[0]
    free = ", ".join(map(repr, others)) or "none"
    raise ValueError(
        "`inputs` must name the features that are inputs, because the data set "
        f"does not. Features that are not labels: {free}."
    )


def _resolve_list(inputs, features: Features) -> Inputs:
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


def _read_text(feature: NamedFeature, value):
    if value.shape.rank == 0:
        return value
    if value.shape.rank != 1:
        raise ValueError(
            _invalid_input(feature, f"strings of shape {value.shape}")
        )
    # Whitespace in a token, and an empty token, become a no-break space, so
    # that splitting the sentence restores the tokens.
    tokens = tf.strings.regex_replace(value, r"\s", _NO_BREAK)
    tokens = tf.where(tokens == "", _NO_BREAK, tokens)
    return tf.strings.reduce_join(tokens, separator=" ")


def _invalid_input(feature: NamedFeature, found: str) -> str:
    way = (
        "Pass image_size=(height, width)."
        if feature.is_image
        else "Pass a decoder that returns one shape: decoders="
        f"{{{feature.name!r}: ...}}, or remove the feature from `inputs`."
    )
    return (
        f"`inputs`: the feature {feature.name!r} has {found}, but a batch "
        f"needs one shape. {way}"
    )
