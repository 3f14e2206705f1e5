"""Sampled gradients of every kind, and weights of methods for them."""

import functools

import numpy as np
import tensorflow as tf
from weighting_harness import make, methods_requiring

# A new method is tested as soon as it is in the registry.
NAMES = methods_requiring("gramian")
# Methods with random orders of all tasks, labelled or not.
DRAWN = ("gradvac", "pcgrad")
DETERMINISTIC = [name for name in NAMES if name not in DRAWN]
NUM_TASKS = (2, 3, 8)
NUM_PARAMETERS = 12


@functools.cache
def sampled(num_tasks):
    """Draws Jacobians of shape `(samples, tasks, parameters)`.

    They have every rank and many scales, and rows that are zero, repeated,
    opposite or of different lengths.
    """
    rng = np.random.default_rng(num_tasks)
    jacobians = []
    for rank in range(1, num_tasks + 1):
        for change in (None, _zero, _repeat, _oppose, _stretch, _center):
            matrix = rng.normal(size=(num_tasks, rank)) @ rng.normal(
                size=(rank, NUM_PARAMETERS)
            )
            if change:
                change(matrix, rng)
            jacobians.append(matrix * 10.0 ** rng.uniform(-15, 15))
    jacobians.append(np.zeros((num_tasks, NUM_PARAMETERS)))
    return np.array(jacobians).astype("float32")


def _zero(matrix, rng):
    matrix[rng.integers(len(matrix))] = 0


def _repeat(matrix, rng):
    matrix[0] = matrix[-1]


def _oppose(matrix, rng):
    matrix[0] = -matrix[-1]


def _stretch(matrix, rng):
    matrix *= 10.0 ** rng.uniform(-3, 3, size=(len(matrix), 1))


def _center(matrix, rng):
    matrix -= matrix.mean(axis=0)


def regular(num_tasks, samples=8, seed=0):
    """Draws well-conditioned Jacobians of full rank."""
    rng = np.random.default_rng(seed)
    shape = (samples, num_tasks, NUM_PARAMETERS)
    jacobians = rng.normal(size=shape) + 0.3 * rng.normal(size=(samples, 1, 1))
    return jacobians.astype("float32")


def compute_gramians(jacobians):
    """Computes Gramians in float32."""
    return jacobians @ np.swapaxes(jacobians, -1, -2)


@functools.cache
def _weigher(name, num_tasks, arguments):
    tasks = [f"task_{number}" for number in range(num_tasks)]
    weighting = make(name, tasks, **dict(arguments))
    start = [variable.numpy() for variable in weighting.variables]
    losses = tf.linspace(1.0, 2.0, num_tasks)

    @tf.function(input_signature=[tf.TensorSpec((None, num_tasks, num_tasks))])
    def weigh(gramians):
        return tf.map_fn(
            lambda gramian: weighting.weights(losses, gramian),
            gramians,
            parallel_iterations=1,
        )

    def from_the_start(gramians):
        for variable, value in zip(weighting.variables, start, strict=True):
            variable.assign(value)
        return weigh(gramians).numpy().astype(float)

    return from_the_start


def weigh(name, gramians, **arguments):
    """Computes weights, from `(samples, K, K)` to `(samples, K)`.

    The function is traced once for each method and number of tasks.
    """
    key = tuple(sorted(arguments.items()))
    return _weigher(name, gramians.shape[-1], key)(gramians)


def lengths(jacobians):
    """Computes the norms of rows in float64."""
    return np.linalg.norm(jacobians.astype(float), axis=-1)


def conflicts(jacobians, weights):
    """Computes how much each update conflicts with each task.

    Returns the negative inner products of task gradients and update, divided
    by the length of the gradient and the sum of the lengths of all terms.
    """
    norms = lengths(jacobians)
    jacobians = jacobians.astype(float)
    updates = np.einsum("skp,sk->sp", jacobians, weights)
    products = np.einsum("skp,sp->sk", jacobians, updates)
    terms = (np.abs(weights) * norms).sum(axis=1, keepdims=True)
    sizes = norms * terms
    return -np.divide(
        products, sizes, out=np.zeros_like(products), where=sizes > 0
    )
