"""Metrics with holes against the same metrics on what is labelled alone."""

import factory_harness
import keras
import numpy as np
import pytest
from holes import KINDS, make_holes

from mtl_keras.tasks import MultiLabelClassification, Regression
from mtl_keras.training.data.masked_targets import mask_missing
from mtl_keras.training.losses.task_metrics import update_metric


def cases():
    for name, (task, shape) in KINDS.items():
        for metric in task.metric_names():
            yield pytest.param(task, shape, metric, id=f"{name}-{metric}")


@pytest.mark.parametrize(("task", "shape", "name"), list(cases()))
def test_equals_the_metric_of_what_is_labelled(task, shape, name, rng):
    y = make_holes(
        task, factory_harness.random_targets(task, shape, 64, rng), shape, rng
    )
    y_pred = rng.uniform(0.02, 0.98, size=(64, *shape)).astype("float32")
    make = task._metric_makers()[name]
    masked = make("masked")
    # In two batches, of which the second has no label.
    for part in (y, np.full_like(y, task.missing_label)):
        update_metric(masked, task, mask_missing(task, part, y_pred), y_pred)
    expected = _on_labelled(task, shape, make, y, y_pred)
    assert float(masked.result()) == pytest.approx(expected, abs=2e-6)


def _on_labelled(task, shape, make, y, y_pred):
    """The metric of the rows that are left when the holes are dropped."""
    labelled = task.labelled(y, shape)
    if not task.columns:
        flat = y_pred.reshape(-1, shape[-1])[labelled.ravel()]
        return _value(make, y.reshape(labelled.size)[labelled.ravel()], flat)
    y, y_pred, labelled = (  # a pixel is a row
        array.reshape(-1, shape[-1]) for array in (y, y_pred, labelled)
    )
    by_column = [
        _value(make, y[keep, i : i + 1], y_pred[keep, i : i + 1], columns=1)
        for i, keep in enumerate(labelled.T)
    ]
    counts = labelled.sum(axis=0)
    metric = make("probe")
    if isinstance(metric, keras.metrics.RootMeanSquaredError):
        return np.sqrt(np.average(np.square(by_column), weights=counts))
    if isinstance(metric, keras.metrics.MeanMetricWrapper):
        return np.average(by_column, weights=counts)
    return np.mean(by_column)


def _value(make, y, y_pred, columns=None):
    metric = make("reference")
    if columns and isinstance(metric, keras.metrics.AUC):
        metric = keras.metrics.AUC()
    metric.update_state(y, y_pred)
    return float(np.squeeze(metric.result()))


def test_a_metric_of_rows_leaves_out_rows_with_a_hole():
    task = Regression("a", units=2)
    metric = keras.metrics.CosineSimilarity()
    y = np.array([[1.0, 0.0], [np.nan, 1.0]], "float32")
    y_pred = np.array([[1.0, 1.0], [0.0, -1.0]], "float32")
    update_metric(metric, task, mask_missing(task, y, y_pred), y_pred)
    assert float(metric.result()) == pytest.approx(np.sqrt(0.5), abs=1e-6)


def test_a_metric_without_sample_weight_is_refused():
    class Count(keras.metrics.Metric):
        def update_state(self, y_true, y_pred):
            raise AssertionError

    task = MultiLabelClassification("a", 2)
    y = np.array([[1.0, np.nan]], "float32")
    filled = mask_missing(task, y, np.ones((1, 2), "float32"))
    with pytest.raises(TypeError, match=r"'a'.*'count' takes no sample_weight"):
        update_metric(Count(name="count"), task, filled, np.ones((1, 2)))
