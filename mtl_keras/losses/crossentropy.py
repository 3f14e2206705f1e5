"""Cross-entropy for integer and one-hot targets."""

from __future__ import annotations

import keras

from mtl_keras.losses.class_targets import drop_channel, is_one_hot
from mtl_keras.losses.element_loss import ElementLoss


@keras.saving.register_keras_serializable("mtl_keras")
class Crossentropy(ElementLoss):
    """Cross-entropy between class targets and predictions.

    Keras has one loss for integer targets and another for one-hot targets.
    This one takes both, and the shape of the targets decides. There may be
    several axes before the last one: tokens or pixels.

    Args:
        from_logits: Whether the predictions are logits.
            Defaults to `False`.
        name: Name of the loss.
        reduction: As in `keras.losses.Loss`.
        dtype: As in `keras.losses.Loss`.

    Example:

    >>> loss = mtl_keras.losses.Crossentropy()
    >>> y_pred = np.array([[0.9, 0.1], [0.2, 0.8]])
    >>> round(float(loss(np.array([0, 1]), y_pred)), 4)
    0.1643
    >>> round(float(loss(np.array([[1.0, 0.0], [0.0, 1.0]]), y_pred)), 4)
    0.1643
    """

    def __init__(
        self,
        from_logits: bool = False,
        name: str = "crossentropy",
        reduction: str | None = "sum_over_batch_size",
        dtype=None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.from_logits = from_logits

    def call(self, y_true, y_pred):
        if is_one_hot(y_true, y_pred):
            return keras.losses.categorical_crossentropy(
                y_true, y_pred, from_logits=self.from_logits
            )
        return keras.losses.sparse_categorical_crossentropy(
            drop_channel(y_true, y_pred), y_pred, from_logits=self.from_logits
        )

    def get_config(self) -> dict:
        return {**super().get_config(), "from_logits": self.from_logits}
