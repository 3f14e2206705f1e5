"""Checks of class targets: integers, or one value per class."""

from __future__ import annotations

import numpy as np

from mtl_keras.tasks.missing import drop_axis, is_labelled


def is_one_hot_shape(shape: tuple, num_classes: int, rank: int) -> bool:
    """Returns whether targets hold one value per class.

    Args:
        shape: Shape of the targets, batch axis included.
        num_classes: Number of classes.
        rank: Rank of the output, batch axis included.
    """
    return len(shape) == rank and shape[-1] == num_classes


def check_class_targets(task, targets: np.ndarray, advice: str) -> None:
    """Raises a `ValueError` unless targets are classes of a task.

    Args:
        task: A task whose `target_kind` is `"class"`.
        targets: Integers, or one value per class.
        advice: What to do about an invalid integer, the end of the message.
    """
    if task.is_one_hot(targets.shape):
        check_class_probabilities(
            task.name, targets, complete=task.complete_labels
        )
        return
    check_integer_labels(
        task.name,
        targets,
        task.num_label_classes,
        advice,
        complete=task.complete_labels,
    )


def check_integer_labels(
    name: str,
    labels: np.ndarray,
    num_classes: int,
    advice: str,
    *,
    complete: bool = False,
) -> None:
    """Raises a `ValueError` unless labels are integers below `num_classes`.

    -1 and NaN stand for a missing label.

    Args:
        name: Name of the task, for the message.
        labels: Labels of any shape and numeric dtype.
        num_classes: Number of classes.
        advice: What to do, the end of the message.
        complete: Whether a missing label is an error. Defaults to `False`.
    """
    if labels.size == 0:
        return
    check_numeric(name, labels, f"integers from 0 to {num_classes - 1}")
    bad = _first_bad(labels, num_classes, complete)
    if bad is None:
        return
    index, value = bad
    low, high = np.nanmin(labels), np.nanmax(labels)
    missing = "" if complete else " (or -1 or NaN for a missing label)"
    raise ValueError(
        f"Task {name!r}: found label {value} at index {index} (all labels "
        f"are from {low} to {high}); expected integers from 0 to "
        f"{num_classes - 1}{missing}. {advice}"
    )


def check_binary_labels(
    name: str, labels: np.ndarray, advice: str, *, complete: bool = False
) -> None:
    """Raises a `ValueError` if a label is not a number from 0 to 1.

    Numbers in between are soft labels: the probability of class 1. -1 and NaN
    stand for a missing label.

    Args:
        name: Name of the task, for the message.
        labels: Labels of any shape and numeric dtype.
        advice: What to do, the end of the message.
        complete: Whether a missing label is an error. Defaults to `False`.
    """
    if labels.size == 0:
        return
    check_numeric(name, labels, "0 and 1, or numbers in between")
    if labels.min() >= 0 and labels.max() <= 1:
        return
    bad = ~((labels >= 0) & (labels <= 1))
    labelled = None if complete else is_labelled(labels, -1)
    if labelled is not None:
        bad &= labelled
    if not bad.any():
        return
    index = np.unravel_index(int(np.argmax(bad)), labels.shape)
    missing = "" if complete else " (or -1 or NaN for a missing label)"
    raise ValueError(
        f"Task {name!r}: found label {labels[index]} at index "
        f"{tuple(int(i) for i in index)} (all labels are from "
        f"{np.nanmin(labels)} to {np.nanmax(labels)}); expected 0 or 1, or a "
        f"probability in between{missing}. {advice}"
    )


def check_numeric(name: str, targets: np.ndarray, expected: str) -> None:
    """Raises a `TypeError` unless targets are numbers.

    Args:
        name: Name of the task, for the message.
        targets: Targets of any shape.
        expected: The values that are valid, for the message.
    """
    if targets.dtype.kind in "biuf":
        return
    for index, value in np.ndenumerate(targets):
        try:
            float(value)
        except (TypeError, ValueError):
            where = index[0] if len(index) == 1 else index
            raise TypeError(
                f"Task {name!r}: found {value!r} at index {where} of targets "
                f"of dtype {targets.dtype}; expected {expected}. Encode class "
                "names as numbers (with keras.layers.StringLookup), and write "
                "a missing label as NaN."
            ) from None
    raise TypeError(
        f"Task {name!r}: targets have dtype {targets.dtype}, but all are "
        f"numbers; expected {expected}. Convert them with "
        ".astype('float32')."
    )


def _first_bad(labels: np.ndarray, num_classes: int, complete: bool):
    """Returns the index and value of the first invalid label, or `None`."""
    # Two reductions decide; only missing or bad labels pay for a search.
    low, high = labels.min(), labels.max()
    in_range = low >= 0 and high <= num_classes - 1
    whole = labels.dtype.kind != "f" or bool((labels == np.rint(labels)).all())
    if in_range and whole:
        return None
    bad = ~((labels >= 0) & (labels <= num_classes - 1))
    if labels.dtype.kind == "f":
        bad |= labels != np.rint(labels)
    labelled = None if complete else is_labelled(labels, -1)
    if labelled is not None:
        bad &= labelled
    if not bad.any():
        return None
    index = np.unravel_index(int(np.argmax(bad)), labels.shape)
    return tuple(int(i) for i in index), labels[index]


def check_class_probabilities(
    name: str, targets: np.ndarray, *, complete: bool = False
) -> None:
    """Raises a `ValueError` unless the last axis holds class probabilities.

    Rows of only -1 or NaN stand for a missing label.

    Args:
        name: Name of the task, for the message.
        targets: One-hot targets (or soft ones), classes last.
        complete: Whether a missing label is an error. Defaults to `False`.
    """
    labelled = None if complete else is_labelled(targets, -1)
    if labelled is not None:
        targets = targets[drop_axis(labelled, how="any")]
    if targets.size == 0:
        return
    low, high = targets.min(), targets.max()
    sums = targets.sum(axis=-1)
    if low >= 0 and high <= 1 and np.allclose(sums, 1, atol=1e-3):
        return
    raise ValueError(
        f"Task {name!r}: targets with one value per class must be one-hot (or "
        f"probabilities that sum to 1); found values from {low} to {high} and "
        f"sums from {sums.min()} to {sums.max()}. For several labels per "
        "sample use MultiLabelClassification; for one, "
        "keras.utils.to_categorical."
    )
