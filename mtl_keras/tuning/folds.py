"""Splits the data of a search into training and validation parts."""

from __future__ import annotations

import dataclasses
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from mtl_keras.training.data.streams import is_stream


@dataclasses.dataclass(frozen=True)
class Part:
    """The data of one training.

    Args:
        train: `(x, y)` or `(x, y, sample_weight)`, or a stream of batches.
        validation: Validation data in the same form.
    """

    train: Any
    validation: Any


def split_parts(train, validation, folds: int | None, seed: int) -> list[Part]:
    """Splits the data of a search for its trials.

    Arrays are converted once to the dtype that Keras would convert them to in
    each training.

    Args:
        train: Training data.
        validation: Validation data, or `None` with `folds`.
        folds: Number of folds, or `None` for one validation set.
        seed: Seed of the order of samples.

    Returns:
        A `Part` for each training of an execution.

    Raises:
        TypeError: If `folds` is given with a stream.
        ValueError: If both or none of `validation` and `folds` are given, or
            `folds` is out of range.
    """
    if folds is None:
        if validation is None:
            raise ValueError(
                "validation is missing: trials are compared on data that they "
                "are not trained on. Pass validation=(x, y), or folds=5."
            )
        return [Part(_as_tuple(train), _as_tuple(validation))]
    if validation is not None:
        raise ValueError(
            "Both validation and folds are given, and folds takes validation "
            "data from the training data. Leave one of the two out."
        )
    if not isinstance(train, tuple | list) or is_stream(train[0]):
        raise TypeError(
            f"folds={folds} needs arrays, (x, y); found {type(train).__name__}."
        )
    train = _as_tuple(train)
    count = len(keras.tree.flatten(train[0])[0])
    if isinstance(folds, bool) or not 2 <= folds <= count:
        raise ValueError(
            f"folds={folds!r}; expected 2 to {count}, the number of samples."
        )
    order = np.random.default_rng([seed, folds]).permutation(count)
    held_out = [np.sort(rows) for rows in np.array_split(order, folds)]
    return [
        Part(
            _rows(train, np.setdiff1d(np.arange(count), rows)),
            _rows(train, rows),
        )
        for rows in held_out
    ]


def unpack(data) -> tuple:
    """Returns inputs, targets and sample weights of a part.

    Args:
        data: `(x, y)`, `(x, y, sample_weight)`, or a stream of batches, which
            is returned as the inputs.
    """
    if not isinstance(data, tuple):
        return data, None, None
    x, y, *weights = data
    return x, y, (weights[0] if weights else None)


def _as_tuple(data):
    """Returns arrays as a tuple of two or three, and streams unchanged."""
    if isinstance(data, list | tuple):
        if len(data) not in (2, 3):
            raise ValueError(
                f"The data has {len(data)} parts; expected (x, y) or (x, y, "
                "sample_weight)."
            )
        return keras.tree.map_structure(_as_array, tuple(data))
    return data


def _as_array(array):
    """Converts an array as Keras does for each training."""
    if tf.is_tensor(array) or not hasattr(array, "__array__"):
        return array
    array = np.asarray(array)
    if np.issubdtype(array.dtype, np.floating):
        return array.astype(keras.config.floatx(), copy=False)
    return array


def _rows(data, rows: np.ndarray):
    return keras.tree.map_structure(
        lambda array: None if array is None else np.asarray(array)[rows], data
    )
