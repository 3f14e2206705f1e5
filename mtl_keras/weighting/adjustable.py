"""Arguments of a weighting that can change without retracing."""

from __future__ import annotations

from mtl_keras.weighting.arguments import check_number


class Adjustable:
    """An argument of a `Weighting` that may change between steps.

    It is a class attribute, like a property. Assigning to it checks the number
    and changes the next training step without retracing; reading it returns a
    float. Hooks compute with the tensor `self.adjustable_value(name)`.

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
        number = weighting._adjustable_values[self.name]
        return number if isinstance(number, float) else float(number.numpy())

    def __set__(self, weighting, value: float) -> None:
        value = check_number(self.name, value, **self.bounds)
        number = weighting._adjustable_values.get(self.name)
        if number is None or isinstance(number, float):
            weighting._adjustable_values[self.name] = value
        else:
            number.assign(value)
