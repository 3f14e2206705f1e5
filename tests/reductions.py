"""The numbers that a training step sums, by docs/scaling.md."""

from collections.abc import Sequence

# Ways to compute an update; methods of losses use "plain".
WAYS = ("plain", "parameters", "features")


def reductions(
    way: str,
    tasks: int,
    shared: int,
    own: int,
    *,
    terms: int | None = None,
    penalized: int = 0,
    channels: Sequence[int] = (),
    looks_again: bool = False,
) -> list[int]:
    """Returns the sizes of the sums over replicas in one step.

    Args:
        way: One of `WAYS`. Jacobian methods use "parameters".
        tasks: Number of tasks, K.
        shared: Number of shared parameters, S, that all tasks reach.
        own: Number of parameters of all heads together, H.
        terms: Terms of all losses, each with a number of labels. Defaults to
            one for each task.
        penalized: Number of parameters with regularization, for gradient
            methods.
        channels: Channels of each synchronized batch normalization.
        looks_again: Whether the method reads the losses after the step.

    Returns:
        The number of values that each sum takes from a replica, largest first.
    """
    counts = tasks if terms is None else terms
    sums = {
        "plain": [tasks, shared + own],
        "parameters": [tasks + tasks * shared + own + penalized],
        "features": [tasks + tasks**2 + own + penalized, shared],
    }[way]
    sums.append(counts)
    if looks_again:
        sums += [counts, tasks]
    passes = tasks if way == "parameters" else 1
    for size in channels:
        # Sums, squares and counts: forwards, and again in each pass backwards.
        sums += [size] * 3 * (1 + passes)
    return sorted(sums, reverse=True)


def ring_bytes(size: float, replicas: int) -> float:
    """Returns the bytes that a replica sends in a ring all-reduce.

    Args:
        size: Bytes of the sum.
        replicas: Number of replicas.
    """
    return 2 * (replicas - 1) / replicas * size
