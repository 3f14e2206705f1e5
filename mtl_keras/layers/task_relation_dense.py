"""Last layer of several tasks that learns how they are related."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from mtl_keras.argument_checks import check_integer
from mtl_keras.layers.arguments import check_task_index
from mtl_keras.layers.with_values import with_values

FORMS = ("trace", "matrix")
# Keeps the root of the Gramian of the kernels invertible.
_EPSILON = 1e-6


@keras.saving.register_keras_serializable("mtl_keras")
class TaskRelationDense(keras.layers.Layer):
    """Dense layer for each task, with a matrix of the relations of tasks.

    The columns of W are the flattened kernels of the K tasks.

    With `form="trace"`, the output of task k is x W_k + b_k, and the layer adds

        penalty * tr(W Omega^-1 W^T)

    to the loss, where Omega, of shape `(K, K)` and trace 1, is the covariance
    of the tasks. It is not trained by gradients: every step sets it to the
    minimum of the penalty,

        Omega = (W^T W)^(1/2) / tr((W^T W)^(1/2))

    With `form="matrix"`, the relations are a trainable matrix A that starts as
    the identity. The output of task k is sum_j A_kj (x W_j + b_j), and the
    penalty is penalty * ||W||_F^2.

    The layer is called once for each task, `layer(x, task=k)`, so that the
    graph of the model shows which parameters a task reaches.

    Args:
        units: Integer, size of the output of each task.
        num_tasks: Number of tasks, K.
        form: `"trace"` or `"matrix"`. Defaults to `"trace"`.
        penalty: Factor of the penalty, 0 or more. Defaults to `0.01`.
        kernel_initializer: Initializer of each kernel. Defaults to
            `"glorot_uniform"`.
        **kwargs: See `keras.layers.Layer`.

    Raises:
        TypeError: If a count is not an integer.
        ValueError: If an argument is out of range.

    Example:

    >>> layer = mtl_keras.layers.TaskRelationDense(1, num_tasks=3)
    >>> layer(np.ones((4, 8)), task=1).shape
    TensorShape([4, 1])
    >>> layer.relations.shape
    (3, 3)

    Reference:
        Zhang and Yeung, "A Convex Formulation for Learning Task Relationships
        in Multi-Task Learning", UAI 2010.
    """

    def __init__(
        self,
        units: int,
        num_tasks: int,
        form: str = "trace",
        penalty: float = 0.01,
        kernel_initializer="glorot_uniform",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.units = check_integer("units", units, minimum=1)
        self.num_tasks = check_integer("num_tasks", num_tasks, minimum=1)
        if form not in FORMS:
            raise ValueError(f"form={form!r}; expected one of {FORMS}.")
        if not penalty >= 0:
            raise ValueError(
                f"penalty={penalty!r}; expected a number of 0 or more."
            )
        self.form = form
        self.penalty = penalty
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, input_shape):
        """Creates a kernel and a bias for each task, and the rows of A."""
        self.kernels, self.biases, self.rows = [], [], []
        for task in range(self.num_tasks):
            # Keras gets penalties from variables: the last one has them all.
            last = task == self.num_tasks - 1 and self.penalty
            kernel = self.add_weight(
                name=f"task_kernel_{task}",
                shape=(input_shape[-1], self.units),
                initializer=keras.initializers.get(
                    keras.initializers.serialize(self.kernel_initializer)
                ),
                regularizer=self._penalty if last else None,
            )
            self.kernels.append(kernel)
            self.biases.append(
                self.add_weight(
                    name=f"task_bias_{task}",
                    shape=(self.units,),
                    initializer="zeros",
                )
            )
        if self.form == "matrix":
            self.rows = [
                self.add_weight(
                    name=f"relations_{task}",
                    shape=(self.num_tasks,),
                    initializer=_unit_vector(task),
                )
                for task in range(self.num_tasks)
            ]

    def _penalty(self, last):
        kernels = [*map(ops.convert_to_tensor, self.kernels[:-1]), last]
        columns = ops.stack([ops.ravel(k) for k in kernels], axis=1)
        if self.form == "matrix":
            return self.penalty * ops.sum(ops.square(columns))
        inverse = _inverse(_root(ops.stop_gradient(_gramian(columns))))
        product = ops.matmul(columns, inverse)
        return self.penalty * ops.sum(ops.multiply(product, columns))

    def call(self, inputs, task=0):
        task = check_task_index(task, self.num_tasks)
        if self.form == "trace":
            return self._linear(inputs, task)
        row = ops.unstack(ops.convert_to_tensor(self.rows[task]), axis=0)
        return sum(
            ops.multiply(share, self._linear(inputs, other))
            for other, share in enumerate(row)
        )

    def _linear(self, inputs, task: int):
        outputs = ops.matmul(inputs, self.kernels[task])
        return ops.add(outputs, self.biases[task])

    def call_variables(self, inputs, task=0) -> list:
        """Lists the variables that a call reads.

        Args:
            inputs: As in `call`.
            task: As in `call`.
        """
        if self.form == "trace":
            return [self.kernels[task], self.biases[task]]
        return [*self.kernels, *self.biases, self.rows[task]]

    def task_layers(self, inputs, task=0) -> list:
        """Creates the layers that compute only this call.

        Args:
            inputs: As in `call`.
            task: As in `call`.
        """
        layer = keras.layers.Dense(
            self.units, dtype=self.dtype_policy, name=f"{self.name}_{task}"
        )
        own = [self.kernels[task], self.biases[task]]
        if self.form == "matrix":
            # A weighted sum of linear maps is a linear map.
            row = ops.convert_to_numpy(self.rows[task])
            own = [
                np.tensordot(row, list(map(ops.convert_to_numpy, values)), 1)
                for values in (self.kernels, self.biases)
            ]
        return [with_values(layer, inputs.shape, own)]

    @property
    def relations(self) -> np.ndarray:
        """Array with the current relations of the tasks, of shape `(K, K)`.

        The covariance Omega, or the trainable matrix A. Rows and columns are
        in the order of the tasks.
        """
        if self.form == "matrix":
            return np.stack([ops.convert_to_numpy(row) for row in self.rows])
        columns = ops.stack(
            [ops.ravel(ops.convert_to_tensor(k)) for k in self.kernels], axis=1
        )
        values, vectors = _root(_gramian(columns))
        values, vectors = map(ops.convert_to_numpy, (values, vectors))
        return (vectors * values) @ vectors.T / values.sum()

    @property
    def correlations(self) -> np.ndarray:
        """Array with the correlations of the tasks, of shape `(K, K)`."""
        if self.form == "matrix":
            raise ValueError(
                "form='matrix' learns no covariance. Use `relations`, or "
                "form='trace'."
            )
        covariance = self.relations
        scale = np.sqrt(np.diag(covariance))
        return covariance / np.outer(scale, scale)

    def compute_output_shape(self, input_shape) -> tuple:
        """Returns the shape of the output."""
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "num_tasks": self.num_tasks,
            "form": self.form,
            "penalty": self.penalty,
            "kernel_initializer": keras.initializers.serialize(
                self.kernel_initializer
            ),
        }


def _gramian(columns):
    return ops.matmul(ops.transpose(columns), columns)


def _root(gramian) -> tuple:
    """Returns eigenvalues and eigenvectors of the root of a Gramian."""
    values, vectors = ops.eigh(gramian)
    return ops.sqrt(ops.maximum(values, 0.0) + _EPSILON), vectors


def _inverse(root: tuple):
    """Returns the inverse of a root that is scaled to a trace of 1."""
    values, vectors = root
    scaled = ops.multiply(vectors, ops.sum(values) / values)
    return ops.matmul(scaled, ops.transpose(vectors))


def _unit_vector(index: int):
    return lambda shape, dtype=None: ops.one_hot(index, shape[0], dtype=dtype)
