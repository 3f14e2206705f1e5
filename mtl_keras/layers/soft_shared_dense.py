"""Dense layers of several tasks with a penalty on their distance."""

from __future__ import annotations

import keras
from keras import ops

from mtl_keras.argument_checks import check_integer
from mtl_keras.layers.arguments import check_task_index
from mtl_keras.layers.with_values import with_values


@keras.saving.register_keras_serializable("mtl_keras")
class SoftSharedDense(keras.layers.Layer):
    """Dense layer for each task, with a penalty on the distance of kernels.

    Task k has a kernel W_k and a bias b_k. The layer adds

        distance * sum_{i<j} ||W_i - W_j||^2

    over all pairs of tasks to the loss.

    The layer is called once for each task, `layer(x, task=k)`, so that the
    graph of the model shows that the tasks share no parameters.

    Args:
        units: Integer, size of the output.
        num_tasks: Number of tasks.
        distance: Factor of the penalty, 0 or more. Defaults to `0.01`.
        activation: Any Keras activation. Defaults to `None`.
        use_bias: Whether each task has a bias. Defaults to `True`.
        kernel_initializer: Initializer of each kernel. Defaults to
            `"glorot_uniform"`.
        kernel_regularizer: Regularizer of each kernel, in addition to the
            distance. Defaults to `None`.
        **kwargs: See `keras.layers.Layer`.

    Raises:
        TypeError: If a count is not an integer.
        ValueError: If a count is below 1 or `distance` is negative.

    Example:

    >>> layer = mtl_keras.layers.SoftSharedDense(6, num_tasks=2)
    >>> layer(np.ones((4, 8)), task=1).shape
    TensorShape([4, 6])
    >>> len(layer.losses)
    1

    Reference:
        Duong et al., "Low Resource Dependency Parsing: Cross-lingual Parameter
        Sharing in a Neural Network Parser", ACL 2015.
    """

    def __init__(
        self,
        units: int,
        num_tasks: int,
        distance: float = 0.01,
        activation=None,
        use_bias: bool = True,
        kernel_initializer="glorot_uniform",
        kernel_regularizer=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.units = check_integer("units", units, minimum=1)
        self.num_tasks = check_integer("num_tasks", num_tasks, minimum=1)
        if not distance >= 0:
            raise ValueError(
                f"distance={distance!r}; expected a number of 0 or more."
            )
        self.distance = distance
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)

    def build(self, input_shape):
        """Creates a kernel and a bias for each task."""
        self.kernels, self.biases = [], []
        last = self.num_tasks - 1
        for task in range(self.num_tasks):
            # Keras gets penalties from variables: the last one has them all.
            regularizer = self.kernel_regularizer
            if task == last and last and self.distance:
                regularizer = self._distance_penalty
            kernel = self.add_weight(
                name=f"kernel_{task}",
                shape=(input_shape[-1], self.units),
                initializer=keras.initializers.get(
                    keras.initializers.serialize(self.kernel_initializer)
                ),
                regularizer=regularizer,
            )
            self.kernels.append(kernel)
            if self.use_bias:
                bias = self.add_weight(
                    name=f"bias_{task}",
                    shape=(self.units,),
                    initializer="zeros",
                )
                self.biases.append(bias)

    def _distance_penalty(self, kernel):
        # The sum over pairs is K times the sum of distances from the mean.
        # Offsets from one kernel make the penalty of equal kernels exactly 0.
        kernels = [*self.kernels[:-1], kernel]
        offsets = ops.stack([ops.subtract(k, kernel) for k in kernels])
        offsets = ops.subtract(offsets, ops.mean(offsets, axis=0))
        scale = self.distance * self.num_tasks
        penalty = ops.multiply(scale, ops.sum(ops.square(offsets)))
        if self.kernel_regularizer is not None:
            penalty = penalty + self.kernel_regularizer(kernel)
        return penalty

    def call(self, inputs, task=0):
        task = check_task_index(task, self.num_tasks)
        outputs = ops.matmul(inputs, self.kernels[task])
        if self.use_bias:
            outputs = ops.add(outputs, self.biases[task])
        return self.activation(outputs)

    def call_variables(self, inputs, task=0) -> list:
        """Lists the variables that a call reads.

        Args:
            inputs: As in `call`.
            task: As in `call`.
        """
        own = [self.kernels[task]]
        return [*own, self.biases[task]] if self.use_bias else own

    def task_layers(self, inputs, task=0) -> list:
        """Creates the layers that compute only this call.

        Args:
            inputs: As in `call`.
            task: As in `call`.
        """
        layer = keras.layers.Dense(
            self.units,
            activation=self.activation,
            use_bias=self.use_bias,
            kernel_regularizer=self.kernel_regularizer,
            dtype=self.dtype_policy,
            name=f"{self.name}_{task}",
        )
        own = self.call_variables(inputs, task)
        return [with_values(layer, inputs.shape, own)]

    def compute_output_shape(self, input_shape) -> tuple:
        """Returns the shape of the output."""
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "num_tasks": self.num_tasks,
            "distance": self.distance,
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(
                self.kernel_initializer
            ),
            "kernel_regularizer": keras.regularizers.serialize(
                self.kernel_regularizer
            ),
        }
