"""Losses of single elements in numpy, and means over those with a label."""

import numpy as np


def labelled_elements(task, y, rank):
    """Returns which elements have a label, in the shape of the elements.

    Args:
        task: The task.
        y: Targets of any allowed shape.
        rank: Rank of the output, batch axis included.
    """
    y = np.asarray(y, "float64")
    missing = np.isnan(y)
    if task.missing_label == -1:
        missing |= y == -1
    if task.columns:
        return ~missing.reshape(*y.shape, *[1] * (rank - y.ndim))
    return ~(missing.any(-1) if y.ndim == rank else missing)


def class_ids(y, p):
    """Converts ids `(...)` or `(..., 1)` or one-hot targets to integers."""
    y = np.asarray(y, "float64")
    if y.ndim == p.ndim and p.shape[-1] > 1 and y.shape[-1] == p.shape[-1]:
        missing = np.isnan(y).any(-1) | (y == -1).any(-1)
        return np.where(missing, 0, np.nan_to_num(y).argmax(-1))
    y = y[..., 0] if y.ndim == p.ndim else y
    return np.maximum(np.nan_to_num(y, nan=0), 0).astype(int)


def crossentropy(y, p):
    """Computes the cross-entropy of class ids or one-hot targets."""
    found = np.take_along_axis(p, class_ids(y, p)[..., None], -1)[..., 0]
    return -np.log(np.clip(found, 1e-7, 1))


def binary_crossentropy(y, p):
    """Computes the binary cross-entropy of hard or soft labels."""
    y, p = np.asarray(y, "float64"), np.clip(p, 1e-7, 1 - 1e-7)
    return -(y * np.log(p) + (1 - y) * np.log(1 - p))


def squared_error(y, p):
    return (np.asarray(y, "float64") - p) ** 2


def labelled_mean(values, labelled, weights=None):
    """Returns the sum of weighted values over the number of labelled ones.

    Args:
        values: A value for each element.
        labelled: Booleans of the same shape.
        weights: Weights of samples, or of elements, or `None`.
    """
    if weights is None:
        weights = np.ones(())
    if weights.ndim > values.ndim:
        weights = weights[..., 0]
    while 0 < weights.ndim < values.ndim:
        weights = weights[..., None]
    values = np.where(labelled, np.nan_to_num(values) * weights, 0)
    return values.sum() / labelled.sum()
