"""Tests pools of data sets in memory: samples, and size of the graph."""

import numpy as np
import pytest
import tensorflow as tf
from numbered_sets import as_stream, batches

from mtl_keras.datasets import mix
from mtl_keras.datasets.mixing import array_pool


def many(count, rng, labels=None):
    """Makes data sets of one task each, or of the tasks in `labels`."""
    sets = {}
    for number in range(count):
        rows = int(rng.integers(2, 9))
        x = np.zeros((rows, 3), "float32")
        x[:, 0], x[:, 1] = number, np.arange(rows)
        tasks = [f"task_{number}"] if labels is None else labels(number)
        numbers = (100 * number + np.arange(rows)).astype("float32")
        sets[f"set_{number}"] = (x, dict.fromkeys(tasks, numbers))
    return sets


def expected(x, tasks, labels):
    """Returns the targets of a batch that follow from its inputs."""
    y = {task: np.full(len(x), np.nan, "float32") for task in tasks}
    for row, (number, place, _) in enumerate(x.astype(int)):
        for task in labels(number):
            y[task][row] = 100 * number + place
    return y


@pytest.mark.parametrize("schedule", ["joint", "proportional"])
def test_every_sample_has_the_labels_of_its_set(rng, schedule):
    # Neighbours share a task, so that a task has several data sets.
    def labels(number):
        return [f"task_{number // 2}", f"other_{number % 3}"]

    sets = many(12, rng, labels)
    tasks = list(dict.fromkeys(t for n in range(12) for t in labels(n)))
    seen = []
    for x, y in batches(mix(sets, schedule, batch_size=24)):
        assert set(y) == set(tasks)
        for task, values in expected(x, tasks, labels).items():
            np.testing.assert_array_equal(y[task], values)
        seen.append(x[:, :2])
    rows = {tuple(row) for row in np.concatenate(seen).tolist()}
    longest = max(len(x) for x, _ in sets.values())
    whole = {
        (number, row)
        for number, (x, _) in enumerate(sets.values())
        for row in range(len(x))
        if schedule == "proportional" or len(x) == longest
    }
    assert whole <= rows


@pytest.mark.slow
def test_streams_between_arrays_keep_their_positions(rng):
    sets = many(6, rng)
    arrays = batches(mix(sets, batch_size=12, shuffle=False))
    for name in ("set_0", "set_3", "set_5"):
        sets[name] = as_stream(sets[name])
    both = batches(mix(sets, batch_size=12, shuffle=False))
    for (x, y), (other_x, other_y) in zip(arrays, both, strict=True):
        np.testing.assert_array_equal(x, other_x)
        for task in y:
            np.testing.assert_array_equal(y[task], other_y[task])


@pytest.mark.parametrize("schedule", ["joint", "uniform"])
def test_large_sets_are_not_pooled_and_give_the_same_batches(
    rng, schedule, monkeypatch
):
    sets = many(5, rng)
    together = batches(mix(sets, schedule, batch_size=15))
    monkeypatch.setattr(array_pool, "MAX_POOL_BYTES", 100)
    apart = batches(mix(sets, schedule, batch_size=15))
    for (x, y), (other_x, other_y) in zip(together, apart, strict=True):
        np.testing.assert_array_equal(x, other_x)
        for task in y:
            np.testing.assert_array_equal(y[task], other_y[task])


@pytest.mark.slow
def test_sets_with_different_dtypes_of_one_task(rng):
    x = rng.random((4, 2), "float32")
    sets = {
        "bytes": (x, {"t": np.arange(4, dtype="uint8")}),
        "long": (x + 1, {"t": 7 + np.arange(4, dtype="int64")}),
        "none": (x + 2, {"u": np.ones((4, 2, 3), "float16")}),
    }
    for x, y in batches(mix(sets, batch_size=6)):
        kind = x[:, 0].astype(int)
        assert y["t"].dtype == "int64" and y["u"].dtype == "float16"
        assert (y["t"][kind == 0] < 4).all() and (y["t"][kind == 0] >= 0).all()
        assert (y["t"][kind == 1] >= 7).all()
        assert (y["t"][kind == 2] == -1).all()
        np.testing.assert_array_equal(np.isnan(y["u"][:, 0, 0]), kind != 2)


def nodes(stream):
    """Returns the number of nodes of the graph that reads a stream."""
    graph = tf.compat.v1.GraphDef()
    variant = stream._variant_tensor
    text = tf.raw_ops.DatasetToGraphV2(input_dataset=variant)
    graph.ParseFromString(text.numpy())
    return sum(len(function.node_def) for function in graph.library.function)


def test_the_graph_grows_no_faster_than_the_number_of_sets(rng):
    few, more = (
        nodes(mix(many(count, rng), batch_size=2 * count)) for count in (8, 32)
    )
    # Each set that is there brings its order and its task; not each pair.
    assert more < 4 * few
