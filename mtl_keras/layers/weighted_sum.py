"""A linear combination of tensors, with weights that are learned."""

from __future__ import annotations

import keras
from keras import ops

from mtl_keras.layers.arguments import check_positive_integer


def weighted_sum(alpha, tensors, per_channel: bool):
    """Adds tensors of one shape, each times a weight.

    Args:
        alpha: The weights, of shape `(n,)`; with `per_channel`,
            `(n, channels)`.
        tensors: The n tensors.
        per_channel: Whether each channel (the last axis) has a weight of its
            own.

    Returns:
        A tensor of their shape.
    """
    # Stacked, since of n towers a graph would hold n^2 products otherwise.
    stacked = ops.stack(tensors)
    if not per_channel:
        return ops.tensordot(alpha, stacked, axes=1)
    between = [1] * (len(stacked.shape) - 2)
    alpha = ops.reshape(alpha, (len(tensors), *between, -1))
    return ops.sum(ops.multiply(alpha, stacked), axis=0)


@keras.saving.register_keras_serializable("mtl_keras")
class WeightedSum(keras.layers.Layer):
    """A sum of tensors of one shape, each times a weight.

    Of the tensors x_1, ..., x_n it makes

        y = sum_j alpha_j x_j

    This is what a cross-stitch unit does for one task.

    Args:
        num_inputs: Number of tensors, n.
        per_channel: Whether each channel (the last axis) has a weight of its
            own. Defaults to `False`.
        initializer: Of the weights. Defaults to `"ones"`.
        **kwargs: See `keras.layers.Layer`.

    Raises:
        TypeError: If `num_inputs` is no integer.
        ValueError: If it is below 1, or if the layer is called with another
            number of tensors.

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
        """Makes a weight for each tensor."""
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
                f"Layer {self.name!r} adds {self.num_inputs} tensors; got "
                f"{len(shapes)}. Call it on a list of them."
            )

    def call(self, inputs):
        return weighted_sum(self.alpha, inputs, self.per_channel)

    def compute_output_shape(self, input_shape) -> tuple:
        """Shape of the output: that of each tensor."""
        self._check(input_shape)
        return tuple(input_shape[0])

    def get_config(self):
        return {
            **super().get_config(),
            "num_inputs": self.num_inputs,
            "per_channel": self.per_channel,
            "initializer": keras.initializers.serialize(self.initializer),
        }
