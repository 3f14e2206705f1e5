"""Reads the result that a custom `HyperModel.fit` returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mtl_keras.tuning.objective import Objective

_VALIDATION = "val_"


def read_result(
    returned: Mapping | float, objectives: Sequence[Objective]
) -> dict[str, float]:
    """Reads the numbers that `HyperModel.fit` may return in KerasTuner.

    Args:
        returned: Dict from name, with or without `val_`, to number; or one
            number, the value of the only objective.
        objectives: The objectives of the search.

    Returns:
        The logs of one epoch, with the prefix `val_`.

    Raises:
        TypeError: If `returned` has another type.
        ValueError: If `returned` is one number and there are several
            objectives.

    Example:

    >>> from mtl_keras.tuning.objective import Objective
    >>> from mtl_keras.tuning.trial_result import read_result
    >>> read_result(0.5, [Objective("left_loss", "min")])
    {'val_left_loss': 0.5}
    """
    names = [objective.name for objective in objectives]
    if isinstance(returned, int | float):
        if len(names) > 1:
            raise ValueError(
                f"HyperModel.fit returned {returned!r}, but there are several "
                f"objectives, {names}. Return a dict with a number for each."
            )
        returned = {names[0]: returned}
    if not isinstance(returned, Mapping):
        raise TypeError(
            f"HyperModel.fit returned {returned!r} of type "
            f"{type(returned).__name__}; expected a History, a number or a "
            "dict of numbers. Average several trainings in fit, or pass "
            "executions_per_trial to the search."
        )
    return {
        f"{_VALIDATION}{name.removeprefix(_VALIDATION)}": float(value)
        for name, value in returned.items()
    }
