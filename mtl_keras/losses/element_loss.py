"""A loss with a value for each element: pixel, token or sample."""

from __future__ import annotations

import keras
from keras import ops


class ElementLoss(keras.losses.Loss):
    """Base of losses with one value per pixel or token.

    Keras multiplies these values by `sample_weight` and raises an error where
    the weights have one value per *sample* and the losses are of rank 3. Here
    a weight per sample counts for every element of the sample; a weight per
    element works as in Keras.

    A loss that has values of several kinds, such as one per pixel and one per
    sample, overrides `terms`.

    Args:
        name: Name of the loss.
        reduction: As in `keras.losses.Loss`.
        dtype: As in `keras.losses.Loss`.
    """

    # How many terms `terms` gives.
    num_terms = 1

    def __call__(self, y_true, y_pred, sample_weight=None):
        if sample_weight is not None:
            sample_weight = ops.convert_to_tensor(sample_weight)
            elements = len(y_pred.shape) - 1
            while len(sample_weight.shape) < elements:
                sample_weight = ops.expand_dims(sample_weight, -1)
        return super().__call__(y_true, y_pred, sample_weight)

    def terms(self, y_true, y_pred, labelled=None) -> list[tuple]:
        """Splits the loss into terms that have a denominator each.

        The loss of a batch is the sum over the terms of the mean of their
        values, over those values that are labelled.

        Args:
            y_true: Targets, with any valid value where the label is missing.
            y_pred: Predictions.
            labelled: Booleans of the shape of the elements, or `None` if all
                are labelled.

        Returns:
            Pairs of values and of booleans of their shape (or `None`).
        """
        return [(self.call(y_true, y_pred), labelled)]
