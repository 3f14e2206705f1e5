"""Arguments of a weighting that can change without another graph."""

from __future__ import annotations

from mtl_keras.weighting.arguments import check_number


class Adjustable:
    """A number of a `Weighting` that may change from step to step.

    A class attribute, as a property is. Assigning to it checks the number and
    changes the next training step without retracing it; reading it gives a
    float. What a hook computes with is `self.number(name)`, a tensor.

    Args:
        **bounds: Bounds of the number, see `check_number`.

    Example:

    >>> weighting = mtl_keras.weighting.DWA(temperature=2.0)
    >>> weighting.build(["left", "right"])
    >>> weighting.temperature = 3.0
    >>> weighting.temperature
    3.0
    """

    def __init__(self, **bounds: float):
        self.bounds = bounds

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, weighting, owner: type | None = None):
        if weighting is None:
            return self
        number = weighting._numbers[self.name]
        return number if isinstance(number, float) else float(number.numpy())

    def __set__(self, weighting, value: float) -> None:
        value = check_number(self.name, value, **self.bounds)
        number = weighting._numbers.get(self.name)
        if number is None or isinstance(number, float):
            weighting._numbers[self.name] = value
        else:
            number.assign(value)
