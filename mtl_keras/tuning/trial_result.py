"""What a user's own `HyperModel.fit` returns as the result of a training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mtl_keras.tuning.objective import Objective

_VALIDATION = "val_"


def read_result(
    returned: Mapping | float, objectives: Sequence[Objective]
) -> dict[str, float]:
    """Reads the numbers that KerasTuner takes from `HyperModel.fit`.

    Args:
        returned: A dict from name to number, with or without `val_`, or a
            number, which is the value of the only objective.
        objectives: The objectives of the search.

    Returns:
        The logs of one epoch: names of validation metrics begin with `val_`.

    Raises:
        TypeError: If it is something else.
        ValueError: If it is one number and there are several objectives.

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
                f"HyperModel.fit returned {returned!r}, and the objectives "
                f"are {names}. Return a dict with a number for each."
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
