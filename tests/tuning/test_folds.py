"""Folds: every sample is used for validation once."""

import numpy as np
import pytest
import tensorflow as tf
from tuning_problem import samples, search_small

from mtl_keras.tuning import trial_runner
from mtl_keras.tuning.folds import split_parts


def test_folds_part_the_samples(rng):
    x, y = samples(23)
    weights = rng.uniform(size=23)
    parts = split_parts((x, y, weights), None, 4, seed=0)
    assert len(parts) == 4
    held_out = np.concatenate([part.validation[0] for part in parts])
    assert sorted(map(tuple, held_out)) == sorted(map(tuple, x))
    for part in parts:
        rows = [
            np.flatnonzero((x == row).all(axis=1))[0] for row in part.train[0]
        ]
        assert len(part.train[0]) + len(part.validation[0]) == 23
        np.testing.assert_array_equal(part.train[1]["left"], y["left"][rows])
        np.testing.assert_allclose(part.train[2], weights[rows], rtol=1e-6)


def test_the_last_samples_are_split_off_as_keras_does():
    x, y = samples(10)
    (part,) = split_parts((x, y), None, validation_split=0.25)
    np.testing.assert_array_equal(part.train[0], x[:7])
    np.testing.assert_array_equal(part.validation[0], x[7:])
    np.testing.assert_array_equal(part.validation[1]["left"], y["left"][7:])


@pytest.mark.parametrize("fraction", [1.0, -0.5, 0.99, True])
def test_bad_splits_are_refused(fraction):
    with pytest.raises(ValueError, match=r"validation_split=.*10 samples"):
        split_parts(samples(10), None, validation_split=fraction)


def test_index_pairs_select_the_samples():
    x, y = samples(6)
    pairs = [([0, 2, 4], [1, 3]), ([1, 5], [0])]
    parts = split_parts((x, y), None, pairs)
    for part, (rows, held_out) in zip(parts, pairs, strict=True):
        np.testing.assert_array_equal(part.train[0], x[rows])
        np.testing.assert_array_equal(part.validation[0], x[held_out])
        np.testing.assert_array_equal(
            part.validation[1]["right"], y["right"][held_out]
        )


def test_folds_follow_from_the_seed():
    first, again, other = (
        split_parts(samples(), None, 3, seed=seed)[0].train[0]
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


class OnDisk:
    """An array that counts how often it is read, like one of HDF5."""

    def __init__(self, array):
        self.array, self.reads = array, 0
        self.shape, self.dtype = array.shape, array.dtype

    def __len__(self):
        return len(self.array)

    def __array__(self, dtype=None, copy=None):
        self.reads += 1
        return np.asarray(self.array, dtype)


@pytest.mark.slow
def test_a_search_reads_and_converts_its_data_once(tmp_path, monkeypatch):
    x, y = samples()
    held = {
        "x": OnDisk(x.astype("float64")),
        "left": OnDisk(y["left"]),
        "right": OnDisk(y["right"]),
    }
    labels = {task: held[task] for task in y}
    trained = []
    fit = trial_runner.fit_model

    def noted(model, part, *arguments, **more):
        trained.append(part.train[0])
        return fit(model, part, *arguments, **more)

    monkeypatch.setattr(trial_runner, "fit_model", noted)
    study = search_small(
        tmp_path, train=(held["x"], labels), validation=(held["x"], labels)
    )
    assert len(study.trials) == 3
    # For training and for validation.
    assert {name: each.reads for name, each in held.items()} == dict.fromkeys(
        held, 2
    )
    assert trained[0].dtype == "float32"
    assert all(each is trained[0] for each in trained)
    expected = search_small(tmp_path, name="plain", validation=(x, y))
    assert [t.metrics for t in study.trials] == [
        t.metrics for t in expected.trials
    ]


def test_tensors_and_streams_stay_as_they_are():
    x, y = samples()
    tensor, stream = tf.constant(x), tf.data.Dataset.from_tensors((x, y))
    (part,) = split_parts((tensor, y), stream, None, seed=0)
    assert part.train[0] is tensor
    assert part.validation is stream


def test_bad_parts_are_refused():
    data = samples()
    with pytest.raises(ValueError, match="validation is missing"):
        split_parts(data, None, None, 0)
    with pytest.raises(ValueError, match="Leave one of the two out"):
        split_parts(data, data, 3, 0)
    with pytest.raises(ValueError, match="Both validation_split and folds"):
        split_parts(data, None, 3, 0, 0.5)
    with pytest.raises(ValueError, match="2 to 48"):
        split_parts(data, None, 49, 0)
    with pytest.raises(TypeError, match="needs arrays"):
        split_parts(tf.data.Dataset.from_tensors(data), None, 3, 0)
    with pytest.raises(TypeError, match="validation_split needs arrays"):
        split_parts(tf.data.Dataset.from_tensors(data), None, None, 0, 0.5)
