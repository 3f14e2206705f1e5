"""Refuses ranges with a step, and names the list to write instead."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mtl_keras.tuning.dimensions import Fixed
from mtl_keras.tuning.factory_parameters import get_parameters
from mtl_keras.tuning.loss_weight_ratios import PREFIX
from mtl_keras.tuning.step_errors import is_number, stepped_range

_NUMBERS = {"batch_size", "learning_rate"}
_ANNOTATIONS = {
    kind + optional for kind in ("int", "float") for optional in ("", " | None")
}


def check_steps(factory: Callable, dimensions: Mapping) -> None:
    """Refuses `(low, high, step)` for arguments that take a number.

    For other arguments, such as `hidden_units`, it is a fixed value.

    Args:
        factory: The factory.
        dimensions: Dict from name to dimension.

    Raises:
        ValueError: If a dimension has a step.
    """
    parameters, _ = get_parameters(factory)
    for name, dimension in dimensions.items():
        content = getattr(dimension, "content", None)
        if (
            isinstance(dimension, Fixed)
            and is_stepped(content)
            and _takes_number(name, parameters)
        ):
            raise stepped_range(name, content, *content)


def is_stepped(value) -> bool:
    """Checks for a tuple of three numbers, such as `(8, 64, 8)`.

    Args:
        value: The value of a space.
    """
    return (
        isinstance(value, tuple)
        and len(value) == 3
        and all(map(is_number, value))
    )


def _takes_number(name: str, parameters: Mapping) -> bool:
    if name in _NUMBERS or name.startswith(PREFIX):
        return True
    parameter = parameters.get(name)
    if parameter is None:
        return False
    annotation = parameter.annotation
    text = getattr(annotation, "__name__", str(annotation))
    return is_number(parameter.default) or text in _ANNOTATIONS
