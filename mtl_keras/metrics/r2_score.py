"""Coefficient of determination, with or without a unit axis."""

from __future__ import annotations

import keras


@keras.saving.register_keras_serializable("mtl_keras")
class R2Score(keras.metrics.R2Score):
    """R2 score that also takes targets of shape `(batch,)`.

    Args:
        name: Name of the metric. Defaults to `"r2"`.
        dtype: As in `keras.metrics.Metric`.

    Example:

    >>> metric = mtl_keras.metrics.R2Score()
    >>> metric.update_state(np.array([1.0, 3.0]), np.array([[1.0], [3.0]]))
    >>> float(metric.result())
    1.0
    """

    def __init__(self, name: str = "r2", dtype=None):
        super().__init__(name=name, dtype=dtype)

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_pred = keras.ops.convert_to_tensor(y_pred)
        y_true = keras.ops.convert_to_tensor(y_true)
        if len(y_true.shape) < len(y_pred.shape):
            y_true = keras.ops.expand_dims(y_true, -1)
        super().update_state(y_true, y_pred, sample_weight)

    def get_config(self) -> dict:
        return {"name": self.name, "dtype": self.dtype}
