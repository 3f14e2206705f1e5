"""Base class of losses with a value per element: pixel, token or sample."""

from __future__ import annotations

import keras
from keras import ops


class ElementLoss(keras.losses.Loss):
    """Base class of losses with one value per pixel or token.

    Keras multiplies these values by `sample_weight`, and raises an error if
    there is one weight per *sample* and the losses have rank 3. Here, a weight
    per sample applies to every element of the sample; a weight per element
    works as in Keras.

    A compound loss sets `term_names` and implements `terms`, so that each term
    is averaged over what it counts, such as pixels or samples. A task with
    `log_loss_terms=True` logs them as `<task>_<term>_loss`.

    Args:
        name: Name of the loss.
        reduction: As in `keras.losses.Loss`.
        dtype: As in `keras.losses.Loss`.

    Example:

    >>> class Mixed(mtl_keras.losses.ElementLoss):
    ...     term_names = ("absolute", "squared")
    ...     def call(self, y_true, y_pred):
    ...         (absolute, _), (squared, _) = self.terms(y_true, y_pred)
    ...         return absolute + squared
    ...     def terms(self, y_true, y_pred, labelled=None):
    ...         absolute = keras.ops.abs(y_true - y_pred)
    ...         return [(absolute, labelled), (absolute**2, labelled)]
    >>> float(Mixed()(np.ones((2, 3)), np.zeros((2, 3))))
    2.0
    """

    term_names: tuple[str, ...] = ()

    @property
    def num_terms(self) -> int:
        """Number of terms that `terms` returns."""
        return max(len(self.term_names), 1)

    def __call__(self, y_true, y_pred, sample_weight=None):
        if sample_weight is not None:
            sample_weight = ops.convert_to_tensor(sample_weight)
            elements = len(y_pred.shape) - 1
            while len(sample_weight.shape) < elements:
                sample_weight = ops.expand_dims(sample_weight, -1)
        return super().__call__(y_true, y_pred, sample_weight)

    def terms(self, y_true, y_pred, labelled=None) -> list[tuple]:
        """Computes the terms of the loss, each with a separate denominator.

        The loss of a batch is the sum of the terms' means, each over its
        labelled values.

        Args:
            y_true: Targets, with any valid value where the label is missing.
            y_pred: Predictions.
            labelled: Booleans of the shape of the elements, or `None` if all
                are labelled.

        Returns:
            Pairs of values and of booleans of their shape (or `None`).
        """
        return [(self.call(y_true, y_pred), labelled)]
