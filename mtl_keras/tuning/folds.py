"""Splits the data of a search into training and validation parts."""

from __future__ import annotations

import dataclasses
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from mtl_keras.argument_checks import is_integer
from mtl_keras.keras_compat import train_validation_split
from mtl_keras.training.data.streams import is_stream
from mtl_keras.tuning.fold_indices import read_folds


@dataclasses.dataclass(frozen=True)
class Part:
    """The data of one training.

    Args:
        train: `(x, y)` or `(x, y, sample_weight)`, or a stream of batches.
        validation: Validation data in the same form.
    """

    train: Any
    validation: Any


def split_parts(
    train, validation, folds=None, seed: int = 0, validation_split: float = 0.0
) -> list[Part]:
    """Splits the data of a search for its trials.

    Args:
        train: Training data, the result of `as_arrays`.
        validation: Validation data in the same form, or `None`.
        folds: Number of folds, or a splitter or index pairs, see
            `read_folds`. Defaults to `None`, for one validation set.
        seed: Seed of the order of samples, for a number of folds. Defaults to
            `0`.
        validation_split: Fraction of the training samples to validate on,
            from the end, as in `keras.Model.fit`. Defaults to `0.0`.

    Returns:
        A `Part` for each training of an execution.

    Raises:
        TypeError: If `folds` or `validation_split` is given with a stream.
        ValueError: If not exactly one of `validation`, `validation_split` and
            `folds` is given, or if one of them is out of range.
    """
    given = {
        "validation": validation is not None,
        "validation_split": bool(validation_split),
        "folds": folds is not None,
    }
    names = [name for name, is_given in given.items() if is_given]
    if not names:
        raise ValueError(
            "validation is missing: trials are compared on data that they "
            "are not trained on. Pass validation=(x, y), validation_split=0.2 "
            "or folds=5."
        )
    if len(names) > 1:
        raise ValueError(
            f"Both {names[0]} and {names[1]} are given, but each of them "
            "determines the validation data. Leave one of the two out."
        )
    if validation is not None:
        return [Part(train, validation)]
    (name,) = names
    if not isinstance(train, tuple) or is_stream(train[0]):
        raise TypeError(
            f"{name} needs arrays, (x, y); found {type(train).__name__}. Split "
            "the data, and pass validation."
        )
    if folds is None:
        return [_split_end(train, validation_split)]
    return [
        Part(_rows(train, rows), _rows(train, held_out))
        for rows, held_out in read_folds(folds, _count(train), seed)
    ]


def read_own_folds(folds, train):
    """Reads index pairs once: a random splitter returns others each time.

    Args:
        folds: The argument of the search.
        train: Training data, the result of `as_arrays`.

    Returns:
        A list of pairs. A number, `None` and folds of a stream are returned
        unchanged.
    """
    if folds is None or is_integer(folds) or not isinstance(train, tuple):
        return folds
    return read_folds(folds, _count(train), seed=0)


def _count(train: tuple) -> int:
    return len(keras.tree.flatten(train[0])[0])


def _split_end(train: tuple, fraction: float) -> Part:
    is_fraction = isinstance(fraction, float) and 0 < fraction < 1
    count = _count(train)
    if not is_fraction or int(count * (1 - fraction)) in (0, count):
        raise ValueError(
            f"validation_split={fraction!r} of {count} samples; expected a "
            "fraction between 0 and 1, such as 0.2, that leaves samples in "
            "both parts."
        )
    return Part(*train_validation_split(train, fraction))


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


def as_arrays(data):
    """Converts arrays once to the dtypes that Keras converts them to.

    Args:
        data: `(x, y)`, `(x, y, sample_weight)`, or a stream of batches.

    Returns:
        A tuple of arrays; a stream is returned unchanged.

    Raises:
        ValueError: If `data` has another number of parts.
    """
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
