"""Targets and weights at the rank that Keras's losses of maps can read.

Keras pairs shapes by taking a last axis of length 1 away. Of a map of shape
`(batch, height, width, 1)` with targets of shape `(batch, height, width)` that
makes rows of pixels the elements, and weights per sample meet the width: both
go wrong without an error where the lengths happen to fit.
"""

from __future__ import annotations

from collections.abc import Mapping

from keras import ops

_OF_SAMPLES = 2  # rank of outputs with one element a sample


def to_output_rank(y_true, y_pred: Mapping) -> dict | object:
    """Gives targets of maps and sequences the channel axis of the output.

    Args:
        y_true: Dict from task name to targets; for one task, the targets
            alone will do.
        y_pred: Dict from task name to predictions.

    Returns:
        The targets, in the form in which they came.
    """
    if not isinstance(y_true, Mapping):
        (output,) = y_pred.values()
        return _with_channel(y_true, output)
    return {
        name: _with_channel(targets, y_pred[name])
        for name, targets in y_true.items()
    }


def to_elements(sample_weight, y_pred: Mapping) -> dict | None:
    """Gives each pixel or step of a sample the sample's weight.

    Args:
        sample_weight: `None`, weights of all tasks, or a dict from task name.
            Weights of elements stay as they are.
        y_pred: Dict from task name to predictions.

    Returns:
        Dict from task name to weights, or `None`.
    """
    if sample_weight is None:
        return None
    if not isinstance(sample_weight, Mapping):
        sample_weight = dict.fromkeys(y_pred, sample_weight)
    return {
        name: _of_elements(weights, y_pred[name])
        for name, weights in sample_weight.items()
    }


def _with_channel(targets, output):
    rank = len(output.shape)
    flat = len(targets.shape) == rank - 1 and output.shape[-1] == 1
    return targets[..., None] if flat and rank > _OF_SAMPLES else targets


def _of_elements(weights, output):
    rank = len(output.shape)
    weights = None if weights is None else ops.convert_to_tensor(weights)
    if weights is None or rank <= _OF_SAMPLES:
        return weights
    if len(weights.shape) == 2 and weights.shape[-1] == 1:
        weights = weights[..., 0]
    if len(weights.shape) != 1:
        return weights
    weights = ops.reshape(weights, (-1, *[1] * (rank - 2)))
    return ops.broadcast_to(weights, ops.shape(output)[:-1])
