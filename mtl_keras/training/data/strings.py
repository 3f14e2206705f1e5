"""Conversion and checks of string inputs."""

from __future__ import annotations

from collections.abc import Mapping

import keras
import numpy as np

from mtl_keras.layers import TokenIds
from mtl_keras.training.data.arrays import to_numpy


def to_object_strings(x):
    """Converts strings to object arrays, which Keras requires.

    Args:
        x: Inputs: an array, a list, or a dict of them.

    Returns:
        The inputs; only strings are converted.
    """
    if isinstance(x, list) and x and all(isinstance(one, str) for one in x):
        return np.array(x, object)
    if isinstance(x, np.ndarray) and x.dtype.kind == "U":
        return x.astype(object)
    if isinstance(x, Mapping):
        return {name: to_object_strings(one) for name, one in x.items()}
    return x


def check_token_counts(model, x, y) -> None:
    """Checks that sentences have as many tokens as tags.

    Args:
        model: A `MultiTaskModel`.
        x: Inputs.
        y: Dict from task name to targets, checked.

    Raises:
        ValueError: If a sentence has more tokens than the targets have
            columns, or a tag after its last token.
    """
    sentences = _get_sentences(model, x)
    taggings = [task for task in model.tasks if task.labels_per == "step"]
    if sentences is None or not taggings or not isinstance(y, Mapping):
        return
    counts = np.array([_count_tokens(one) for one in sentences], int)
    for task in taggings:
        if y[task.name] is None or np.ndim(y[task.name]) < 2:
            continue
        tags = to_numpy(y[task.name])
        _check_columns(task, counts, tags.shape[1])
        labelled = task.labelled(tags, model.task_output_shapes[task.name])
        if labelled is None:
            labelled = np.ones(tags.shape[:2], bool)
        after = labelled & (np.arange(tags.shape[1]) >= counts[:, None])
        if after.any():
            row, step = (int(i) for i in np.argwhere(after)[0])
            raise ValueError(
                f"Task {task.name!r}: row {row} has {counts[row]} tokens "
                f"({sentences[row]!r}) and a tag at step {step}; expected one "
                "tag per token and -1 after the last token "
                "(see mtl_keras.datasets.encode_tags)."
            )


def _check_columns(task, counts: np.ndarray, columns: int) -> None:
    row = int(counts.argmax())
    if counts[row] > columns:
        raise ValueError(
            f"Task {task.name!r}: row {row} has {counts[row]} tokens, and "
            f"targets have {columns} columns; expected one tag per token. "
            "Shorten the sentence, or add columns to the targets."
        )


def _get_sentences(model, x):
    """Returns the strings that a model splits into tokens, or `None`."""
    lookups = [layer for layer in model.layers if isinstance(layer, TokenIds)]
    if len(lookups) != 1 or len(model.inputs) != 1:
        return None
    if lookups[0].input is not model.inputs[0]:
        return None  # a layer in between may change the tokens
    (array,) = keras.tree.flatten(x)
    return to_numpy(array).reshape(-1)


def _count_tokens(sentence) -> int:
    # Like TensorFlow: split only at ASCII whitespace.
    text = sentence.encode() if isinstance(sentence, str) else sentence
    return len(text.split())
