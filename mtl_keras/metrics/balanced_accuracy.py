"""Balanced accuracy, the mean recall of the classes."""

from __future__ import annotations

import keras
from keras import ops

from mtl_keras.metrics.mean_iou import MeanIoU


def _mean_recall(confusion):
    """Returns the mean recall of the classes in the targets (the rows)."""
    counts = ops.sum(confusion, axis=1)
    recalls = ops.divide_no_nan(ops.diagonal(confusion), counts)
    present = ops.cast(counts > 0, confusion.dtype)
    return ops.divide_no_nan(ops.sum(recalls), ops.sum(present))


@keras.saving.register_keras_serializable("mtl_keras")
class BalancedAccuracy(MeanIoU):
    """Mean recall of the classes that occur in the targets.

    Args:
        num_classes: Number of classes.
        name: Name of the metric. Defaults to `"balanced_accuracy"`.
        dtype: As in `keras.metrics.Metric`.

    Reference:
        Brodersen et al., "The balanced accuracy and its posterior
        distribution", ICPR 2010.

    Example:

    >>> metric = mtl_keras.metrics.BalancedAccuracy(2)
    >>> y_pred = np.array([[0.9, 0.1]] * 4)
    >>> _ = metric.update_state(np.array([0, 0, 0, 1]), y_pred)
    >>> float(metric.result())
    0.5
    """

    def __init__(
        self, num_classes: int, name: str = "balanced_accuracy", dtype=None
    ):
        super().__init__(num_classes, name=name, dtype=dtype)

    def result(self):
        return _mean_recall(ops.cast(self.total_cm, keras.config.floatx()))


@keras.saving.register_keras_serializable("mtl_keras")
class BinaryBalancedAccuracy(keras.metrics.BinaryIoU):
    """Mean of the recall of class 0 and of class 1 of a binary task.

    Args:
        threshold: Smallest prediction of class 1: 0.5 for probabilities (the
            default), 0 for logits.
        name: Name of the metric. Defaults to `"balanced_accuracy"`.
        dtype: As in `keras.metrics.Metric`.

    Example:

    >>> metric = mtl_keras.metrics.BinaryBalancedAccuracy()
    >>> _ = metric.update_state(np.array([0, 0, 1]), np.array([0.9, 0.2, 0.8]))
    >>> float(metric.result())
    0.75
    """

    def __init__(
        self,
        threshold: float = 0.5,
        name: str = "balanced_accuracy",
        dtype=None,
    ):
        super().__init__(threshold=threshold, name=name, dtype=dtype)

    def result(self):
        return _mean_recall(ops.cast(self.total_cm, keras.config.floatx()))

    def get_config(self) -> dict:
        return {
            "threshold": self.threshold,
            "name": self.name,
            "dtype": self.dtype,
        }
