"""Properties that all kinds derive from their class attributes."""

import keras
import numpy as np
import pytest

from mtl_keras import (
    BinaryClassification,
    Classification,
    DenseRegression,
    MultiLabelClassification,
    Regression,
    Segmentation,
    SequenceTagging,
)

TASKS = [
    BinaryClassification("a"),
    Classification("a", 3),
    DenseRegression("a", 2),
    MultiLabelClassification("a", 4),
    Regression("a", 2),
    Segmentation("a", 1),
    Segmentation("a", 3),
    SequenceTagging("a", 5),
]


def ids(task):
    return f"{type(task).__name__}-{task.output_size}"


@pytest.mark.parametrize("task", TASKS, ids=ids)
def test_the_head_has_the_output_size(task):
    shape = (*[8] * (task.feature_rank - 2), 6)
    output = task.head(keras.Input(shape))
    assert output.shape == (None, *shape[:-1], task.output_size)
    assert output.dtype == "float32"


@pytest.mark.parametrize(
    ("task", "classes", "categories", "panel"),
    [
        (TASKS[0], 2, 2, "confusion"),
        (TASKS[1], 3, 3, "confusion"),
        (TASKS[2], None, None, "scatter"),
        (TASKS[3], 2, 4, "labels"),
        (TASKS[4], None, None, "scatter"),
        (TASKS[5], 2, 2, "confusion"),
        (TASKS[6], 3, 3, "confusion"),
        (TASKS[7], 5, 5, "confusion"),
    ],
)
def test_counts_and_panels(task, classes, categories, panel):
    assert task.num_label_classes == classes
    assert task.num_categories == categories
    assert task.panel == panel


@pytest.mark.parametrize(
    ("task", "shape", "expected"),
    [
        (Classification("a", 3), (5, 3), True),
        (Classification("a", 3), (3,), False),
        (Classification("a", 3), (5, 1), False),
        (SequenceTagging("a", 3), (5, 3), False),
        (SequenceTagging("a", 3), (5, 4, 3), True),
        (Segmentation("a", 1), (5, 4, 4, 1), False),
        (Segmentation("a", 3), (5, 4, 4, 3), True),
        (MultiLabelClassification("a", 3), (5, 3), False),
        (Regression("a", 3), (5, 3), False),
    ],
)
def test_one_hot_shapes(task, shape, expected):
    assert task.is_one_hot(shape) is expected


def test_names_are_added_where_there_are_none():
    task = Classification("stage", 2)
    named = task.with_class_names(["early", "late"])
    assert named.class_names == ("early", "late")
    assert named.with_class_names(["a", "b"]) is named
    assert task.with_class_names(None) is task
    assert Regression("age").with_class_names(["a"]).class_names is None


def test_a_wrong_number_of_names_is_an_error():
    with pytest.raises(ValueError, match="3 class_names"):
        Segmentation("mask", 1).with_class_names(["a", "b", "c"])


def test_integers_of_numpy_become_integers():
    assert type(Classification("a", np.int64(3)).num_classes) is int


def test_a_title_is_what_people_read():
    task = Regression("w___", title="w %")
    assert task.display_name == "w %"
    assert Regression("w").display_name == "w"
    assert Regression.from_config(task.get_config()).title == "w %"


@pytest.mark.parametrize("title", ["", "  ", 3])
def test_a_title_is_a_text(title):
    with pytest.raises((TypeError, ValueError), match=r"Task 'w': title="):
        Regression("w", title=title)
