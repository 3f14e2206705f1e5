"""Checks the arguments of weightings."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Mapping

from mtl_keras.spelling import did_you_mean


def check_number(
    argument: str,
    value,
    *,
    min_value: float | None = None,
    greater_than: float | None = None,
    max_value: float | None = None,
    less_than: float | None = None,
) -> float:
    """Checks that an argument is a finite number within bounds.

    Args:
        argument: Name of the argument, for the error.
        value: The value that the user passed.
        min_value: Smallest allowed value.
        greater_than: Exclusive lower bound.
        max_value: Largest allowed value.
        less_than: Exclusive upper bound.

    Returns:
        The number, as a float.

    Raises:
        TypeError: If the value is not a number.
        ValueError: If the value is not finite or out of bounds.
    """
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        raise TypeError(f"{argument}={value!r} is not a number.")
    number = float(value)
    bounds = [
        (min_value, f" of {min_value} or more", operator.ge),
        (greater_than, f" greater than {greater_than}", operator.gt),
        (max_value, f" of {max_value} or less", operator.le),
        (less_than, f" less than {less_than}", operator.lt),
    ]
    bounds = [bound for bound in bounds if bound[0] is not None]
    if math.isfinite(number) and all(
        holds(number, limit) for limit, _, holds in bounds
    ):
        return number
    words = " and".join(words for _, words, _ in bounds)
    raise ValueError(f"{argument}={value!r}; expected a finite number{words}.")


def check_integer(argument: str, value, *, min_value: int) -> int:
    """Checks that an argument is an integer of a minimum value.

    Args:
        argument: Name of the argument, for the error.
        value: The value that the user passed.
        min_value: Smallest allowed value.

    Returns:
        The integer.

    Raises:
        TypeError: If the value is not an integer.
        ValueError: If the value is too small.
    """
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{argument}={value!r} is not an integer.")
    if value < min_value:
        raise ValueError(f"{argument}={value!r}; expected {min_value} or more.")
    return int(value)


def check_task_numbers(argument: str, values, **bounds) -> dict[str, float]:
    """Checks that an argument is a dict from task name to number.

    Args:
        argument: Name of the argument, for the error.
        values: The value that the user passed.
        **bounds: Bounds of the values, see `check_number`.

    Returns:
        The numbers as floats, by task name.

    Raises:
        TypeError: If it is not a dict, or a value is not a number.
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


def check_task_names(
    argument: str, named: Iterable[str], tasks: Iterable[str]
) -> None:
    """Checks that an argument names only tasks of the model.

    Args:
        argument: Name of the argument, for the error.
        named: Task names that the user passed.
        tasks: Names of the model's tasks.

    Raises:
        ValueError: If the model has no task of that name.
    """
    tasks = list(tasks)
    for name in named:
        if name not in tasks:
            raise ValueError(
                f"{argument} names {name!r}, but the model has no such task. "
                f"{did_you_mean(name, tasks)}"
            )
