"""Types of samples: inputs, and a dict of targets by task."""

import numpy as np

Samples = tuple[np.ndarray, dict[str, np.ndarray]]
ColumnSamples = tuple[dict[str, np.ndarray], dict[str, np.ndarray]]
Targets = dict[str, np.ndarray]


def count_samples(x: np.ndarray | dict[str, np.ndarray]) -> int:
    """Returns the number of samples.

    Args:
        x: Array of shape `(n, ...)`, or a dict of arrays.

    Returns:
        The number `n`.
    """
    return len(next(iter(x.values())) if isinstance(x, dict) else x)


def select(
    x: np.ndarray | dict[str, np.ndarray], y: Targets, chosen: np.ndarray
) -> Samples | ColumnSamples:
    """Selects samples.

    Args:
        x: Array of shape `(n, ...)`, the inputs, or a dict of arrays.
        y: Dict of arrays of shape `(n, ...)`, the targets.
        chosen: Integer array of indices, or boolean array of shape `(n,)`.

    Returns:
        `(x, y)` of the chosen samples.
    """
    if isinstance(x, dict):
        x = {name: values[chosen] for name, values in x.items()}
    else:
        x = x[chosen]
    return x, {name: values[chosen] for name, values in y.items()}
