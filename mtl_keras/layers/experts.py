"""Several dense layers of one width, computed together."""

from __future__ import annotations

import keras
from keras import ops

from mtl_keras.layers.arguments import check_positive_integer
from mtl_keras.layers.nth_copy import nth_copy
from mtl_keras.layers.side_by_side import multiply_side_by_side


@keras.saving.register_keras_serializable("mtl_keras")
class Experts(keras.layers.Layer):
    """One dense layer an expert, all computed together.

    Expert e has a kernel W_e and a bias b_e of its own:

        y_e = activation(x_e W_e + b_e)

    The first layer of several experts reads one tensor of shape `(batch,
    inputs)`, which all experts get; the next ones read a tensor of shape
    `(batch, experts, inputs)`, of which each expert gets its own part.

    The kernels are one variable of shape `(inputs, experts, units)`, and the
    biases one of shape `(experts, units)`.

    Args:
        num_experts: Number of experts, 1 or more.
        units: Width of each expert's output.
        activation: Any Keras activation. Defaults to none.
        use_bias: Whether each expert has a bias. Defaults to `True`.
        kernel_initializer: Called for each expert by itself, so that what
            depends on the number of inputs fits. Defaults to
            `"glorot_uniform"`.
        kernel_regularizer: Of all kernels together. Defaults to none.
        **kwargs: See `keras.layers.Layer`.

    Raises:
        TypeError: If a count is no integer.
        ValueError: If a count is below 1, or the input is of another rank or
            another number of experts.

    Example:

    >>> experts = mtl_keras.layers.Experts(num_experts=3, units=5)
    >>> experts(np.ones((4, 8))).shape
    TensorShape([4, 3, 5])

    Reference:
        Ma et al., "Modeling Task Relationships in Multi-task Learning with
        Multi-gate Mixture-of-Experts", KDD 2018.
    """

    def __init__(
        self,
        num_experts: int,
        units: int,
        activation=None,
        use_bias: bool = True,
        kernel_initializer="glorot_uniform",
        kernel_regularizer=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.num_experts = check_positive_integer("num_experts", num_experts)
        self.units = check_positive_integer("units", units)
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)

    def build(self, input_shape):
        """Makes the kernels and biases of all experts."""
        self._check(input_shape)
        self.kernel = self.add_weight(
            name="kernel",
            shape=(input_shape[-1], self.num_experts, self.units),
            initializer=self._expert_by_expert,
            regularizer=self.kernel_regularizer,
        )
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(self.num_experts, self.units),
                initializer="zeros",
            )

    def _expert_by_expert(self, shape, dtype=None):
        inputs, num_experts, units = shape
        return ops.stack(
            [
                nth_copy(self.kernel_initializer, index)((inputs, units), dtype)
                for index in range(num_experts)
            ],
            axis=1,
        )

    def _check(self, input_shape) -> None:
        rank = len(input_shape)
        if rank == 2 or (rank == 3 and input_shape[1] == self.num_experts):
            return
        raise ValueError(
            f"Layer {self.name!r} has {self.num_experts} experts and reads "
            f"(batch, inputs) or (batch, {self.num_experts}, inputs); got "
            f"shape {tuple(input_shape)}."
        )

    def call(self, inputs):
        outputs = multiply_side_by_side(inputs, self.kernel)
        if self.use_bias:
            outputs = ops.add(outputs, self.bias)
        return self.activation(outputs)

    def compute_output_shape(self, input_shape) -> tuple:
        """Shape of the output: `(batch, experts, units)`."""
        self._check(input_shape)
        return (input_shape[0], self.num_experts, self.units)

    def get_config(self):
        return {
            **super().get_config(),
            "num_experts": self.num_experts,
            "units": self.units,
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(
                self.kernel_initializer
            ),
            "kernel_regularizer": keras.regularizers.serialize(
                self.kernel_regularizer
            ),
        }
