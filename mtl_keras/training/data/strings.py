"""Sentences among the inputs."""

from __future__ import annotations

from collections.abc import Mapping

import keras
import numpy as np

from mtl_keras.layers import TokenIds
from mtl_keras.training.data.arrays import to_numpy


def with_object_strings(x):
    """Makes arrays of objects of strings, the only ones that Keras takes.

    Args:
        x: Inputs: an array or a list of strings, or anything else.

    Returns:
        The inputs; what is no string in them is as it was.
    """
    if isinstance(x, list) and x and all(isinstance(one, str) for one in x):
        return np.array(x, object)
    if isinstance(x, np.ndarray) and x.dtype.kind == "U":
        return x.astype(object)
    if isinstance(x, Mapping):
        return {name: with_object_strings(one) for name, one in x.items()}
    return x


def check_tokens(model, x, y) -> None:
    """Checks that sentences have as many tokens as they have tags.

    Args:
        model: A `MultiTaskModel`.
        x: Inputs.
        y: Dict from task name to targets, checked.

    Raises:
        ValueError: If a sentence has more tokens than its row has columns, or
            a tag after its last token.
    """
    sentences = _sentences(model, x)
    taggings = [task for task in model.tasks if task.feature_rank == 3]
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
                "tag for each token and -1 after the last "
                "(mtl_keras.datasets.encode_tags makes them)."
            )


def _check_columns(task, counts: np.ndarray, columns: int) -> None:
    row = int(counts.argmax())
    if counts[row] > columns:
        raise ValueError(
            f"Task {task.name!r}: row {row} has {counts[row]} tokens, and "
            f"targets have {columns} columns; expected a tag for each token. "
            "Cut the sentence, or make the targets wider."
        )


def _sentences(model, x):
    """The strings that a model splits into tokens, or `None`."""
    lookups = [layer for layer in model.layers if isinstance(layer, TokenIds)]
    if len(lookups) != 1 or len(model.inputs) != 1:
        return None
    if lookups[0].input is not model.inputs[0]:
        return None  # a layer between may make other tokens
    (array,) = keras.tree.flatten(x)
    return to_numpy(array).reshape(-1)


def _count_tokens(sentence) -> int:
    # As TensorFlow splits: at ASCII whitespace alone.
    text = sentence.encode() if isinstance(sentence, str) else sentence
    return len(text.split())
