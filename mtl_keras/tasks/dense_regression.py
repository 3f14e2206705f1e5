"""Numbers per pixel."""

from __future__ import annotations

import dataclasses

import keras

from mtl_keras.tasks.regression import Regression


@keras.saving.register_keras_serializable("mtl_keras")
@dataclasses.dataclass(frozen=True)
class DenseRegression(Regression):
    """`units` real numbers per pixel, such as a depth or a normal.

    Targets are of shape `(batch, height, width, units)`; `(batch, height,
    width)` will do for one unit. A pixel without a label is NaN, as depth
    sensors leave some. Loss and metrics are those of `Regression`, over
    pixels, but for `r2`.

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

    feature_rank = 4

    def _head_layer(self):
        return keras.layers.Conv2D(
            self.units,
            kernel_size=1,
            activation=self.activation,
            dtype="float32",
            name=self.name,
        )

    def _metric_makers(self):
        makers = super()._metric_makers()
        del makers["r2"]  # Keras's takes rows of numbers alone
        return makers
