"""Converts the ratios of a search space to loss weights."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

PREFIX = "loss_weight/"
KINDS = ("ratios", "plain")


def from_ratios(
    ratios: Mapping[str, float], defaults: Mapping[str, float]
) -> dict[str, float]:
    """Computes loss weights that sum to the number of tasks.

    K tasks have K - 1 ratios to search. The sum of the weights is constant, so
    that the learning rate keeps its meaning.

    Args:
        ratios: Dict from task, except for the first one, to the ratio of its
            weight to the first task's.
        defaults: Dict from task, in order, to its default loss weight, which
            gives the ratio of a task that is not in `ratios`.

    Returns:
        Dict from task to loss weight.

    Example:

    >>> from mtl_keras.tuning.loss_weight_ratios import from_ratios
    >>> from_ratios({"segmentation": 3.0}, {"digit": 1.0, "segmentation": 1.0})
    {'digit': 0.5, 'segmentation': 1.5}
    """
    first = next(iter(defaults))
    scale = defaults[first] or 1.0
    full = {
        task: float(ratios.get(task, 1.0 if task == first else weight / scale))
        for task, weight in defaults.items()
    }
    total = math.fsum(full.values())
    return {task: len(full) * ratio / total for task, ratio in full.items()}


def check_weights(
    dimensions: Mapping[str, object], tasks: Sequence[str], kind: str
) -> None:
    """Checks that the loss weights of every trial are valid.

    Args:
        dimensions: Dimensions of the space by task.
        tasks: Names of all tasks, in order.
        kind: `"ratios"` or `"plain"`.

    Raises:
        ValueError: If a weight is negative or not finite, if the first task
            has a ratio, or if all weights can be 0.
    """
    if kind == "ratios" and tasks[0] in dimensions:
        raise ValueError(
            f"{PREFIX}{tasks[0]}: the weights are ratios to the weight of the "
            f"first task, {tasks[0]!r}, which is 1. Leave it out, or pass "
            "loss_weights='plain'."
        )
    highest = {}
    for task, dimension in dimensions.items():
        values = dimension.ends
        for value in values:
            if (
                isinstance(value, bool)
                or not isinstance(value, int | float)
                or not math.isfinite(value)
                or value < 0
            ):
                raise ValueError(
                    f"{PREFIX}{task}: found {value!r}; expected finite numbers "
                    "of 0 or more."
                )
        highest[task] = max(values)
    if kind == "plain" and set(highest) == set(tasks):
        lowest = [min(d.ends) for d in dimensions.values()]
        if not any(highest.values()):
            raise ValueError(
                f"The weights of all tasks, {list(tasks)}, are 0, so nothing "
                "would be learned. Give one task a weight above 0."
            )
        if not any(lowest):
            raise ValueError(
                f"The weights of all tasks, {list(tasks)}, can be 0 in one "
                "trial, so nothing would be learned. Keep one above 0."
            )
