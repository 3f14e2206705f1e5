"""Groups of equal tasks."""

import dataclasses

import keras
import pytest

from mtl_keras.tasks import (
    BinaryClassification,
    Classification,
    MultiLabelClassification,
    Regression,
    Segmentation,
    groups,
)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "other"},
        {"loss_weight": 2.0},
        {"loss": "mse"},
        {"metrics": ["f1"]},
        {"class_names": ["x", "y", "z"]},
    ],
    ids=str,
)
def test_names_losses_and_metrics_do_not_change_the_key(changes):
    task = Classification("a", 3)
    other = dataclasses.replace(task, **{"primary_metric": None, **changes})
    assert groups.group_key(task) == groups.group_key(other)


@pytest.mark.parametrize(
    "other",
    [
        Classification("a", 4),
        Classification("a", 3, activation=None),
        Classification("a", 3, complete_labels=True),
        MultiLabelClassification("a", 3),
        Regression("a", units=3),
    ],
    ids=lambda task: type(task).__name__,
)
def test_other_arguments_change_the_key(other):
    assert groups.group_key(Classification("a", 3)) != groups.group_key(other)


@pytest.mark.parametrize(
    "task", [Classification("a", 3), BinaryClassification("a"), Regression("a")]
)
def test_dense_head_equals_the_head_layer(task):
    layer = groups.dense_head(task)
    assert type(layer) is keras.layers.Dense
    assert layer.name == task.name
    assert layer.dtype_policy.name == "float32"


class OwnHead(Regression):
    """A custom head."""

    def head(self, features):
        return keras.layers.Dense(1, name=self.name)(features) + 1.0


class Penalized(Regression):
    """A head with a regularizer."""

    def _head_layer(self):
        return keras.layers.Dense(1, kernel_regularizer="l2", name=self.name)


def squared(x):
    """Returns a custom activation."""
    return x * x


@pytest.mark.parametrize(
    "task",
    [
        Segmentation("a", 1),
        OwnHead("a"),
        Penalized("a"),
        Regression("a", activation=squared),
    ],
    ids=lambda task: type(task).__name__,
)
def test_other_heads_are_not_grouped(task):
    assert groups.dense_head(task) is None
