"""Dice coefficient, the F1 score of pixels, pooled over all pixels."""

from __future__ import annotations

import keras
from keras import ops

from mtl_keras.metrics.mean_iou import MeanIoU


def _dice_per_class(confusion):
    """Returns `2 TP / (2 TP + FP + FN)` per class, 0 for absent classes."""
    hits = ops.diagonal(confusion)
    sizes = ops.sum(confusion, axis=0) + ops.sum(confusion, axis=1)
    return ops.divide_no_nan(2.0 * hits, sizes), sizes


@keras.saving.register_keras_serializable("mtl_keras")
class BinaryDice(keras.metrics.BinaryIoU):
    """Dice coefficient of the foreground, the F1 score of a binary task.

    Args:
        threshold: Smallest prediction of the foreground: 0.5 for probabilities
            (the default), 0 for logits.
        name: Name of the metric. Defaults to `"dice"`.
        dtype: As in `keras.metrics.Metric`.

    Example:

    >>> metric = mtl_keras.metrics.BinaryDice()
    >>> _ = metric.update_state(np.array([0, 1, 1]), np.array([0.9, 0.8, 0.7]))
    >>> round(float(metric.result()), 3)
    0.8
    """

    def __init__(self, threshold: float = 0.5, name: str = "dice", dtype=None):
        super().__init__(
            target_class_ids=[1], threshold=threshold, name=name, dtype=dtype
        )

    def result(self):
        return _dice_per_class(ops.cast(self.total_cm, keras.config.floatx()))[
            0
        ][1]

    def get_config(self) -> dict:
        return {
            "threshold": self.threshold,
            "name": self.name,
            "dtype": self.dtype,
        }


@keras.saving.register_keras_serializable("mtl_keras")
class MeanDice(MeanIoU):
    """Mean Dice coefficient of the classes, the macro F1 score.

    The mean leaves out classes that occur neither in the targets nor in the
    predictions.

    Args:
        num_classes: Number of classes.
        name: Name of the metric. Defaults to `"dice"`.
        dtype: As in `keras.metrics.Metric`.

    Example:

    >>> metric = mtl_keras.metrics.MeanDice(2)
    >>> _ = metric.update_state(np.array([0, 1]), np.array([[0.9, 0.1]] * 2))
    >>> round(float(metric.result()), 3)
    0.333
    """

    def __init__(self, num_classes: int, name: str = "dice", dtype=None):
        super().__init__(num_classes, name=name, dtype=dtype)

    def result(self):
        dice, sizes = _dice_per_class(
            ops.cast(self.total_cm, keras.config.floatx())
        )
        present = ops.cast(sizes > 0, dice.dtype)
        return ops.divide_no_nan(ops.sum(dice), ops.sum(present))
