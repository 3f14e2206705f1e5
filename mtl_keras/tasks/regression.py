"""One or several numbers per sample."""

from __future__ import annotations

import dataclasses

import keras
import numpy as np

from mtl_keras import metrics
from mtl_keras.tasks.class_labels import check_numeric
from mtl_keras.tasks.task import Task


@keras.saving.register_keras_serializable("mtl_keras")
@dataclasses.dataclass(frozen=True)
class Regression(Task):
    """`units` real numbers per sample.

    Targets are of shape `(batch, units)`, or also `(batch,)` for one unit. The
    loss is the mean squared error. The metrics are `rmse` (primary) and `mae`;
    `mse` and `r2` are optional.

    Args:
        name: See `Task`.
        units: Numbers per sample, 1 or more. Defaults to `1`.
        activation: `"linear"` (default) or any other Keras activation.
        loss, metrics, loss_weight, primary_metric, direction, complete_labels:
            See `Task`.

    Example:

    >>> task = mtl_keras.Regression("heating")
    >>> task.head(keras.Input((64,))).shape
    (None, 1)
    """

    units: int = 1

    target_kind = "number"
    columns = True
    size_argument = "units"
    default_activation = "linear"
    default_metrics = ("rmse", "mae")

    def _default_loss(self):
        return keras.losses.MeanSquaredError()

    def _metric_makers(self):
        return {
            "mae": lambda name: keras.metrics.MeanAbsoluteError(name=name),
            "mse": lambda name: keras.metrics.MeanSquaredError(name=name),
            "r2": lambda name: metrics.R2Score(name=name),
            "rmse": lambda name: keras.metrics.RootMeanSquaredError(name=name),
        }

    def target_shapes(self, output_shape):
        shapes = [output_shape]
        return [output_shape[:-1], *shapes] if self.units == 1 else shapes

    def check_target_values(self, targets, output_shape):
        check_numeric(self.name, targets, "numbers")
        if targets.dtype.kind != "f" or np.isfinite(targets).all():
            return
        bad = ~np.isfinite(targets)
        if not self.complete_labels:
            bad &= ~np.isnan(targets)
        if not bad.any():
            return
        index = np.unravel_index(int(np.argmax(bad)), targets.shape)
        missing = (
            "" if self.complete_labels else " (or NaN for a missing label)"
        )
        raise ValueError(
            f"Task {self.name!r}: found {targets[index]} at index "
            f"{tuple(int(i) for i in index)} ({int(bad.sum())} of "
            f"{bad.size} targets are not finite); expected finite numbers"
            f"{missing}. Drop these samples or fill in the values."
        )
