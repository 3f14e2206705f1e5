"""Heads of several tasks on one tensor, computed together."""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import ops

from mtl_keras.argument_checks import check_integer
from mtl_keras.keras_compat import LOGITS, get_logits, set_output_attributes
from mtl_keras.layers.arguments import check_task_index
from mtl_keras.layers.nth_copy import nth_copy
from mtl_keras.layers.side_by_side import multiply_side_by_side
from mtl_keras.layers.with_values import with_values


@keras.saving.register_keras_serializable("mtl_keras")
class GroupedDense(keras.layers.Layer):
    """Computes the dense layers of several tasks by one product.

    Task k has a kernel W_k and a bias b_k:

        y_k = activation(x W_k + b_k)

    The tasks lie along the second to last axis (`task_axis`) of both
    variables, so that the gradient of a task is in its slice. In a tensor of
    shape `(batch, tasks, inputs)`, each task reads its slice.

    Args:
        units: Size of the output of each task.
        num_tasks: Number of tasks, 1 or more.
        activation: Any Keras activation that is elementwise or along the last
            axis. Defaults to `None`.
        use_bias: Whether each task has a bias. Defaults to `True`.
        kernel_initializer: Initializer of the kernel of each task. Defaults to
            `"glorot_uniform"`.
        bias_initializer: Initializer of the bias of each task. Defaults to
            `"zeros"`.
        **kwargs: See `keras.layers.Layer`.

    Raises:
        TypeError: If a count is not an integer.
        ValueError: If a count is below 1, or the input has another rank or
            another number of tasks.

    Example:

    >>> heads = mtl_keras.layers.GroupedDense(units=3, num_tasks=5)
    >>> outputs = heads(np.ones((4, 8)))
    >>> len(outputs), outputs[0].shape
    (5, TensorShape([4, 3]))
    """

    task_axis = -2

    def __init__(
        self,
        units: int,
        num_tasks: int,
        activation=None,
        use_bias: bool = True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.units = check_integer("units", units, minimum=1)
        self.num_tasks = check_integer("num_tasks", num_tasks, minimum=1)
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self._initializers = None

    @classmethod
    def from_layers(cls, layers: Sequence[keras.layers.Dense], **kwargs):
        """Creates the layer that replaces dense layers of one configuration.

        Its initial values are exactly those of the dense layers.

        Args:
            layers: List of `keras.layers.Dense` that are not built.
            **kwargs: See `keras.layers.Layer`.
        """
        first = layers[0]
        grouped = cls(
            first.units,
            len(layers),
            activation=first.activation,
            use_bias=first.use_bias,
            kernel_initializer=first.kernel_initializer,
            bias_initializer=first.bias_initializer,
            dtype=first.dtype_policy,
            **kwargs,
        )
        grouped._initializers = [
            (layer.kernel_initializer, layer.bias_initializer)
            for layer in layers
        ]
        return grouped

    def build(self, input_shape):
        """Creates the kernels and biases of all tasks."""
        self._check(input_shape)
        kernels, biases = zip(*self._initializers_by_task(), strict=True)
        inputs = input_shape[-1]
        self.kernel = self.add_weight(
            name="kernel",
            shape=(inputs, self.num_tasks, self.units),
            initializer=_stack_initializers(kernels),
        )
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(self.num_tasks, self.units),
                initializer=_stack_initializers(biases),
            )

    def _initializers_by_task(self) -> list[tuple]:
        if self._initializers is not None:
            return self._initializers
        pair = (self.kernel_initializer, self.bias_initializer)
        copies = [
            tuple(nth_copy(initializer, index) for initializer in pair)
            for index in range(1, self.num_tasks)
        ]
        return [pair, *copies]

    def _check(self, input_shape) -> None:
        rank = len(input_shape)
        if rank == 2 or (rank == 3 and input_shape[1] == self.num_tasks):
            return
        raise ValueError(
            f"Layer {self.name!r} has {self.num_tasks} tasks and reads "
            f"(batch, inputs) or (batch, {self.num_tasks}, inputs); found "
            f"shape {tuple(input_shape)}."
        )

    def call(self, inputs) -> list:
        outputs = multiply_side_by_side(inputs, self.kernel)
        if self.use_bias:
            outputs = ops.add(outputs, self.bias)
        outputs = self.activation(outputs)
        by_task = ops.unstack(outputs, self.num_tasks, axis=1)
        # Keras attaches the logits to probabilities, for its losses.
        logits = get_logits(outputs)
        if logits is not None:
            task_logits = ops.unstack(logits, self.num_tasks, axis=1)
            for output, x in zip(by_task, task_logits, strict=True):
                set_output_attributes(output, {LOGITS: x})
        return by_task

    def compute_output_shape(self, input_shape) -> list[tuple]:
        """Returns the shape of the output."""
        self._check(input_shape)
        return [(input_shape[0], self.units)] * self.num_tasks

    def task_layers(self, inputs, task=0) -> list:
        """Creates the layers that compute only one task.

        Args:
            inputs: Tensor of shape `(batch, inputs)`.
            task: Index of the task.
        """
        task = check_task_index(task, self.num_tasks)
        layer = keras.layers.Dense(
            self.units,
            activation=self.activation,
            use_bias=self.use_bias,
            dtype=self.dtype_policy,
            name=f"{self.name}_{task}",
        )
        own = [self.kernel[:, task]]
        if self.use_bias:
            own.append(self.bias[task])
        return [with_values(layer, inputs.shape, own)]

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "num_tasks": self.num_tasks,
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(
                self.kernel_initializer
            ),
            "bias_initializer": keras.initializers.serialize(
                self.bias_initializer
            ),
        }


def _stack_initializers(initializers: Sequence):
    """Returns an initializer of the stacked variables of all tasks."""

    def initialize(shape, dtype=None):
        task_shape = (*shape[:-2], shape[-1])
        values = [one(task_shape, dtype) for one in initializers]
        return ops.stack(values, axis=GroupedDense.task_axis)

    return initialize
