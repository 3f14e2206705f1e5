"""Heads of several tasks on one tensor, computed together."""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import ops

from mtl_keras.keras_compat import LOGITS, get_logits, set_output_attributes
from mtl_keras.layers.arguments import (
    check_positive_integer,
    check_task_index,
)
from mtl_keras.layers.nth_copy import nth_copy
from mtl_keras.layers.side_by_side import multiply_side_by_side
from mtl_keras.layers.with_values import with_values


@keras.saving.register_keras_serializable("mtl_keras")
class GroupedDense(keras.layers.Layer):
    """One dense layer a task, all computed by one product.

    Task k has a kernel W_k and a bias b_k of its own:

        y_k = activation(x W_k + b_k)

    The tasks lie along the axis before the last (`task_axis`) of both
    variables, so the gradient of one task's loss stays in its slice. Given a
    tensor of shape `(batch, tasks, inputs)`, each task reads its own part.

    Args:
        units: Width of each task's output.
        num_tasks: Number of tasks, 1 or more.
        activation: Any Keras activation that is elementwise or along the last
            axis. Defaults to none.
        use_bias: Whether each task has a bias. Defaults to `True`.
        kernel_initializer: Called for each task by itself, so that what
            depends on the number of units fits. Defaults to
            `"glorot_uniform"`.
        bias_initializer: Likewise. Defaults to `"zeros"`.
        **kwargs: See `keras.layers.Layer`.

    Raises:
        TypeError: If a count is no integer.
        ValueError: If a count is below 1, or the input is of another rank or
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
        self.units = check_positive_integer("units", units)
        self.num_tasks = check_positive_integer("num_tasks", num_tasks)
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self._initializers = None

    @classmethod
    def of(cls, layers: Sequence[keras.layers.Dense], **kwargs):
        """Makes the layer that stands for dense layers of one configuration.

        It begins with the very values that these would begin with.

        Args:
            layers: The layers, none of them built.
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
        """Makes the kernels and biases of all tasks."""
        self._check(input_shape)
        kernels, biases = zip(*self._initializers_by_task(), strict=True)
        inputs = input_shape[-1]
        self.kernel = self.add_weight(
            name="kernel",
            shape=(inputs, self.num_tasks, self.units),
            initializer=_each_by_itself(kernels),
        )
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(self.num_tasks, self.units),
                initializer=_each_by_itself(biases),
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
            f"(batch, inputs) or (batch, {self.num_tasks}, inputs); got "
            f"shape {tuple(input_shape)}."
        )

    def call(self, inputs) -> list:
        outputs = multiply_side_by_side(inputs, self.kernel)
        if self.use_bias:
            outputs = ops.add(outputs, self.bias)
        outputs = self.activation(outputs)
        by_task = ops.unstack(outputs, self.num_tasks, axis=1)
        # Keras notes on probabilities what they were made of, for its losses.
        logits = get_logits(outputs)
        if logits is not None:
            of_tasks = ops.unstack(logits, self.num_tasks, axis=1)
            for output, of_task in zip(by_task, of_tasks, strict=True):
                set_output_attributes(output, {LOGITS: of_task})
        return by_task

    def compute_output_shape(self, input_shape) -> list[tuple]:
        """Shapes of the outputs: `(batch, units)` for each task."""
        self._check(input_shape)
        return [(input_shape[0], self.units)] * self.num_tasks

    def layers_of_task(self, inputs, task=0) -> list:
        """Makes the layers that compute one task alone.

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


def _each_by_itself(initializers: Sequence):
    """Calls an initializer for each task, along the axis before the last."""

    def initialize(shape, dtype=None):
        of_task = (*shape[:-2], shape[-1])
        values = [make(of_task, dtype) for make in initializers]
        return ops.stack(values, axis=GroupedDense.task_axis)

    return initialize
