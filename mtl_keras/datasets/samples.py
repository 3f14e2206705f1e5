"""Samples: the inputs and, by task, the targets that belong to them."""

import numpy as np

Samples = tuple[np.ndarray, dict[str, np.ndarray]]
Targets = dict[str, np.ndarray]


def select(x: np.ndarray, y: Targets, chosen: np.ndarray) -> Samples:
    """Takes some samples, inputs and targets together.

    Args:
        x: Array of shape `(n, ...)`, the inputs.
        y: Dict of arrays of shape `(n, ...)`, the targets.
        chosen: Integer array of indices, or boolean array of shape `(n,)`.

    Returns:
        The pair `(x, y)` of the chosen samples.
    """
    return x[chosen], {name: values[chosen] for name, values in y.items()}
