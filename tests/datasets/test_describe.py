"""Descriptions of labels: every number against a count by hand."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtl_keras import datasets
from mtl_keras.tasks import (
    BinaryClassification,
    Classification,
    MultiLabelClassification,
    Regression,
    Segmentation,
    SequenceTagging,
)

TASKS = (
    Classification("stage", 4, class_names=["I", "II", "III", "IV"]),
    BinaryClassification("alive"),
    Regression("size", 2),
    MultiLabelClassification("found", 2, class_names=["a", "b"]),
    Segmentation("mask", 3),
    SequenceTagging("tags", 5),
)


def random_labels(seed, count=50):
    """Labels of all kinds with holes, and where samples have a label."""
    rng = np.random.default_rng(seed)

    def holes(*shape):
        return rng.random((count, *shape)) < rng.uniform(0, 0.9)

    def classes(high, *shape):
        labels = rng.integers(high, size=(count, *shape))
        return np.where(holes(*shape), -1, labels)

    y = {
        "stage": classes(3),
        "alive": np.where(holes(), np.nan, rng.integers(2, size=count)),
        "size": np.where(holes(2), np.nan, rng.normal(size=(count, 2))),
        "found": classes(2, 2),
        "mask": classes(3, 4, 4, 1),
        "tags": classes(5, 6),
    }
    flags = {
        name: (~np.isnan(v) & ((v != -1) | (name == "size")))
        .reshape(count, -1)
        .any(axis=1)
        for name, v in y.items()
    }
    return (np.zeros((count, 2)), y), flags


@pytest.mark.parametrize("seed", range(5))
def test_numbers_are_those_counted_by_hand(seed):
    data, flags = random_labels(seed)
    y = data[1]
    found = datasets.describe(data, TASKS)
    assert found.samples == 50 and not found.parts
    for name, task in found.tasks.items():
        there = ~np.isnan(y[name])
        if name != "size":
            there &= y[name] != -1
        assert task.labelled == flags[name].sum()
        assert task.elements == y[name].size
        assert task.labelled_elements == there.sum()
        assert task.missing == pytest.approx(1 - there.mean())
    for row, first in enumerate(TASKS):
        for column, second in enumerate(TASKS):
            both = (flags[first.name] & flags[second.name]).sum()
            assert found.together[row, column] == both
    stage = found.tasks["stage"].class_counts
    assert list(stage) == ["I", "II", "III", "IV"]
    assert stage["II"] == (y["stage"] == 1).sum() and stage["IV"] == 0
    size = found.tasks["size"]
    assert size.minimum == np.nanmin(y["size"])
    assert size.mean == pytest.approx(np.nanmean(y["size"]))
    assert size.maximum == np.nanmax(y["size"])
    counts = found.tasks["found"].class_counts
    assert counts == {
        n: (y["found"][:, i] == 1).sum() for i, n in enumerate("ab")
    }
    for name, classes in (("mask", 3), ("tags", 5)):
        counts = [(y[name] == label).sum() for label in range(classes)]
        assert list(found.tasks[name].class_counts.values()) == counts


@pytest.mark.parametrize("seed", range(3))
def test_streams_parts_and_arrays_count_the_same(seed):
    data, _ = random_labels(seed)
    whole = datasets.describe(data, TASKS)
    stream = tf.data.Dataset.from_tensor_slices(data).batch(7)
    halves = [
        keras.tree.map_structure(lambda a, s=s: a[s], data)
        for s in (slice(20), slice(20, None))
    ]
    parted = datasets.describe(tuple(halves), TASKS)
    assert list(parted.parts) == ["train", "test"]
    named = datasets.describe({"a": halves[0], "b": stream.skip(3)}, TASKS)
    assert list(named.parts) == ["a", "b"]
    for found in (datasets.describe(stream, TASKS), parted):
        for name, task in found.to_dict()["tasks"].items():
            expected = whole.to_dict()["tasks"][name]
            assert task.pop("mean") == pytest.approx(expected.pop("mean"))
            assert task == expected
    np.testing.assert_array_equal(parted.together, whole.together)
    assert [p.samples for p in parted.parts.values()] == [20, 30]


def test_one_hot_targets_and_missing_ones():
    classes = np.array([0, 2, 1, 2])
    one_hot = np.eye(3)[classes]
    one_hot[3] = np.nan
    data = (None, {"c": one_hot, "gone": None})
    tasks = [Classification("c", 3), Regression("gone")]
    found = datasets.describe(data, tasks)
    assert found.tasks["c"].class_counts == {"0": 1, "1": 1, "2": 1}
    assert found.tasks["gone"].labelled == 0
    assert found.tasks["gone"].missing == 1
    assert found.tasks["gone"].labels() == "none"
    np.testing.assert_array_equal(found.together, [[3, 0], [0, 0]])


def test_without_tasks_the_labels_say_what_they_are():
    train, test = datasets.digit_scenes.load_data(30, 10)
    found = datasets.describe((train, test))
    classification, segmentation = found.tasks.values()
    assert classification.kind == segmentation.kind == "classes"
    counts = np.bincount(train[1]["classification"], minlength=10)
    counts += np.bincount(test[1]["classification"], minlength=10)
    assert list(classification.class_counts.values()) == counts.tolist()
    floats = datasets.describe((None, {"t": np.array([-1.0, np.nan])}))
    assert floats.tasks["t"].minimum == -1 and floats.tasks["t"].missing == 0.5


def test_it_reads_as_a_table():
    data, _ = random_labels(0)
    text = str(datasets.describe({"train": data, "test": data}, TASKS))
    lines = text.splitlines()
    assert lines[0] == "100 samples: 50 train, 50 test"
    assert lines[2].split() == [
        *("task", "kind", "labelled", "train", "test", "missing", "labels")
    ]
    for line, task in zip(lines[3:9], TASKS, strict=True):
        assert line.split()[:2] == [task.name, type(task).__name__]
    assert "IV: 0.0 %" in lines[3]
    assert lines[10].split() == [
        "labelled",
        "for",
        "both",
        *(task.name for task in TASKS),
    ]
    assert max(map(len, lines)) < 120


def test_many_classes_take_one_line_and_rare_ones_are_not_none():
    labels = np.concatenate([np.arange(50), np.zeros(99950, int)])
    found = datasets.describe((None, {"t": labels}), [Classification("t", 50)])
    assert found.tasks["t"].labels() == "50 classes, 1: <0.1 % to 0: 100.0 %"
    assert "labelled for both" not in str(found)


def test_numbers_can_be_written_as_json():
    data, _ = random_labels(1)
    found = datasets.describe((data, data), TASKS)
    again = json.loads(json.dumps(found.to_dict()))
    assert again["parts"]["train"]["samples"] == 50
    assert again["together"] == found.together.tolist()
    assert again["tasks"]["stage"]["missing"] == found.tasks["stage"].missing


X = np.zeros((4, 2))
Y = {"t": np.zeros(4, int)}


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (X, TypeError, "`data` is a ndarray; expected"),
        ((X, X), TypeError, "`data` is a tuple"),
        ({}, ValueError, "`data` is an empty dict"),
        (tf.data.Dataset.from_tensors(X), TypeError, "`data` holds"),
        (
            tf.data.Dataset.from_tensor_slices((X, Y)),
            ValueError,
            "holds single samples",
        ),
        (
            tf.data.Dataset.from_tensors((X, Y)).repeat(),
            ValueError,
            "without an end",
        ),
        (tf.data.Dataset.from_tensors((X, Y)).take(0), ValueError, "no batch"),
        ((X, {"t": np.array([-2, 0])}), ValueError, "'t': found label -2"),
    ],
)
def test_data_of_another_form(data, error, message):
    with pytest.raises(error, match=message):
        datasets.describe(data)


def test_a_task_without_targets():
    with pytest.raises(ValueError, match=r"'s' has no targets.*Known: 't'"):
        datasets.describe((X, Y), [Regression("s")])
