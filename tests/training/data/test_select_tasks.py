"""Data of some tasks, selected from data of all tasks."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtl_keras.training.data.select_tasks import select_tasks

X = np.arange(4.0)[:, None]
Y = {"a": np.arange(4.0), "b": np.arange(4.0) + 10, "c": None}
WEIGHTS = {"a": np.ones(4), "b": np.zeros(4), "c": np.ones(4)}


def test_of_arrays_the_named_targets_and_weights_stay():
    x, y, weights = select_tasks(X, Y, WEIGHTS, ["c", "a"])
    assert x is X
    assert list(y) == ["a", "c"]
    assert y["a"] is Y["a"] and y["c"] is None
    assert list(weights) == ["a", "c"]
    assert select_tasks(X, Y, X, ["a"])[2] is X


class Batches(keras.utils.PyDataset):
    """One batch, which counts epochs."""

    epochs = 0

    def __getitem__(self, index):
        return X, {k: v for k, v in Y.items() if k != "c"}, X[:, 0]

    @property
    def num_batches(self):
        return 1

    def on_epoch_end(self):
        self.epochs += 1


@pytest.mark.parametrize("kind", ["dataset", "py_dataset", "generator"])
def test_of_streams_each_batch_keeps_them(kind):
    batches = Batches()
    stream = {
        "dataset": lambda: tf.data.Dataset.from_tensors(batches[0]),
        "py_dataset": lambda: batches,
        "generator": lambda: iter([batches[0]]),
    }[kind]()
    found, y, weights = select_tasks(stream, None, None, ["b"])
    assert y is None and weights is None
    if kind == "py_dataset":
        found.on_epoch_end()
        assert batches.epochs == 1 and found.num_batches == 1
        found = [found[0]]
    ((x, y, weight),) = found
    np.testing.assert_array_equal(x, X)
    assert list(y) == ["b"]
    np.testing.assert_array_equal(y["b"], Y["b"])
    np.testing.assert_array_equal(weight, X[:, 0])


def test_other_streams_are_refused():
    with pytest.raises(TypeError, match="x is a list, from which targets"):
        select_tasks([1, 2], None, None, ["a"])
