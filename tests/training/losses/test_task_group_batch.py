"""Batches of task groups: merging, splitting and order."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from mtl_keras.tasks import Classification, Regression
from mtl_keras.training.losses.task_group_batch import (
    concat_tasks,
    merge,
    merge_outputs,
    split_batch,
    unmerge,
)


@pytest.mark.parametrize("shape", [(5,), (5, 1), (5, 3)])
@pytest.mark.parametrize("count", [1, 2, 4])
def test_unmerge_inverts_merge(shape, count, rng):
    tensors = [rng.normal(size=shape).astype("float32") for _ in range(count)]
    merged = merge(tensors)
    assert merged.shape == (5 * count, *shape[1:])
    for index, (row, task) in enumerate(
        itertools.product(range(5), range(count))
    ):
        np.testing.assert_array_equal(merged[index], tensors[task][row])
    for found, expected in zip(unmerge(merged, count), tensors, strict=True):
        np.testing.assert_array_equal(found, expected)
    assert unmerge(None, count) == [None] * count


def test_merged_outputs_keep_their_logits(rng):
    logits = [tf.constant(rng.normal(size=(4, 3))) for _ in range(2)]
    outputs = [tf.nn.softmax(each) for each in logits]
    for output, of_task in zip(outputs, logits, strict=True):
        output._keras_logits = of_task
    merged = merge_outputs(outputs)
    np.testing.assert_array_equal(merged._keras_logits, merge(logits))


def test_tasks_concatenate_in_any_order():
    values = {("a", "b"): tf.constant([1.0, 2.0]), ("c",): tf.constant([3.0])}
    numbers = {"a": 1.0, "b": 2.0, "c": 3.0}
    for length in (1, 2, 3):
        for names in itertools.permutations("abc", length):
            expected = [numbers[name] for name in names]
            np.testing.assert_array_equal(concat_tasks(values, names), expected)


def split(y, y_pred, weights=None, class_weights=None, complete=False):
    """Splits a batch of two equal classifications and a regression."""
    tasks = [Classification("a", 3), Classification("b", 3), Regression("c")]
    given = {task.name: None for task in tasks} | (weights or {})
    return split_batch(
        [(("a", "b"), tasks[0]), (("c",), tasks[2])],
        y,
        y_pred,
        given,
        class_weights or {},
        complete=complete,
    )


@pytest.fixture
def batch(rng):
    """Returns targets with holes, and predictions."""
    y = {
        "a": np.array([0, -1, 2, 1]),
        "b": np.array([1, 2, -1, 0]),
        "c": np.array([0.5, np.nan, 1.0, 2.0], "float32"),
    }
    y_pred = {
        name: tf.constant(rng.uniform(size=(4, units)), "float32")
        for name, units in (("a", 3), ("b", 3), ("c", 1))
    }
    return y, y_pred


def test_equal_tasks_stay_together(batch):
    y, y_pred = batch
    together, alone = split(y, y_pred)
    assert together.names == ("a", "b")
    assert alone.names == ("c",)
    assert int(together.num_samples) == int(alone.num_samples) == 4
    by_task = together.by_task() | alone.by_task()
    for name, part in by_task.items():
        values, labelled = part.targets
        missing = np.isnan(y[name]) | (y[name] == -1)
        np.testing.assert_array_equal(np.ravel(labelled), ~missing)
        filled = np.where(missing, 0, y[name])
        np.testing.assert_array_equal(np.ravel(values), filled)
        np.testing.assert_array_equal(part.y_pred, y_pred[name])


@pytest.mark.parametrize("change", ["one_hot", "dtype", "weights"])
def test_tasks_with_other_formats_are_split(change, batch):
    y, y_pred = batch
    weights = {}
    if change == "one_hot":
        y["b"] = np.eye(3, dtype="int64")[y["b"]]
    elif change == "dtype":
        y["b"] = y["b"].astype("float32")
    else:
        weights["b"] = np.ones(4, "float32")
    names = [part.names for part in split(y, y_pred, weights)]
    assert names == [("a",), ("b",), ("c",)]


def test_class_weights_are_those_of_each_task(batch):
    y, y_pred = batch
    tables = {"b": np.array([1.0, 2.0, 3.0], "float32")}
    ones = np.full(4, 2.0, "float32")
    together, alone = split(y, y_pred, {"a": ones, "b": ones}, tables)
    found = together.by_task()
    np.testing.assert_array_equal(found["a"].weights, [2, 2, 2, 2])
    np.testing.assert_array_equal(found["b"].weights, [4, 6, 2, 2])
    np.testing.assert_array_equal(found["b"].sample_weight, [2, 2, 2, 2])
    assert alone.weights is None
