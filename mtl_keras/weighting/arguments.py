"""Checks of the arguments that weightings take."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Mapping

from mtl_keras.spelling import did_you_mean


def check_number(
    argument: str,
    value,
    *,
    least: float | None = None,
    above: float | None = None,
    most: float | None = None,
    below: float | None = None,
) -> float:
    """Checks that an argument is a finite number within bounds.

    Args:
        argument: Name of the argument, for the error.
        value: What the user passed.
        least: Smallest value that is allowed.
        above: Bound that the value must be greater than.
        most: Largest value that is allowed.
        below: Bound that the value must be less than.

    Returns:
        The number, as a float.

    Raises:
        TypeError: If it is no number.
        ValueError: If it is not finite or out of bounds.
    """
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        raise TypeError(f"{argument}={value!r} is not a number.")
    number = float(value)
    bounds = [
        (least, f" of {least} or more", operator.ge),
        (above, f" greater than {above}", operator.gt),
        (most, f" of {most} or less", operator.le),
        (below, f" less than {below}", operator.lt),
    ]
    bounds = [bound for bound in bounds if bound[0] is not None]
    if math.isfinite(number) and all(
        holds(number, limit) for limit, _, holds in bounds
    ):
        return number
    words = " and".join(words for _, words, _ in bounds)
    raise ValueError(f"{argument}={value!r}; expected a finite number{words}.")


def check_integer(argument: str, value, *, least: int) -> int:
    """Checks that an argument is an integer that is large enough.

    Args:
        argument: Name of the argument, for the error.
        value: What the user passed.
        least: Smallest value that is allowed.

    Returns:
        The integer.

    Raises:
        TypeError: If it is no integer.
        ValueError: If it is too small.
    """
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{argument}={value!r} is not an integer.")
    if value < least:
        raise ValueError(f"{argument}={value!r}; expected {least} or more.")
    return int(value)


def check_by_task(argument: str, values, **bounds) -> dict[str, float]:
    """Checks that an argument is a dict from task name to number.

    Args:
        argument: Name of the argument, for the error.
        values: What the user passed.
        **bounds: Bounds of the values, see `check_number`.

    Returns:
        The numbers as floats, by task name.

    Raises:
        TypeError: If it is no dict, or a value is no number.
        ValueError: If a value is not finite or out of bounds.
    """
    if not isinstance(values, Mapping):
        raise TypeError(
            f"{argument}={values!r}; expected a dict from task name to number, "
            "such as {'left': 1.0, 'right': 2.0}."
        )
    return {
        task: check_number(f"{argument}[{task!r}]", value, **bounds)
        for task, value in values.items()
    }


def check_known_tasks(
    argument: str, named: Iterable[str], tasks: Iterable[str]
) -> None:
    """Checks that an argument names tasks of the model only.

    Args:
        argument: Name of the argument, for the error.
        named: Task names that the user passed.
        tasks: Names of the tasks of the model.

    Raises:
        ValueError: If a name is none of the model's.
    """
    tasks = list(tasks)
    for name in named:
        if name not in tasks:
            raise ValueError(
                f"{argument} names {name!r}, which is no task of the model. "
                f"{did_you_mean(name, tasks)}"
            )
