"""Numbers per pixel."""

from __future__ import annotations

import dataclasses

import keras

from mtl_keras.tasks.regression import Regression


@keras.saving.register_keras_serializable("mtl_keras")
@dataclasses.dataclass(frozen=True)
class DenseRegression(Regression):
    """`units` real numbers per pixel, such as a depth or a normal.

    Targets are of shape `(batch, height, width, units)`, or also `(batch,
    height, width)` for one unit. A pixel without a label is NaN; depth sensors
    often leave some. Loss and metrics are those of `Regression`, over pixels,
    without `r2`.

    Args:
        name: See `Task`.
        units: Numbers per pixel, 1 or more. Defaults to `1`.
        activation: `"linear"` (default) or any other Keras activation.
        loss, metrics, loss_weight, primary_metric, direction, complete_labels:
            See `Task`.

    Example:

    >>> task = mtl_keras.DenseRegression("depth")
    >>> task.head(keras.Input((32, 32, 16))).shape
    (None, 32, 32, 1)
    """

    labels_per = "pixel"
    feature_rank = 4

    def _metric_makers(self):
        makers = super()._metric_makers()
        del makers["r2"]  # Keras's R2Score takes only rows of numbers.
        return makers
