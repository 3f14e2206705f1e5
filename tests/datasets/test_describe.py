"""Tests descriptions of labels against counts by hand."""

import dataclasses
import importlib
import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtl_keras import datasets
from mtl_keras.datasets.reading.array_source import ArraySource
from mtl_keras.datasets.splits import make_splits
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
    """Returns labels of all kinds with holes, and which samples have labels."""
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
        assert task.labelled_elements == there.sum()
        if name != "tags":
            assert task.elements == y[name].size
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
            if name == "tags":
                # Of sentences without a label, the length is that of others
                # in the same part.
                for key in ("elements", "missing"):
                    near = pytest.approx(expected.pop(key), rel=0.1)
                    assert task.pop(key) == near
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


def test_without_tasks_the_kind_of_labels_is_inferred():
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


def test_many_classes_fit_a_line_and_rare_ones_are_shown():
    labels = np.concatenate([np.arange(50), np.zeros(99950, int)])
    found = datasets.describe((None, {"t": labels}), [Classification("t", 50)])
    assert found.tasks["t"].labels() == "50 classes, 1: <0.1 % to 0: 100.0 %"
    assert "labelled for both" not in str(found)


def padded(lengths, steps, rng, classes=4):
    """Returns tags of sequences, padded with -1."""
    tags = rng.integers(1, classes, size=(len(lengths), steps))
    return np.where(np.arange(steps) < np.array(lengths)[:, None], tags, -1)


@pytest.mark.parametrize("form", ["plain", "column", "one_hot", "floats"])
def test_padding_of_sequences_is_not_missing(rng, form):
    lengths = [1, 5, 3, 8, 2]
    tags = padded(lengths, 8, rng)
    tags[3, 2] = -1  # a hole between labels
    given = tags
    if form == "column":
        given = tags[..., None]
    elif form == "one_hot":
        given = np.where(tags[..., None] < 0, -1, np.eye(4, dtype=int)[tags])
    elif form == "floats":
        given = np.where(tags < 0, np.nan, tags)
    task = datasets.describe((None, {"t": given}), [SequenceTagging("t", 4)])
    task = task.tasks["t"]
    assert task.elements == sum(lengths)
    assert task.labelled_elements == sum(lengths) - 1
    assert task.missing == pytest.approx(1 / sum(lengths))
    counts = [(tags == label).sum() for label in range(4)]
    assert list(task.class_counts.values()) == counts


def test_sentences_without_tags_have_the_mean_length(rng):
    tags = padded([4, 6, 0, 0], 40, rng)
    stream = tf.data.Dataset.from_tensor_slices((np.zeros(4), {"t": tags}))
    for data in ((None, {"t": tags}), stream.batch(3)):
        found = datasets.describe(data, [SequenceTagging("t", 4)]).tasks["t"]
        assert (found.labelled, found.elements) == (2, 20)
        assert found.missing == 0.5
    gone = datasets.describe(
        (None, {"t": tags[2:]}), [SequenceTagging("t", 4)]
    ).tasks["t"]
    assert gone.missing == 1 and gone.labels() == "none"


def test_rows_of_classes_without_a_task_may_be_padded(rng):
    def missing(labels):
        return datasets.describe((None, {"t": labels})).tasks["t"].missing

    tags = padded([3, 8, 5], 8, rng)
    assert missing(tags) == 0
    tags[1, 3] = -1
    assert missing(tags) == pytest.approx(9 / 24)
    # Labels of yes and no may be missing in the last columns by chance.
    assert missing(np.array([[0, 1], [1, -1]])) == 0.25


def test_masks_with_unlabelled_pixels(rng):
    masks = rng.integers(0, 3, size=(6, 5, 4, 1)).astype("int32")
    masks[rng.random(masks.shape) < 0.4] = -1
    masks[2] = -1
    found = datasets.describe((None, {"m": masks}), [Segmentation("m", 3)])
    task = found.tasks["m"]
    assert (task.labelled, task.elements) == (5, masks.size)
    assert task.labelled_elements == (masks >= 0).sum()
    counts = {str(label): (masks == label).sum() for label in range(3)}
    assert task.class_counts == counts


def test_large_labels_need_little_memory():
    ids = [10**11, 3, 10**12, 1234567890123456789, 1234567890123456790]
    found = datasets.describe((np.zeros((5, 1)), {"id": np.array(ids)}))
    assert found.tasks["id"].class_counts == {str(i): 1 for i in sorted(ids)}
    floats = np.array([10**12, np.nan, 2], "float64")
    task = Classification("id", 10**9)
    found = datasets.describe((None, {"id": floats}), [task])
    assert found.tasks["id"].class_counts == {"2": 1, str(10**12): 1}


def test_missing_classes_are_listed_if_most_occur():
    labels = np.array([0, 0, 3, 1])
    found = datasets.describe((None, {"t": labels})).tasks["t"]
    assert found.class_counts == {"0": 2, "1": 1, "2": 0, "3": 1}
    found = datasets.describe((None, {"t": labels * 100})).tasks["t"]
    assert found.class_counts == {"0": 2, "100": 1, "300": 1}


def test_arrays_are_counted_in_blocks(monkeypatch):
    data, _ = random_labels(3)
    whole = datasets.describe(data, TASKS).to_dict()
    # The function of that name hides its module.
    module = importlib.import_module("mtl_keras.datasets.describe")
    monkeypatch.setattr(module, "_BLOCK", 100)
    blocks = datasets.describe(data, TASKS).to_dict()
    mean = blocks["tasks"]["size"].pop("mean")
    assert mean == pytest.approx(whole["tasks"]["size"].pop("mean"))
    assert blocks == whole


def test_nullable_columns_and_soft_labels():
    pandas = pytest.importorskip("pandas")
    y = {
        "n": pandas.Series([1, None, 0, 1], dtype="Int64"),
        "soft": np.array([0.5, 0.4, np.nan, 1.0]),
    }
    tasks = [BinaryClassification("n"), BinaryClassification("soft")]
    found = datasets.describe((None, y), tasks).tasks
    assert found["n"].class_counts == {"0": 1, "1": 2}
    assert found["soft"].class_counts == {"0": 1, "1": 2}
    assert found["n"].missing == found["soft"].missing == 0.25


def screen(text):
    """Returns the lines of a text, and the length of the longest."""
    lines = text.splitlines()
    return len(lines), max(map(len, lines))


def test_many_tasks_fit_a_screen():
    y = {
        f"school_{i}": np.where(np.arange(300) % 139 == i, 1.0, np.nan)
        for i in range(139)
    }
    found = datasets.describe((np.zeros((300, 2)), y))
    text = str(found)
    lines, width = screen(text)
    assert lines <= 40 and width <= 120
    assert "139 tasks: 139 numbers" in text
    # 300 rows are 22 of 3 labels and 117 of 2.
    rows = [line.split()[:3] for line in text.splitlines()]
    for number in range(8):
        assert [f"school_{22 + number}", "numbers", "2"] in rows
        assert [f"school_{14 + number}", "numbers", "3"] in rows
    assert "none for 9,591 of 9,591 pairs" in text
    assert len(found.tasks) == 139 and found.together.shape == (139, 139)


def test_long_names_fit_a_screen(rng):
    names = [f"a class of a very long name, the {n}th of all" for n in range(6)]
    y = {f"task_{'x' * 60}_{n}": rng.integers(6, size=30) for n in range(9)}
    tasks = [Classification(name, 6, class_names=names) for name in y]
    y[tasks[0].name][:3] = -1
    parts = {part: (None, y) for part in ("train", "validation", "test")}
    _, width = screen(str(datasets.describe(parts, tasks)))
    assert width <= 150


def test_classes_are_shown_by_name(rng):
    names = [f"kind {letter}" for letter in "abcdefghij"]
    labels = np.repeat(np.arange(10), np.arange(1, 11))
    task = Classification("t", 10, class_names=names)
    found = datasets.describe((None, {"t": labels}), [task])
    text = str(found)
    for name, count in zip(names, range(1, 11), strict=True):
        assert f"{name}: {100 * count / 55:.1f} %" in text
    lines = str(found.tasks["t"]).splitlines()
    assert lines[0].startswith("t: Classification, 55 of 55 samples labelled")
    assert [line.split()[:3] for line in lines[3:]] == [
        ["kind", name[-1], str(count)]
        for name, count in zip(names, range(1, 11), strict=True)
    ]
    many = datasets.describe((None, {"t": np.arange(5000)})).tasks["t"]
    assert screen(str(many))[0] < 210
    assert str(many).endswith("and 4,800 rarer classes")


def grouped(groups, y=None):
    """Returns a data set whose samples belong to groups, in three parts."""
    groups = np.asarray(groups)
    y = {"t": np.arange(len(groups)) % 2} if y is None else y
    source = ArraySource(np.zeros((len(groups), 2), "float32"), y)
    parts = dict(
        zip(
            ("train", "validation", "test"),
            np.array_split(np.arange(len(groups)), 3),
            strict=True,
        )
    )
    return make_splits(
        source,
        (BinaryClassification("t"),),
        parts,
        batch_size=4,
        seed=0,
        groups=groups,
    )


def test_numbers_of_groups_are_shown():
    found = datasets.describe(grouped([0, 0, 0, 1, 7, 7, 8, 8, 9]))
    assert dataclasses.astuple(found.groups) == (5, 1, 2.0, 3)
    assert [p.groups.count for p in found.parts.values()] == [1, 2, 2]
    assert (
        "5 groups of 1 to 3 samples, median 2: 1 train, 2 validation, 2 test"
        in str(found)
    )
    assert found.to_dict()["groups"]["count"] == 5
    assert datasets.describe((None, {"t": np.zeros(2)})).groups is None


def test_groups_of_one_sample_are_reported():
    text = str(datasets.describe(grouped(np.arange(9))))
    assert "9 groups of 1 sample each: 3 train, 3 validation, 3 test" in text
    assert "Groups of one sample have no effect." in text
    text = str(datasets.describe(grouped([0, 0, 1, 1, 2, 2, 2, 3, 3])))
    assert "2 groups are in more than one part" in text
    assert "have no effect" not in text


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
            "infinite stream",
        ),
        (tf.data.Dataset.from_tensors((X, Y)).take(0), ValueError, "no batch"),
        ((X, {"t": np.array([-2, 0])}), ValueError, "'t': found label -2"),
        ((X, {"t": np.array(["a", "b"])}), ValueError, "'t': .*Encode the cl"),
        ((X, {"t": 3}), ValueError, "single label 3 for 't'"),
        (
            (X, {"t": np.zeros(4, int), "u": np.zeros(3, int)}),
            ValueError,
            r"'u': found targets of shape \(3,\), expected one per sample, 4",
        ),
    ],
)
def test_invalid_data(data, error, message):
    with pytest.raises(error, match=message):
        datasets.describe(data)


def test_a_task_without_targets():
    with pytest.raises(ValueError, match=r"'s' has no targets.*Known: 't'"):
        datasets.describe((X, Y), [Regression("s")])
