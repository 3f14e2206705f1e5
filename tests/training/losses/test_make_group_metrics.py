"""Metrics of task groups against Keras's metrics of each task."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from factory_harness import mostly_slow

from mtl_keras.tasks import (
    BinaryClassification,
    Classification,
    MultiLabelClassification,
    Regression,
)
from mtl_keras.tasks.groups import make_metric
from mtl_keras.training.losses.group_auc import matches_group_auc
from mtl_keras.training.losses.make_group_metrics import make_group_metrics
from mtl_keras.training.losses.task_group_batch import split_batch
from mtl_keras.training.losses.task_groups import TaskGroup
from mtl_keras.training.losses.task_metrics import update_metric

NAMES = ("a", "b", "c")


def group_of(task):
    """Returns three tasks like one, with all metrics that the kind has."""
    task = dataclasses.replace(task, metrics=task.metric_names())
    return TaskGroup(NAMES, task, tuple(task.metrics))


def batches(task, rng, *, missing):
    """Yields three batches of targets and predictions of each task."""
    units = task.head(keras.Input((2,))).shape[-1]
    for _ in range(3):
        y, y_pred = {}, {}
        for name in NAMES:
            scores = rng.normal(size=(20, units)).astype("float32")
            if isinstance(task, Regression):
                y[name] = rng.normal(size=(20, units)).astype("float32")
            else:
                y[name] = rng.integers(max(units, 2), size=20)
                if not task.from_logits:
                    scores = 1 / (1 + np.exp(-2 * scores))
                    # Also on the very edges of the buckets.
                    scores[:4] = [[0.0], [1.0], [0.5], [3 / 199]]
            if missing:
                y[name][rng.uniform(size=20) < 0.4] = task.missing_label
            y_pred[name] = tf.constant(scores)
        yield y, y_pred


@pytest.mark.parametrize("missing", mostly_slow([False, True], [True]))
@pytest.mark.parametrize(
    ("task", "expected"),
    [
        (Classification("a", 3), {"accuracy"}),
        (BinaryClassification("a"), {"accuracy", "auc"}),
        (BinaryClassification("a", activation=None), {"accuracy", "auc"}),
        (Regression("a"), {"mae", "mse", "rmse"}),
        (Regression("a", units=2), {"mae", "mse", "rmse"}),
        (MultiLabelClassification("a", 2), {"accuracy"}),
    ],
    ids=["classes", "binary", "logits", "number", "numbers", "labels"],
)
def test_each_task_has_the_value_of_keras(task, expected, missing, rng):
    group = group_of(task)
    together = make_group_metrics(group)
    assert set(together) == expected
    if task.columns and not isinstance(task, Regression):
        return
    single = {
        (task_name, name): make_metric(group.task, name)
        for task_name in NAMES
        for name in together
    }
    for y, y_pred in batches(group.task, rng, missing=missing):
        parts = split_batch(
            [(NAMES, group.task)],
            y,
            y_pred,
            dict.fromkeys(NAMES),
            {},
            complete=not missing,
        )
        assert [part.names for part in parts] == [NAMES]
        for metric in together.values():
            metric.update_state(parts)
        for (task_name, _), metric in single.items():
            part = parts[0].by_task()[task_name]
            update_metric(metric, part.task, part.targets, part.y_pred)
    for name, metric in together.items():
        found = metric.result()
        assert list(found) == [f"{task_name}_{name}" for task_name in NAMES]
        for task_name in NAMES:
            assert float(found[f"{task_name}_{name}"]) == pytest.approx(
                float(single[task_name, name].result()), abs=1e-6
            )
        metric.reset_state()
        assert set(map(float, metric.result().values())) == {0.0}


@pytest.mark.parametrize(
    ("arguments", "can"),
    [
        ({}, True),
        ({"num_thresholds": 50}, True),
        ({"from_logits": True}, True),
        ({"curve": "PR"}, False),
        ({"summation_method": "minoring"}, False),
        ({"multi_label": True}, False),
        ({"thresholds": [0.1, 0.2, 0.9]}, False),
    ],
)
def test_only_the_usual_area_is_computed_together(arguments, can):
    assert matches_group_auc(keras.metrics.AUC(**arguments)) == can
