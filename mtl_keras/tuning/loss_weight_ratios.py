"""Loss weights from what a search says of each task."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

PREFIX = "loss_weight/"
KINDS = ("ratios", "plain")


def from_ratios(
    ratios: Mapping[str, float], own: Mapping[str, float]
) -> dict[str, float]:
    """Makes loss weights that sum to the number of tasks from their ratios.

    K tasks have K - 1 ratios to search, and the sum of the weights stays the
    same, so that the learning rate keeps its meaning.

    Args:
        ratios: Weight over that of the first task, by task; the first is left
            out.
        own: The tasks' own weights, by task, in order. They say the ratio of a
            task that `ratios` leaves out.

    Returns:
        Weights by task.

    Example:

    >>> from mtl_keras.tuning.loss_weight_ratios import from_ratios
    >>> from_ratios({"segmentation": 3.0}, {"digit": 1.0, "segmentation": 1.0})
    {'digit': 0.5, 'segmentation': 1.5}
    """
    first = next(iter(own))
    scale = own[first] or 1.0
    full = {
        task: float(ratios.get(task, 1.0 if task == first else weight / scale))
        for task, weight in own.items()
    }
    total = math.fsum(full.values())
    return {task: len(full) * ratio / total for task, ratio in full.items()}


def check_weights(
    dimensions: Mapping[str, object], tasks: Sequence[str], kind: str
) -> None:
    """Raises a `ValueError` unless weights can be made in every trial.

    Args:
        dimensions: What the space says, by task.
        tasks: Names of all tasks, in order.
        kind: `"ratios"` or `"plain"`.
    """
    if kind == "ratios" and tasks[0] in dimensions:
        raise ValueError(
            f"{PREFIX}{tasks[0]}: the weights are searched as ratios to that "
            f"of the first task, {tasks[0]!r}, which is 1. Leave it out, or "
            "pass loss_weights='plain'."
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
                f"The weights of all tasks, {list(tasks)}, are 0, and cannot "
                "be a sum to train on. Give one a weight above 0."
            )
        if not any(lowest):
            raise ValueError(
                f"The weights of all tasks, {list(tasks)}, can be 0 in the "
                "same trial, and nothing would be learned. Keep one above 0."
            )
