"""Inputs whose differences float32 loses are refused."""

import numpy as np
import pytest

from mtl_keras import datasets
from mtl_keras.datasets.reading.rounding import check_rounding


@pytest.mark.parametrize(
    "values",
    [
        np.random.default_rng(0).normal(size=200) + 1e9,
        1_600_000_000 + np.arange(200),
        (1_600_000_000 + np.arange(200)).astype("int32"),
    ],
)
def test_numbers_far_from_zero_are_refused(values):
    with pytest.raises(ValueError, match=r"^here: float32.*Subtract"):
        check_rounding(values, "here")
    table = np.stack([np.arange(200.0), values], axis=1)
    with pytest.raises(ValueError, match=r"^here, column 1: float32"):
        check_rounding(table, "here")
    centred = values - values.mean()
    check_rounding(centred, "here")


@pytest.mark.parametrize(
    "values",
    [
        np.full(9, 1e12),  # a constant
        np.arange(300),
        np.random.default_rng(0).normal(size=(50, 4, 3)) * 1e30,
        np.array([1.0, np.nan, np.inf]),
        np.zeros((0, 3)),
        np.array([True, False]),
        np.arange(200, dtype="float32") + 1e8,
    ],
)
def test_other_numbers_pass(values):
    check_rounding(values, "here")


def test_npz_files(tmp_path):
    path = tmp_path / "a.npz"
    x = 1.6e9 + np.arange(40.0)[:, None]
    np.savez(path, x=x, y=np.arange(40) % 2)
    with pytest.raises(ValueError, match=r"'x' of .*a\.npz', column 0"):
        datasets.from_npz(path, ["y"])
