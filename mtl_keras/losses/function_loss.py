"""A loss that calls a function of targets and predictions."""

from __future__ import annotations

from collections.abc import Callable

import keras


class FunctionLoss(keras.losses.Loss):
    """Wraps a function that computes losses.

    Args:
        fn: Function of `y_true` and `y_pred` that returns a loss for each
            sample or element, or one for the batch.
    """

    def __init__(self, fn: Callable):
        super().__init__(name=getattr(fn, "__name__", type(fn).__name__))
        self.fn = fn

    def call(self, y_true, y_pred):
        return self.fn(y_true, y_pred)
