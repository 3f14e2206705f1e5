"""Synthetic regression: two tasks with a given correlation.

Origin: generated from a seed, as in Ma et al., "Modeling Task Relationships in
Multi-task Learning with Multi-gate Mixture-of-Experts", KDD 2018, section 3.2.

Licence: none needed.
"""

import math

import numpy as np

from mtl_keras.datasets.arguments import check_count, check_seed
from mtl_keras.datasets.samples import Samples
from mtl_keras.tasks import Regression, Task


def load_data(
    correlation: float = 0.5,
    num_train: int = 10000,
    num_test: int = 2000,
    num_inputs: int = 100,
    num_sines: int = 5,
    scale: float = 1.0,
    noise: float = 0.1,
    seed: int = 0,
) -> tuple[Samples, Samples]:
    """Generates inputs and two targets that depend on them.

    With orthogonal unit vectors u_1 and u_2, and the correlation rho,

        w_1 = scale u_1
        w_2 = scale (rho u_1 + sqrt(1 - rho^2) u_2)
        y_k = w_k x + sum_i sin(a_i w_k x + b_i) + noise

    where x, a and b are normal with variance 1. With a correlation of 1, the
    tasks differ only in their noise; with 0, they depend on different
    directions of the input. The correlation of the targets grows with rho, but
    differs from it, because the sines are not linear.

    The same seed gives the same inputs, directions, sines and noise for any
    correlation, so that results can be compared in pairs.

    Args:
        correlation: Float in [-1, 1], the cosine of the tasks' weights, rho.
            Defaults to 0.5.
        num_train: Integer, number of training samples. Defaults to 10000.
        num_test: Integer, number of test samples. Defaults to 2000.
        num_inputs: Integer of at least 2, size of x. Defaults to 100.
        num_sines: Integer, number of sines. Defaults to 5; the paper does not
            give the number.
        scale: Float above 0, norm of the weights. Defaults to 1.
        noise: Float of at least 0, standard deviation of the noise. Defaults
            to 0.1.
        seed: Integer of at least 0. Defaults to 0.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: x is float32 of shape
        `(n, num_inputs)`; y is a dict with `"first"` and `"second"`, float32
        of shape `(n,)`.

    Raises:
        ValueError: If an argument is out of range.

    Example:

    >>> (x, y), _ = mtl_keras.datasets.synthetic_regression.load_data(0.9)
    >>> x.shape, y["second"].shape
    ((10000, 100), (10000,))
    """
    _check(correlation, scale, noise)
    for name, count in (
        ("num_train", num_train),
        ("num_test", num_test),
        ("num_sines", num_sines),
    ):
        check_count(name, count)
    check_count("num_inputs", num_inputs)
    if num_inputs < 2:
        raise ValueError(
            f"`num_inputs` must be 2 or more, found {num_inputs}: two "
            "directions must be orthogonal."
        )
    check_seed(seed)
    rng = np.random.default_rng(seed)
    # The columns of Q are orthogonal unit vectors.
    directions, _ = np.linalg.qr(rng.normal(size=(num_inputs, 2)))
    sines = rng.normal(size=(2, num_sines))
    first, second = scale * directions.T
    rest = math.sqrt(1 - correlation**2)
    weights = {"first": first, "second": correlation * first + rest * second}
    return tuple(
        _samples(np.random.default_rng([seed, part]), n, weights, sines, noise)
        for part, n in enumerate((num_train, num_test))
    )


def tasks() -> list[Task]:
    """Returns the tasks that fit the targets of `load_data`.

    Returns:
        Two `Regression` tasks, `"first"` and `"second"`.

    Example:

    >>> [t.name for t in mtl_keras.datasets.synthetic_regression.tasks()]
    ['first', 'second']
    """
    return [Regression("first"), Regression("second")]


def _samples(rng, count, weights, sines, noise) -> Samples:
    frequencies, phases = sines
    num_inputs = len(next(iter(weights.values())))
    x = rng.normal(size=(count, num_inputs))
    y = {}
    for name, weight in weights.items():
        z = x @ weight
        waves = np.sin(z[:, None] * frequencies + phases).sum(axis=1)
        clean = z + waves
        y[name] = (clean + rng.normal(0, noise, count)).astype("float32")
    return x.astype("float32"), y


def _check(correlation, scale, noise) -> None:
    if not -1 <= correlation <= 1:
        raise ValueError(
            f"`correlation` must be in [-1, 1], found {correlation!r}."
        )
    if not 0 < scale < math.inf:
        raise ValueError(f"`scale` must be above 0, found {scale!r}.")
    if not 0 <= noise < math.inf:
        raise ValueError(f"`noise` must be 0 or more, found {noise!r}.")
