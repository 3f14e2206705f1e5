"""Folds are a number, pairs of indices or a splitter of scikit-learn."""

import numpy as np
import pytest
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    ShuffleSplit,
    StratifiedKFold,
)

from mtl_keras.tuning.fold_indices import describe_folds, read_folds


def test_each_sample_is_held_out_once_by_a_number_of_folds():
    pairs = read_folds(np.int64(3), 10, seed=0)
    held_out = np.concatenate([rows for _, rows in pairs])
    assert sorted(held_out) == list(range(10))
    for rows, others in pairs:
        assert sorted([*rows, *others]) == list(range(10))


def test_groups_and_strata_of_scikit_learn_are_kept():
    groups = np.repeat([0, 1, 2], 4)
    labels = np.tile([0, 1], 6)
    x = np.zeros((12, 1))
    for rows, held_out in read_folds(
        GroupKFold(3).split(x, groups=groups), 12, seed=0
    ):
        assert not set(groups[rows]) & set(groups[held_out])
    for _, held_out in read_folds(
        list(StratifiedKFold(3).split(x, labels)), 12, seed=0
    ):
        assert np.bincount(labels[held_out]).tolist() == [2, 2]


def test_a_splitter_without_labels_is_called():
    found = read_folds(KFold(3), 6, seed=0)
    assert [rows.tolist() for _, rows in found] == [[0, 1], [2, 3], [4, 5]]
    assert len(read_folds(ShuffleSplit(2, random_state=0), 6, seed=0)) == 2


@pytest.mark.parametrize(
    ("folds", "error", "message"),
    [
        (StratifiedKFold(2), TypeError, "with the labels of one task"),
        (GroupKFold(2), TypeError, "with the labels of one task"),
        (1, ValueError, "expected 2 to 6"),
        ([], ValueError, "folds is empty"),
        (2.5, TypeError, "a splitter of scikit-learn"),
        ([3], TypeError, "item 0 is 3"),
        ([([0, 1], [])], ValueError, "pair 0 has no validation"),
        ([([0, 1], [1, 2])], ValueError, "both parts, such as sample 1"),
        ([([0], [6])], ValueError, "from 6 to 6; expected 0 to 5"),
        ([([0], [-1])], ValueError, "from -1 to -1"),
        ([([0.0], [1])], TypeError, "one axis of integers"),
        ([([True], [False])], TypeError, "flatnonzero"),
    ],
)
def test_bad_folds_are_refused(folds, error, message):
    with pytest.raises(error, match=message):
        read_folds(folds, 6, seed=0)


def test_descriptions_differ_with_the_indices():
    assert describe_folds(None) is None
    assert describe_folds(np.int64(3)) == 3
    first, again, other = (
        describe_folds(read_folds([([0, 1], [2]), pair], 6, seed=0))
        for pair in (([0], [1]), ([0], [1]), ([0], [2]))
    )
    assert first == again != other
    assert first.startswith("2 index pairs")
