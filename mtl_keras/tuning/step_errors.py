"""Creates the error for a range with a step."""

from __future__ import annotations

import math

_MOST_LISTED = 12


def is_number(value) -> bool:
    """Checks for a number that is not a bool.

    Args:
        value: Any value.
    """
    return isinstance(value, int | float) and not isinstance(value, bool)


def stepped_range(name: str, given, low, high, step) -> ValueError:
    """Creates the error for a range with a step.

    Args:
        name: Name of the hyperparameter.
        given: The value that the user wrote.
        low: Lower bound.
        high: Upper bound.
        step: The step.
    """
    text = f"{name}: {given!r} has a step, but a range of a space has none."
    numbers = (low, high, step)
    if not all(map(is_number, numbers)) or not (
        math.isfinite(low + high + step) and step > 0 and low <= high
    ):
        return ValueError(f"{text} Write the choices as a list.")
    if isinstance(low, int) and isinstance(step, int):
        end = math.floor(high) + 1
        values = range(low, end, step)
        found = f"range({low}, {end}, {step})"
        if len(values) <= _MOST_LISTED:
            found = f"{list(values)}, or {found}"
        return ValueError(f"{text} Write the choices: {found}.")
    count = math.floor((high - low) / step + 1e-9) + 1
    last = float(f"{low + step * (count - 1):.12g}")
    if count <= _MOST_LISTED:
        values = [float(f"{low + step * at:.12g}") for at in range(count)]
        return ValueError(f"{text} Write the choices: {values}.")
    return ValueError(
        f"{text} Write the choices: np.linspace({low}, {last}, {count})."
    )
