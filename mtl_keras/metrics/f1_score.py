"""F1 score of a multi-label task."""

from __future__ import annotations

import keras


@keras.saving.register_keras_serializable("mtl_keras")
class F1Score(keras.metrics.F1Score):
    """Keras's F1 score per label at 0.5, averaged over labels; takes logits.

    Args:
        from_logits: Whether the predictions are logits and not probabilities.
            Defaults to `False`.
        name: Name of the metric. Defaults to `"f1"`.
        dtype: As in `keras.metrics.Metric`.

    Example:

    >>> metric = mtl_keras.metrics.F1Score()
    >>> metric.update_state(np.array([[1.0, 0.0]]), np.array([[0.9, 0.2]]))
    >>> round(float(metric.result()), 3)
    0.5
    """

    def __init__(self, from_logits: bool = False, name: str = "f1", dtype=None):
        super().__init__(average="macro", threshold=0.5, name=name, dtype=dtype)
        self.from_logits = from_logits

    def update_state(self, y_true, y_pred, sample_weight=None):
        if self.from_logits:
            y_pred = keras.ops.sigmoid(y_pred)
        super().update_state(y_true, y_pred, sample_weight)

    def get_config(self) -> dict:
        return {
            "from_logits": self.from_logits,
            "name": self.name,
            "dtype": self.dtype,
        }
