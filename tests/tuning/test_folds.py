"""Folds: every sample is validated on once."""

import numpy as np
import pytest
import tensorflow as tf
from tuning_problem import samples

from mtl_keras.tuning.folds import parts_of


def test_folds_part_the_samples(rng):
    x, y = samples(23)
    weights = rng.uniform(size=23)
    parts = parts_of((x, y, weights), None, 4, seed=0)
    assert len(parts) == 4
    held_out = np.concatenate([part.validation[0] for part in parts])
    assert sorted(map(tuple, held_out)) == sorted(map(tuple, x))
    for part in parts:
        rows = [
            np.flatnonzero((x == row).all(axis=1))[0] for row in part.train[0]
        ]
        assert len(part.train[0]) + len(part.validation[0]) == 23
        np.testing.assert_array_equal(part.train[1]["left"], y["left"][rows])
        np.testing.assert_array_equal(part.train[2], weights[rows])


def test_folds_follow_from_the_seed():
    first, again, other = (
        parts_of(samples(), None, 3, seed=seed)[0].train[0]
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_bad_parts_are_refused():
    data = samples()
    with pytest.raises(ValueError, match="validation is missing"):
        parts_of(data, None, None, 0)
    with pytest.raises(ValueError, match="Leave one of the two out"):
        parts_of(data, data, 3, 0)
    with pytest.raises(ValueError, match="2 to 48"):
        parts_of(data, None, 49, 0)
    with pytest.raises(TypeError, match="needs arrays"):
        parts_of(tf.data.Dataset.from_tensors(data), None, 3, 0)
