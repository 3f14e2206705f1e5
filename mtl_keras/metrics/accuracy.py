"""Accuracy for integer and one-hot targets."""

from __future__ import annotations

import keras

from mtl_keras.losses.class_targets import drop_channel, is_one_hot


def _accuracy(y_true, y_pred):
    if is_one_hot(y_true, y_pred):
        return keras.metrics.categorical_accuracy(y_true, y_pred)
    return keras.metrics.sparse_categorical_accuracy(
        drop_channel(y_true, y_pred), y_pred
    )


@keras.saving.register_keras_serializable("mtl_keras")
class Accuracy(keras.metrics.MeanMetricWrapper):
    """Share of samples, pixels or tokens whose class is predicted right.

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

    def get_config(self) -> dict:
        return {"name": self.name, "dtype": self.dtype}
