"""Checks of class targets: integers in range, or one value per class."""

from __future__ import annotations

import numpy as np


def is_one_hot_shape(shape: tuple, num_classes: int, rank: int) -> bool:
    """Tells whether targets hold one value per class.

    Args:
        shape: Shape of the targets, batch axis included.
        num_classes: Number of classes.
        rank: Rank of the output, batch axis included.
    """
    return len(shape) == rank and shape[-1] == num_classes


def check_integer_labels(
    name: str, labels: np.ndarray, num_classes: int, advice: str
) -> None:
    """Raises a `ValueError` if a label is no integer from 0 to `num_classes`-1.

    Args:
        name: Name of the task, for the message.
        labels: Labels of any shape and numeric dtype.
        num_classes: Number of classes.
        advice: The way out, which ends the message.
    """
    if labels.size == 0:
        return
    if labels.dtype.kind not in "biuf":
        raise TypeError(
            f"Task {name!r}: labels are of dtype {labels.dtype}; expected "
            f"integers from 0 to {num_classes - 1}. Encode class names as "
            "numbers first (keras.layers.StringLookup does it)."
        )
    bad = _first_bad(labels, num_classes)
    if bad is None:
        return
    index, value = bad
    low, high = np.nanmin(labels), np.nanmax(labels)
    raise ValueError(
        f"Task {name!r}: found label {value} at index {index} (all labels "
        f"run from {low} to {high}); expected integers from 0 to "
        f"{num_classes - 1}. {advice}"
    )


def _first_bad(labels: np.ndarray, num_classes: int):
    """Index and value of the first label out of range, or `None`."""
    # Two reductions decide; only a bad array pays for a search.
    low, high = labels.min(), labels.max()
    in_range = low >= 0 and high <= num_classes - 1
    whole = labels.dtype.kind != "f" or bool((labels == np.rint(labels)).all())
    if in_range and whole:
        return None
    bad = ~((labels >= 0) & (labels <= num_classes - 1))
    if labels.dtype.kind == "f":
        bad |= labels != np.rint(labels)
    index = np.unravel_index(int(np.argmax(bad)), labels.shape)
    return tuple(int(i) for i in index), labels[index]


def check_class_probabilities(name: str, targets: np.ndarray) -> None:
    """Raises a `ValueError` unless the last axis holds class probabilities.

    Args:
        name: Name of the task, for the message.
        targets: One-hot targets (or soft ones), classes last.
    """
    if targets.size == 0:
        return
    low, high = targets.min(), targets.max()
    sums = targets.sum(axis=-1)
    if low >= 0 and high <= 1 and np.allclose(sums, 1, atol=1e-3):
        return
    raise ValueError(
        f"Task {name!r}: targets with one value per class must be one-hot (or "
        f"probabilities that sum to 1); found values from {low} to {high} and "
        f"sums from {sums.min()} to {sums.max()}. For several labels a sample "
        "use MultiLabelClassification; for one, keras.utils.to_categorical."
    )
