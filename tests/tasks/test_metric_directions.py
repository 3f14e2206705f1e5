"""Directions of metrics by their names."""

import pytest

from mtl_keras.tasks import (
    BinaryClassification,
    Classification,
    DenseRegression,
    MultiLabelClassification,
    Regression,
    Segmentation,
    SequenceTagging,
)
from mtl_keras.tasks.metric_directions import metric_direction, split_metric

TASKS = [
    BinaryClassification("task"),
    Classification("task", 3),
    DenseRegression("task"),
    MultiLabelClassification("task", 3),
    Regression("task"),
    Segmentation("task", 1),
    Segmentation("task", 3),
    SequenceTagging("task", 3, class_names=["O", "B-a", "I-a"]),
]
LOWER_IS_BETTER = {"mae", "mse", "rmse"}


def test_every_metric_of_every_kind_has_a_direction():
    for task in TASKS:
        for metric in task.metric_names():
            lower = metric in LOWER_IS_BETTER
            assert metric_direction(metric) == ("min" if lower else "max")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("left_accuracy", ("left", "accuracy")),
        ("left_balanced_accuracy", ("left", "balanced_accuracy")),
        ("auc_loss_f1", ("auc_loss", "f1")),
        ("mean_iou", ("mean", "iou")),
        ("accuracy", None),
        ("left_lift", None),
    ],
)
def test_names_are_split_at_the_longest_metric(name, expected):
    assert split_metric(name) == expected
