"""A loss that takes sample weights of a lower rank than its elements."""

from __future__ import annotations

import keras


class ElementLoss(keras.losses.Loss):
    """Base of losses with one value per pixel or token.

    Keras multiplies these values by `sample_weight` and raises an error where
    the weights have one value per *sample* and the losses are of rank 3. Here
    a weight per sample counts for every element of the sample; a weight per
    element works as in Keras.

    Args:
        name: Name of the loss.
        reduction: As in `keras.losses.Loss`.
        dtype: As in `keras.losses.Loss`.
    """

    def __call__(self, y_true, y_pred, sample_weight=None):
        if sample_weight is not None:
            sample_weight = keras.ops.convert_to_tensor(sample_weight)
            elements = len(y_pred.shape) - 1
            while len(sample_weight.shape) < elements:
                sample_weight = keras.ops.expand_dims(sample_weight, -1)
        return super().__call__(y_true, y_pred, sample_weight)
