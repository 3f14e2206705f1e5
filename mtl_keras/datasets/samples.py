"""Samples: the inputs and, by task, the targets that belong to them."""

import numpy as np

Samples = tuple[np.ndarray, dict[str, np.ndarray]]
ColumnSamples = tuple[dict[str, np.ndarray], dict[str, np.ndarray]]
Targets = dict[str, np.ndarray]


def count_samples(x: np.ndarray | dict[str, np.ndarray]) -> int:
    """Counts samples.

    Args:
        x: Array of shape `(n, ...)`, or a dict of them.

    Returns:
        The number n.
    """
    return len(next(iter(x.values())) if isinstance(x, dict) else x)


def select(
    x: np.ndarray | dict[str, np.ndarray], y: Targets, chosen: np.ndarray
) -> Samples | ColumnSamples:
    """Takes some samples, inputs and targets together.

    Args:
        x: Array of shape `(n, ...)`, the inputs, or a dict of them.
        y: Dict of arrays of shape `(n, ...)`, the targets.
        chosen: Integer array of indices, or boolean array of shape `(n,)`.

    Returns:
        The pair `(x, y)` of the chosen samples.
    """
    if isinstance(x, dict):
        x = {name: values[chosen] for name, values in x.items()}
    else:
        x = x[chosen]
    return x, {name: values[chosen] for name, values in y.items()}
