"""Mean intersection over union for integer and one-hot targets."""

from __future__ import annotations

import keras

from mtl_keras.keras_compat import get_mask
from mtl_keras.losses.class_targets import to_integers


@keras.saving.register_keras_serializable("mtl_keras")
class MeanIoU(keras.metrics.MeanIoU):
    """Mean intersection over union of the classes, pooled over pixels.

    The mean leaves out classes that occur neither in the targets nor in the
    predictions. Predictions are probabilities or logits.

    Args:
        num_classes: Number of classes.
        name: Name of the metric. Defaults to `"mean_iou"`.
        dtype: As in `keras.metrics.Metric`.

    Example:

    >>> metric = mtl_keras.metrics.MeanIoU(2)
    >>> _ = metric.update_state(np.array([0, 1]), np.array([[0.9, 0.1]] * 2))
    >>> float(metric.result())
    0.25
    """

    def __init__(self, num_classes: int, name: str = "mean_iou", dtype=None):
        super().__init__(
            num_classes, name=name, dtype=dtype, sparse_y_pred=False
        )

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_pred = keras.ops.convert_to_tensor(y_pred)
        y_true = to_integers(keras.ops.convert_to_tensor(y_true), y_pred)
        # Unlike Keras's means, its confusion matrix ignores masks.
        mask = get_mask(y_pred)
        if mask is not None:
            if sample_weight is None:
                sample_weight = keras.ops.cast(mask, self.dtype)
            else:
                weights = keras.ops.convert_to_tensor(sample_weight)
                sample_weight = weights * keras.ops.cast(mask, weights.dtype)
        super().update_state(y_true, y_pred, sample_weight)

    def get_config(self) -> dict:
        return {
            "num_classes": self.num_classes,
            "name": self.name,
            "dtype": self.dtype,
        }
