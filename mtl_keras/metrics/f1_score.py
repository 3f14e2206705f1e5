"""F1 score of a multi-label task."""

from __future__ import annotations

import keras
import numpy as np


@keras.saving.register_keras_serializable("mtl_keras")
class F1Score(keras.metrics.F1Score):
    """Macro F1 score of labels at a threshold of 0.5, also for logits.

    Args:
        from_logits: Whether the predictions are logits.
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
        """Adds a batch.

        Args:
            y_true: Labels, 0 or 1, of shape `(batch, labels)`.
            y_pred: Predictions of that shape.
            sample_weight: A weight per sample or, unlike in Keras, per label of
                each sample. A weight of 0 leaves a label out.
        """
        y_pred = keras.ops.convert_to_tensor(y_pred)
        if self.from_logits:
            y_pred = keras.ops.sigmoid(y_pred)
        if sample_weight is None or len(sample_weight.shape) < 2:
            super().update_state(y_true, y_pred, sample_weight)
            return
        # Each label becomes a sample in which all other labels are 0.
        for column, only in enumerate(
            np.eye(y_pred.shape[-1], dtype=self.dtype)
        ):
            super().update_state(
                keras.ops.cast(y_true, self.dtype) * only,
                y_pred * only,
                sample_weight[:, column],
            )

    def get_config(self) -> dict:
        return {
            "from_logits": self.from_logits,
            "name": self.name,
            "dtype": self.dtype,
        }
