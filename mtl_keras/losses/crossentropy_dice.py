"""Cross-entropy plus Dice, a common loss of masks."""

from __future__ import annotations

import keras
from keras import ops

from mtl_keras.losses.class_targets import to_one_hot
from mtl_keras.losses.crossentropy import Crossentropy
from mtl_keras.losses.element_loss import ElementLoss


@keras.saving.register_keras_serializable("mtl_keras")
class CrossentropyDice(ElementLoss):
    """Cross-entropy per pixel plus the Dice loss of each sample.

    With one output channel this is binary cross-entropy plus the Dice loss of
    the foreground. With more, it is cross-entropy plus the mean of the Dice
    losses of the classes. Dice is
    `1 - (2 sum(t p) + s) / (sum(t) + sum(p) + s)` over the pixels of one
    sample. The smoothing `s` is 1 pixel, so that a class that is neither in
    the mask nor in the prediction has a Dice loss of 0.

    The loss has one value per pixel (the Dice term is the same for all pixels
    of a sample). Its mean over a batch is mean cross-entropy plus mean Dice,
    also when the batch is split across replicas. A task with
    `log_loss_terms=True` logs `<task>_crossentropy_loss` and
    `<task>_dice_loss`, which includes `dice_weight`.

    Args:
        from_logits: Whether the predictions are logits.
            Defaults to `False`.
        dice_weight: Weight of the Dice term. Defaults to `1.0`.
        name: Name of the loss.
        reduction: As in `keras.losses.Loss`.
        dtype: As in `keras.losses.Loss`.

    Reference:
        Milletari et al., "V-Net", 3DV 2016 (the Dice loss).

    Example:

    >>> loss = mtl_keras.losses.CrossentropyDice()
    >>> mask = np.ones((2, 4, 4, 1))
    >>> round(float(loss(mask, mask)), 4)
    0.0
    """

    term_names = ("crossentropy", "dice")

    def __init__(
        self,
        from_logits: bool = False,
        dice_weight: float = 1.0,
        name: str = "crossentropy_dice",
        reduction: str | None = "sum_over_batch_size",
        dtype=None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.from_logits = from_logits
        self.dice_weight = dice_weight
        self._crossentropy = Crossentropy(from_logits, reduction=None)

    def call(self, y_true, y_pred):
        (crossentropy, _), (dice, _) = self.terms(y_true, y_pred)
        return crossentropy + dice[:, None, None]

    def terms(self, y_true, y_pred, labelled=None):
        """Computes cross-entropy per pixel and Dice per sample.

        Both leave out missing pixels; a sample without a labelled pixel has no
        Dice loss.

        Args:
            y_true: See `call`; any valid class where the label is missing.
            y_pred: See `call`.
            labelled: Booleans of shape `(batch, height, width)`, or `None`.

        Returns:
            Two pairs of values and booleans; see `ElementLoss.terms`.
        """
        if y_pred.shape[-1] == 1:
            if len(y_true.shape) < len(y_pred.shape):
                y_true = ops.expand_dims(y_true, -1)
            masks = ops.cast(y_true, y_pred.dtype)
            crossentropy = keras.losses.binary_crossentropy(
                masks, y_pred, from_logits=self.from_logits
            )
            activation = ops.sigmoid
        else:
            crossentropy = self._crossentropy.call(y_true, y_pred)
            masks = to_one_hot(y_true, y_pred)
            activation = ops.softmax
        probabilities = activation(y_pred) if self.from_logits else y_pred
        samples = None
        if labelled is not None:
            samples = ops.any(labelled, axis=(1, 2))
            keep = ops.cast(labelled[..., None], y_pred.dtype)
            masks, probabilities = masks * keep, probabilities * keep
        dice = self.dice_weight * _dice_loss(masks, probabilities)
        return [(crossentropy, labelled), (dice, samples)]

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "from_logits": self.from_logits,
            "dice_weight": self.dice_weight,
        }


def _dice_loss(masks, probabilities):
    """Computes the Dice loss per sample, `(batch, H, W, C)` to `(batch,)`."""
    overlap = ops.sum(masks * probabilities, axis=(1, 2))
    size = ops.sum(masks, axis=(1, 2)) + ops.sum(probabilities, axis=(1, 2))
    return ops.mean(1.0 - (2.0 * overlap + 1.0) / (size + 1.0), axis=-1)
