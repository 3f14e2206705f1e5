"""Tests random splits of samples and of groups."""

import numpy as np
import pytest

from mtl_keras.datasets.reading.partition import partition


def parts_of(num_samples, validation=0.1, test=0.2, seed=0, groups=None):
    return partition(
        num_samples,
        validation=validation,
        test=test,
        seed=seed,
        source="'data'",
        groups=groups,
    )


@pytest.mark.parametrize("seed", range(20))
def test_no_group_is_in_two_parts_and_every_sample_in_one(seed):
    rng = np.random.default_rng(seed)
    groups = rng.integers(rng.integers(4, 30), size=200)
    parts = parts_of(200, 0.2, 0.3, seed, groups)
    together = np.concatenate(list(parts.values()))
    assert sorted(together) == list(range(200))
    found = [set(groups[indices]) for indices in parts.values()]
    assert sum(map(len, found)) == len(set(groups))
    assert all(found)


def test_fractions_of_samples_and_of_groups():
    sizes = {name: len(part) for name, part in parts_of(100).items()}
    assert sizes == {"train": 70, "validation": 10, "test": 20}
    groups = np.repeat(np.arange(10), 10)
    parts = parts_of(100, groups=groups)
    assert {name: len(set(groups[p])) for name, p in parts.items()} == {
        "train": 7,
        "validation": 1,
        "test": 2,
    }


def test_the_seed_determines_the_parts():
    for groups in (None, np.arange(50) // 2):
        first, again = parts_of(50, groups=groups), parts_of(50, groups=groups)
        other = parts_of(50, seed=1, groups=groups)
        for name, indices in first.items():
            np.testing.assert_array_equal(indices, again[name])
            np.testing.assert_array_equal(indices, np.sort(indices))
        assert not np.array_equal(first["train"], other["train"])


def test_a_fraction_of_0_makes_no_part():
    assert set(parts_of(9, 0, 0.2)) == {"train", "test"}
    assert set(parts_of(9, 0.2, 0)) == {"train", "validation"}
    assert set(parts_of(9, 0, 0)) == {"train"}


def test_few_samples_still_make_every_part():
    sizes = [len(part) for part in parts_of(3).values()]
    assert sizes == [1, 1, 1]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            (10, 1, 0),
            ValueError,
            "`validation` must be a fraction of at least 0",
        ),
        ((10, 0, -0.1), ValueError, "`test` must be a fraction"),
        ((10, 0.5, 0.5), ValueError, "leave nothing to train on. Their sum"),
        ((10, "all", 0), TypeError, "found 'all', such as 0.1"),
        ((10, True, 0), TypeError, "`validation` must be a fraction"),
        ((2, 0.1, 0.2), ValueError, "of 2 samples in 'data' leave nothing"),
        ((10, 0.1, 0.2, -1), ValueError, "`seed`"),
        ((4, 0.1, 0.2, 0, np.array([1, 1, 2, 2])), ValueError, "of 2 groups"),
    ],
)
def test_invalid_fractions(arguments, error, message):
    with pytest.raises(error, match=message):
        parts_of(*arguments)
