"""Tests the concatenation of data sets."""

import numpy as np
from numbered_sets import batches, numbered

from mtl_keras.datasets import concatenate, mix


def test_data_sets_are_concatenated_with_missing_labels():
    sets = {"a": numbered("a", 5), "b": numbered("b", 3)}
    x, y = concatenate(sets)
    np.testing.assert_array_equal(
        x, np.concatenate([sets["a"][0], sets["b"][0]])
    )
    assert y["task_a"].tolist() == [0, 1, 2, 3, 4, -1, -1, -1]
    assert y["task_b"].tolist() == [-1] * 5 + [1000, 1001, 1002]


def test_the_samples_are_those_of_a_stream():
    rng = np.random.default_rng(0)
    x = rng.random((5, 4, 4, 3), "float32")
    sets = {
        "a": (x, {"mask": x[..., :1] > 0.5, "class": np.arange(5)}),
        "b": (x[:2], {"class": np.arange(2), "load": x[:2, 0, 0, 0]}),
    }
    x, y = concatenate(sets)
    stream = mix(sets, "alternate", batch_size=5, shuffle=False)
    parts = batches(stream)
    rows = np.concatenate([part for part, _ in parts])
    np.testing.assert_array_equal(x, rows[:7])
    assert list(y) == ["mask", "class", "load"]
    for task, targets in y.items():
        rows = np.concatenate([part[task] for _, part in parts])
        np.testing.assert_array_equal(targets, rows[:7])
        assert targets.dtype == rows.dtype
