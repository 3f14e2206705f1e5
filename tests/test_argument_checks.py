"""Checks of arguments that all packages share."""

import numpy as np
import pytest

from mtl_keras.argument_checks import check_integer, is_integer


@pytest.mark.parametrize("value", [0, -3, np.int64(2), np.uint8(1)])
def test_integers(value):
    assert is_integer(value)
    number = check_integer("count", value, minimum=-3)
    assert number == value
    assert type(number) is int


@pytest.mark.parametrize(
    "value", [True, np.True_, 2.0, np.float32(1), "3", None, [1], np.ones(2)]
)
def test_other_values_are_no_integers(value):
    assert not is_integer(value)
    with pytest.raises(TypeError, match=r"^count: .* is not an integer"):
        check_integer("count", value, minimum=1)


def test_integers_below_the_minimum():
    assert check_integer("count", 1, minimum=1) == 1
    with pytest.raises(
        ValueError, match=r"^count: found 0, expected 1 or more"
    ):
        check_integer("count", 0, minimum=1)
