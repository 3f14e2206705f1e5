"""Splits samples at random into a training and a test part."""

import numpy as np

from mtl_keras.datasets.arguments import check_seed
from mtl_keras.datasets.samples import (
    ColumnSamples,
    Samples,
    Targets,
    count_samples,
    select,
)


def random_split(
    x: np.ndarray | dict[str, np.ndarray],
    y: Targets,
    test_fraction: float,
    seed: int,
) -> tuple[Samples, Samples] | tuple[ColumnSamples, ColumnSamples]:
    """Splits samples at random into a training and a test part.

    Args:
        x: Array of shape `(n, ...)`, the inputs, or a dict of arrays.
        y: Dict of arrays of shape `(n, ...)`, the targets.
        test_fraction: Float between 0 and 1, fraction of the samples to use
            for the test.
        seed: Integer of at least 0. The same seed gives the same parts.

    Returns:
        `(x_train, y_train), (x_test, y_test)`, both in random order.

    Raises:
        ValueError: If an argument is out of range, or a part is empty.
    """
    check_seed(seed)
    num_rows = count_samples(x)
    num_test = _count_test_rows(num_rows, test_fraction)
    order = np.random.default_rng(seed).permutation(num_rows)
    return select(x, y, order[num_test:]), select(x, y, order[:num_test])


def _count_test_rows(num_rows, test_fraction):
    if not 0 < test_fraction < 1:
        raise ValueError(
            f"`test_fraction` must be between 0 and 1, found {test_fraction!r}."
        )
    num_test = round(num_rows * test_fraction)
    if not 0 < num_test < num_rows:
        raise ValueError(
            f"`test_fraction={test_fraction}` of {num_rows} rows gives "
            f"{num_test} test and {num_rows - num_test} training rows, but "
            "each part needs at least one. Change the fraction, or pass a file "
            "with more rows."
        )
    return num_test
