"""Several dense layers of one width, computed together."""

from __future__ import annotations

import keras
from keras import ops

from mtl_keras.layers.arguments import check_positive_integer
from mtl_keras.layers.nth_copy import nth_copy
from mtl_keras.layers.side_by_side import multiply_side_by_side


@keras.saving.register_keras_serializable("mtl_keras")
class Experts(keras.layers.Layer):
    """Computes several dense layers, the experts, together.

    Expert e has a kernel W_e and a bias b_e:

        y_e = activation(x_e W_e + b_e)

    In a tensor of shape `(batch, inputs)`, all experts read the same inputs.
    In a tensor of shape `(batch, experts, inputs)`, each expert reads its
    slice, so that layers can be stacked.

    The kernels are one variable of shape `(inputs, experts, units)`, the
    biases one of shape `(experts, units)`.

    Args:
        num_experts: Number of experts, 1 or more.
        units: Size of the output of each expert.
        activation: Any Keras activation. Defaults to `None`.
        use_bias: Whether each expert has a bias. Defaults to `True`.
        kernel_initializer: Initializer of the kernel of each expert. Defaults
            to `"glorot_uniform"`.
        kernel_regularizer: Regularizer of all kernels together. Defaults to
            `None`.
        **kwargs: See `keras.layers.Layer`.

    Raises:
        TypeError: If a count is not an integer.
        ValueError: If a count is below 1, or the input has another rank or
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
        """Creates the kernels and biases of all experts."""
        self._check(input_shape)
        self.kernel = self.add_weight(
            name="kernel",
            shape=(input_shape[-1], self.num_experts, self.units),
            initializer=self._initialize_kernels,
            regularizer=self.kernel_regularizer,
        )
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(self.num_experts, self.units),
                initializer="zeros",
            )

    def _initialize_kernels(self, shape, dtype=None):
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
            f"(batch, inputs) or (batch, {self.num_experts}, inputs); found "
            f"shape {tuple(input_shape)}."
        )

    def call(self, inputs):
        outputs = multiply_side_by_side(inputs, self.kernel)
        if self.use_bias:
            outputs = ops.add(outputs, self.bias)
        return self.activation(outputs)

    def compute_output_shape(self, input_shape) -> tuple:
        """Returns the shape of the output."""
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
