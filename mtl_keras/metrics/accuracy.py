"""Accuracy for integer and one-hot targets."""

from __future__ import annotations

import keras
from keras import ops

from mtl_keras.keras_compat import get_mask
from mtl_keras.losses.class_targets import drop_channel, is_one_hot


def _accuracy(y_true, y_pred):
    if is_one_hot(y_true, y_pred):
        return keras.metrics.categorical_accuracy(y_true, y_pred)
    return keras.metrics.sparse_categorical_accuracy(
        drop_channel(y_true, y_pred), y_pred
    )


def _match(weights, values):
    """Converts weights to the rank and dtype of values."""
    weights = ops.cast(weights, values.dtype)
    rank = len(values.shape)
    if len(weights.shape) > rank:
        return ops.squeeze(weights, axis=-1)
    return weights[(..., *[None] * (rank - len(weights.shape)))]


@keras.saving.register_keras_serializable("mtl_keras")
class Accuracy(keras.metrics.MeanMetricWrapper):
    """Share of samples, pixels or tokens whose class is predicted correctly.

    Each pixel or token has the same weight. Keras averages over each sample
    first, which gives tokens of a batch with less padding more weight.

    Args:
        name: Name of the metric. Defaults to `"accuracy"`.
        dtype: As in `keras.metrics.Metric`.

    Example:

    >>> metric = mtl_keras.metrics.Accuracy()
    >>> metric.update_state(np.array([0, 1]), np.array([[0.9, 0.1]] * 2))
    >>> float(metric.result())
    0.5
    """

    def __init__(self, name: str = "accuracy", dtype=None):
        super().__init__(fn=_accuracy, name=name, dtype=dtype)
        self._direction = "up"

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Adds a batch.

        Args:
            y_true: Integer or one-hot targets.
            y_pred: Scores of shape `(..., classes)`.
            sample_weight: Weights of the shape of the targets, or of its
                first axes. Defaults to `None`, a weight of 1.
        """
        values = _accuracy(y_true, y_pred)
        weights = ops.ones_like(values)
        for given in (sample_weight, get_mask(y_pred)):
            if given is not None:
                weights = weights * _match(given, values)
        keras.metrics.Mean.update_state(
            self, ops.reshape(values, (-1,)), ops.reshape(weights, (-1,))
        )

    def get_config(self) -> dict:
        return {"name": self.name, "dtype": self.dtype}
