"""Sum of tensors with learned weights."""

from __future__ import annotations

import keras
from keras import ops

from mtl_keras.layers.arguments import check_positive_integer


def weighted_sum(alpha, tensors, per_channel: bool):
    """Computes the weighted sum of tensors of one shape.

    Args:
        alpha: Weights of shape `(n,)`, or `(n, channels)` with `per_channel`.
        tensors: List of n tensors.
        per_channel: Whether each channel (the last axis) has its own weight.

    Returns:
        A tensor of the same shape.
    """
    # Stacked, because n towers would have n^2 products in the graph.
    stacked = ops.stack(tensors)
    if not per_channel:
        return ops.tensordot(alpha, stacked, axes=1)
    between = [1] * (len(stacked.shape) - 2)
    alpha = ops.reshape(alpha, (len(tensors), *between, -1))
    return ops.sum(ops.multiply(alpha, stacked), axis=0)


@keras.saving.register_keras_serializable("mtl_keras")
class WeightedSum(keras.layers.Layer):
    """Computes the weighted sum of tensors of one shape.

    From the tensors x_1, ..., x_n, it computes

        y = sum_j alpha_j x_j

    like a cross-stitch unit for one task.

    Args:
        num_inputs: Number of tensors, n.
        per_channel: Whether each channel (the last axis) has its own weight.
            Defaults to `False`.
        initializer: Initializer of the weights. Defaults to `"ones"`.
        **kwargs: See `keras.layers.Layer`.

    Raises:
        TypeError: If `num_inputs` is not an integer.
        ValueError: If it is below 1, or if the inputs are another number of
            tensors.

    Example:

    >>> layer = mtl_keras.layers.WeightedSum(2)
    >>> layer([np.ones((4, 8)), np.ones((4, 8))]).shape
    TensorShape([4, 8])
    """

    def __init__(
        self,
        num_inputs: int,
        per_channel: bool = False,
        initializer="ones",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.num_inputs = check_positive_integer("num_inputs", num_inputs)
        self.per_channel = per_channel
        self.initializer = keras.initializers.get(initializer)

    def build(self, input_shape):
        """Creates a weight for each tensor."""
        self._check(input_shape)
        channels = input_shape[0][-1:] if self.per_channel else ()
        self.alpha = self.add_weight(
            name="alpha",
            shape=(self.num_inputs, *channels),
            initializer=self.initializer,
        )

    def _check(self, shapes) -> None:
        if len(shapes) != self.num_inputs:
            raise ValueError(
                f"Layer {self.name!r} sums {self.num_inputs} tensors; found "
                f"{len(shapes)}. Call it on a list of {self.num_inputs}."
            )

    def call(self, inputs):
        return weighted_sum(self.alpha, inputs, self.per_channel)

    def compute_output_shape(self, input_shape) -> tuple:
        """Returns the shape of the output."""
        self._check(input_shape)
        return tuple(input_shape[0])

    def get_config(self):
        return {
            **super().get_config(),
            "num_inputs": self.num_inputs,
            "per_channel": self.per_channel,
            "initializer": keras.initializers.serialize(self.initializer),
        }
