"""Learned linear combination of the activations of several towers."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from mtl_keras.argument_checks import check_integer
from mtl_keras.layers.arguments import check_task_index
from mtl_keras.layers.weighted_sum import WeightedSum, weighted_sum
from mtl_keras.layers.with_values import with_values


@keras.saving.register_keras_serializable("mtl_keras")
class CrossStitch(keras.layers.Layer):
    """Combines the activations of several towers linearly for each task.

    With the activations x_1, ..., x_K of the towers of K tasks, task k
    continues with

        y_k = sum_j alpha_kj x_j

    The layer is called once for each task, `layer([x_1, ..., x_K], task=k)`,
    so that the graph of the model shows which parameters a task reaches. If
    alpha is the identity, the towers are independent.

    Args:
        num_tasks: Number of towers, K.
        own: Initial value on the diagonal of alpha. The other towers share the
            rest up to 1 equally. Defaults to `0.9`.
        per_channel: Whether each channel (the last axis) has its own alpha.
            Defaults to `False`.
        **kwargs: See `keras.layers.Layer`.

    Raises:
        TypeError: If `num_tasks` is not an integer.
        ValueError: If it is below 1, or if the inputs are not `num_tasks`
            tensors of one shape.

    Example:

    >>> layer = mtl_keras.layers.CrossStitch(num_tasks=2)
    >>> layer([np.ones((4, 8)), np.zeros((4, 8))], task=0).shape
    TensorShape([4, 8])
    >>> print(layer.matrix)
    [[0.9 0.1]
     [0.1 0.9]]

    Reference:
        Misra et al., "Cross-stitch Networks for Multi-task Learning", CVPR
        2016.
    """

    def __init__(
        self,
        num_tasks: int,
        own: float = 0.9,
        per_channel: bool = False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.num_tasks = check_integer("num_tasks", num_tasks, minimum=1)
        self.own = own
        self.per_channel = per_channel

    def build(self, input_shape):
        """Creates a row of alpha for each task."""
        self._check(input_shape)
        channels = input_shape[0][-1:] if self.per_channel else ()
        others = (1 - self.own) / max(self.num_tasks - 1, 1)
        self.rows = []
        for task in range(self.num_tasks):
            start = np.full((self.num_tasks, *channels), others, "float32")
            start[task] = self.own
            self.rows.append(
                self.add_weight(
                    name=f"alpha_{task}",
                    shape=start.shape,
                    initializer=_from_array(start),
                )
            )

    def _check(self, shapes) -> None:
        if len(shapes) != self.num_tasks:
            raise ValueError(
                f"Layer {self.name!r} stitches {self.num_tasks} towers; found "
                f"{len(shapes)}. Call it on a list of one tensor for each task."
            )
        shapes = [tuple(shape) for shape in shapes]
        if len(set(shapes)) > 1:
            raise ValueError(
                f"Layer {self.name!r} stitches towers of one shape; found "
                f"{shapes}. Give all towers the same widths and depth."
            )

    def call(self, inputs, task=0):
        task = check_task_index(task, self.num_tasks)
        return weighted_sum(self.rows[task], inputs, self.per_channel)

    def call_variables(self, inputs, task=0) -> list:
        """Lists the variables that a call reads.

        Args:
            inputs: As in `call`.
            task: As in `call`.
        """
        return [self.rows[task]]

    def task_layers(self, inputs, task=0) -> list:
        """Creates the layers that compute only this call.

        Args:
            inputs: As in `call`.
            task: As in `call`.
        """
        layer = WeightedSum(
            self.num_tasks,
            self.per_channel,
            dtype=self.dtype_policy,
            name=f"{self.name}_{task}",
        )
        shapes = [tower.shape for tower in inputs]
        return [with_values(layer, shapes, [self.rows[task]])]

    @property
    def matrix(self) -> np.ndarray:
        """Array with the alpha of all tasks, of shape `(tasks, towers)`.

        With `per_channel`, the channels are a third axis.
        """
        return np.stack([ops.convert_to_numpy(row) for row in self.rows])

    def compute_output_shape(self, input_shape) -> tuple:
        """Returns the shape of the output."""
        self._check(input_shape)
        return tuple(input_shape[0])

    def get_config(self):
        return {
            **super().get_config(),
            "num_tasks": self.num_tasks,
            "own": self.own,
            "per_channel": self.per_channel,
        }


def _from_array(values: np.ndarray):
    return lambda shape, dtype=None: ops.convert_to_tensor(values, dtype)
