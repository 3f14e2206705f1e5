"""Tests batches of similar length."""

import itertools

import numpy as np
import pytest

from mtl_keras.datasets.reading.length_order import order_by_length


def epochs(lengths, batch_size, seed, count=1):
    dataset = order_by_length(np.array(lengths), batch_size, seed)
    assert len(dataset) == -(-len(lengths) // batch_size)
    return [list(map(tuple, dataset.as_numpy_iterator())) for _ in range(count)]


@pytest.mark.parametrize("batch_size", [1, 3, 8, 40, 64])
def test_each_epoch_has_each_sample_once(rng, batch_size):
    lengths = rng.integers(1, 30, size=40)
    for batches in epochs(lengths, batch_size, seed=4, count=3):
        assert sorted(sum(batches, ())) == list(range(40))
        *full, last = batches
        assert {len(one) for one in full} <= {batch_size}
        assert len(last) == (40 % batch_size or batch_size)


def test_full_batches_have_similar_lengths(rng):
    lengths = rng.integers(1, 30, size=43)
    (batches,) = epochs(lengths, 4, seed=0)
    spans = sorted(
        (min(lengths[i] for i in one), max(lengths[i] for i in one))
        for one in batches[:-1]
    )
    # They part the lengths: none reaches into another one.
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(spans))


def test_epochs_differ_and_seeds_reproduce_them(rng):
    lengths = rng.integers(1, 6, size=50)
    first, second = epochs(lengths, 8, seed=1, count=2)
    assert {frozenset(one) for one in first} != {frozenset(o) for o in second}
    assert epochs(lengths, 8, seed=1, count=2) == [first, second]
    assert epochs(lengths, 8, seed=2) != [first]


def test_lengths_have_no_fixed_position(rng):
    """Neither the longest come last, nor does their batch stay small."""
    lengths = np.arange(22)
    found = epochs(lengths, 4, seed=0, count=40)
    places = {next(i for i, one in enumerate(e) if 21 in one) for e in found}
    assert places == set(range(6))
    assert len({one[-1] for one in found}) > 30
