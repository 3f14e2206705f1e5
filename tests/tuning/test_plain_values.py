"""Values of NumPy in a space become those of Python."""

import numpy as np
import pytest

from mtl_keras.tuning.plain_values import to_plain


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (np.int64(4), 4),
        (np.float64(0.5), 0.5),
        (np.bool_(True), True),
        (np.array([8, 16]), [8, 16]),
        (range(8, 25, 8), [8, 16, 24]),
        ((np.int64(4), np.int64(16), "log"), (4, 16, "log")),
        ([np.array([8, 8]), (np.int32(16),)], [[8, 8], (16,)]),
        ({"low": np.int64(1)}, {"low": 1}),
        ("dwa", "dwa"),
        (None, None),
    ],
)
def test_values_become_plain(given, expected):
    found = to_plain(given)
    assert found == expected
    assert repr(found) == repr(expected)


def test_other_objects_are_returned_unchanged():
    given = object()
    assert to_plain(given) is given
