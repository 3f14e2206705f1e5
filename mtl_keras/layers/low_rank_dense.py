"""Dense layers of several tasks with a shared basis."""

from __future__ import annotations

import keras
from keras import ops

from mtl_keras.argument_checks import check_integer
from mtl_keras.layers.arguments import check_task_index
from mtl_keras.layers.with_values import with_values


@keras.saving.register_keras_serializable("mtl_keras")
class LowRankDense(keras.layers.Layer):
    """Dense layer for each task whose kernels share one basis.

    Task k has the kernel W_k = B V_k. All tasks share the basis B, of shape
    `(inputs, rank)`; only task k has the factor V_k, of shape `(rank, units)`:

        y_k = activation(x B V_k + b_k)

    The layer is called once for each task, `layer(x, task=k)`, so that the
    graph of the model shows which parameters a task reaches.

    Args:
        units: Integer, size of the output.
        rank: Integer, number of columns of the basis, at most the full rank,
            which is the smaller of `inputs` and `units`.
        num_tasks: Number of tasks.
        activation: Any Keras activation. Defaults to `None`.
        use_bias: Whether each task has a bias. Defaults to `True`.
        kernel_initializer: Initializer of the basis and the factors. Defaults
            to `"glorot_uniform"`.
        kernel_regularizer: Regularizer of the basis and the factors. Defaults
            to `None`.
        **kwargs: See `keras.layers.Layer`.

    Raises:
        TypeError: If a count is not an integer.
        ValueError: If a count is below 1, or the rank above the full rank.

    Example:

    >>> layer = mtl_keras.layers.LowRankDense(6, rank=2, num_tasks=3)
    >>> layer(np.ones((4, 8)), task=1).shape
    TensorShape([4, 6])
    >>> layer.task_kernel(1).shape
    TensorShape([8, 6])

    Reference:
        Yang and Hospedales, "Deep Multi-task Representation Learning: A
        Tensor Factorisation Approach", ICLR 2017; Kumar and Daume, "Learning
        Task Grouping and Overlap in Multi-task Learning", ICML 2012 (a shared
        basis).
    """

    def __init__(
        self,
        units: int,
        rank: int,
        num_tasks: int,
        activation=None,
        use_bias: bool = True,
        kernel_initializer="glorot_uniform",
        kernel_regularizer=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.units = check_integer("units", units, minimum=1)
        self.rank = check_integer("rank", rank, minimum=1)
        self.num_tasks = check_integer("num_tasks", num_tasks, minimum=1)
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)

    def build(self, input_shape):
        """Creates the basis, and a factor and a bias for each task."""
        inputs = input_shape[-1]
        if self.rank > min(inputs, self.units):
            raise ValueError(
                f"rank={self.rank} is above the full rank of layer "
                f"{self.name!r}, {min(inputs, self.units)}, which maps "
                f"{inputs} inputs to {self.units} units. Choose a rank of at "
                f"most {min(inputs, self.units)}; below "
                f"{inputs * self.units / (inputs + self.units):.3g}, even a "
                "single task has fewer parameters than with a full matrix."
            )
        self.basis = self._add_kernel("basis", (inputs, self.rank))
        self.factors = [
            self._add_kernel(f"factor_{task}", (self.rank, self.units))
            for task in range(self.num_tasks)
        ]
        self.biases = []
        if self.use_bias:
            self.biases = [
                self.add_weight(
                    name=f"bias_{task}",
                    shape=(self.units,),
                    initializer="zeros",
                )
                for task in range(self.num_tasks)
            ]

    def _add_kernel(self, name: str, shape: tuple):
        return self.add_weight(
            name=name,
            shape=shape,
            initializer=keras.initializers.get(
                keras.initializers.serialize(self.kernel_initializer)
            ),
            regularizer=self.kernel_regularizer,
        )

    def call(self, inputs, task=0):
        task = check_task_index(task, self.num_tasks)
        outputs = ops.matmul(ops.matmul(inputs, self.basis), self.factors[task])
        if self.use_bias:
            outputs = ops.add(outputs, self.biases[task])
        return self.activation(outputs)

    def call_variables(self, inputs, task=0) -> list:
        """Lists the variables that a call reads.

        Args:
            inputs: As in `call`.
            task: As in `call`.
        """
        own = [self.basis, self.factors[task]]
        return [*own, self.biases[task]] if self.use_bias else own

    def task_layers(self, inputs, task=0) -> list:
        """Creates the layers that compute only this call, in order.

        Args:
            inputs: As in `call`.
            task: As in `call`.
        """
        settings = {
            "kernel_regularizer": self.kernel_regularizer,
            "dtype": self.dtype_policy,
        }
        basis = keras.layers.Dense(
            self.rank, use_bias=False, name=f"{self.name}_basis", **settings
        )
        factor = keras.layers.Dense(
            self.units,
            activation=self.activation,
            use_bias=self.use_bias,
            name=f"{self.name}_factor_{task}",
            **settings,
        )
        _, *own = self.call_variables(inputs, task)
        return [
            with_values(basis, inputs.shape, [self.basis]),
            with_values(factor, (*inputs.shape[:-1], self.rank), own),
        ]

    def task_kernel(self, task: int):
        """Returns the kernel of a task, B V_k, of shape `(inputs, units)`.

        Args:
            task: Index of the task.
        """
        return ops.matmul(self.basis, self.factors[task])

    def compute_output_shape(self, input_shape) -> tuple:
        """Returns the shape of the output."""
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "rank": self.rank,
            "num_tasks": self.num_tasks,
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(
                self.kernel_initializer
            ),
            "kernel_regularizer": keras.regularizers.serialize(
                self.kernel_regularizer
            ),
        }
