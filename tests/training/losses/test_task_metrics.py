"""Metrics with missing labels against metrics of the labelled elements."""

import warnings

import factory_harness
import keras
import numpy as np
import pytest
from holes import KINDS, make_holes

from mtl_keras import MultiTaskModel
from mtl_keras.tasks import (
    BinaryClassification,
    MultiLabelClassification,
    Regression,
    Segmentation,
)
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
    """Computes the metric over rows without missing labels."""
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
        metric = keras.metrics.AUC(metric.num_thresholds)
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


# Metrics of Keras, of labels with holes in single columns.


def build(task, metrics):
    """Returns a head alone that has these metrics."""
    inputs = keras.Input((4,) if task.feature_rank == 2 else (4, 4, 2))
    model = MultiTaskModel(inputs, {task.name: task.head(inputs)}, tasks=[task])
    model.compile(
        keras.optimizers.SGD(0.0),
        metrics={task.name: metrics},
        run_eagerly=True,
    )
    return model


def of_labels(name):
    """Returns a metric of labels in numpy, of flat labels and predictions."""
    counts = {
        "tp": lambda y, q: np.sum(q & y),
        "fp": lambda y, q: np.sum(q & ~y),
        "fn": lambda y, q: np.sum(~q & y),
        "tn": lambda y, q: np.sum(~q & ~y),
        "precision": lambda y, q: np.sum(q & y) / np.sum(q),
        "recall": lambda y, q: np.sum(q & y) / np.sum(y),
        "accuracy": lambda y, q: np.mean(q == y),
        "micro": lambda y, q: 2 * np.sum(q & y) / (np.sum(q) + np.sum(y)),
    }
    return lambda y, p, threshold: counts[name](y == 1, p > threshold)


def ranking(y, p):
    """Returns the share of pairs of both classes that are in order."""
    return np.mean(p[y == 1][:, None] > p[y == 0])


KERAS_METRICS = {
    "tp": keras.metrics.TruePositives,
    "fp": keras.metrics.FalsePositives,
    "fn": keras.metrics.FalseNegatives,
    "tn": keras.metrics.TrueNegatives,
    "precision": keras.metrics.Precision,
    "recall": keras.metrics.Recall,
}


def labels_with_a_hole_in_each_row(shape, rng):
    """Returns labels 0 and 1; each row lacks at least one."""
    y = rng.integers(2, size=shape)
    rows = y.reshape(-1, shape[-1])
    rows[np.arange(len(rows)), np.arange(len(rows)) % shape[-1]] = -1
    y[0] = -1
    return y


@pytest.mark.parametrize("threshold", [0.5, 0.3])
def test_counts_of_keras_are_of_the_labelled_elements(threshold, rng):
    metrics = [
        make(name=name, thresholds=threshold)
        for name, make in KERAS_METRICS.items()
    ]
    metrics.append(keras.metrics.BinaryAccuracy("accuracy", None, threshold))
    metrics.append(
        keras.metrics.F1Score("micro", threshold=threshold, name="micro")
    )
    metrics.append(
        keras.metrics.F1Score("macro", threshold=threshold, name="macro")
    )
    metrics.append(
        keras.metrics.F1Score(None, threshold=threshold, name="each")
    )
    metrics.append(
        keras.metrics.FBetaScore(
            "macro", beta=2.0, threshold=threshold, name="beta"
        )
    )
    model = build(MultiLabelClassification("l", 3), metrics)
    x = rng.normal(size=(40, 4)).astype("float32")
    y = labels_with_a_hole_in_each_row((40, 3), rng)
    p = model(x)["l"].numpy()
    # In batches, of which the last one is short.
    logs = model.evaluate(
        x, {"l": y}, batch_size=17, return_dict=True, verbose=0
    )
    known = y >= 0
    for name in (*KERAS_METRICS, "accuracy", "micro"):
        expected = of_labels(name)(y[known], p[known], threshold)
        assert logs[f"l_{name}"] == pytest.approx(expected, rel=1e-5), name
    columns = [
        of_labels("micro")(y[k, i], p[k, i], threshold)
        for i, k in enumerate(known.T)
    ]
    assert logs["l_macro"] == pytest.approx(np.mean(columns), rel=1e-5)
    np.testing.assert_allclose(logs["l_each"], columns, rtol=1e-5)
    by_column = []
    for i, keep in enumerate(known.T):
        tp, fp, fn = (
            of_labels(name)(y[keep, i], p[keep, i], threshold)
            for name in ("tp", "fp", "fn")
        )
        by_column.append(5 * tp / (5 * tp + 4 * fn + fp))
    assert logs["l_beta"] == pytest.approx(np.mean(by_column), rel=1e-5)


def test_auc_of_keras_is_of_the_labelled_elements(rng):
    many = {"num_thresholds": 5000}
    metrics = [
        keras.metrics.AUC(name="pooled", **many),
        keras.metrics.AUC(name="mean", multi_label=True, num_labels=3, **many),
        keras.metrics.AUC(name="curve", curve="PR", **many),
    ]
    model = build(MultiLabelClassification("l", 3), metrics)
    x = rng.normal(size=(60, 4)).astype("float32")
    y = labels_with_a_hole_in_each_row((60, 3), rng)
    p = model(x)["l"].numpy()
    known = y >= 0
    logs = model.evaluate(
        x, {"l": y}, batch_size=17, return_dict=True, verbose=0
    )
    pooled = ranking(y[known], p[known])
    assert logs["l_pooled"] == pytest.approx(pooled, abs=2e-3)
    columns = [ranking(y[k, i], p[k, i]) for i, k in enumerate(known.T)]
    assert logs["l_mean"] == pytest.approx(np.mean(columns), abs=2e-3)
    order = np.argsort(-p[known])
    hits = y[known][order] == 1
    precisions = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    assert logs["l_curve"] == pytest.approx(precisions[hits].mean(), abs=0.03)


@pytest.mark.parametrize("weighted", [False, True])
def test_weighted_metrics_weigh_the_labelled_elements(weighted, rng):
    inputs = keras.Input((4,))
    task = MultiLabelClassification("l", 3)
    model = MultiTaskModel(inputs, {"l": task.head(inputs)}, tasks=[task])
    model.compile(
        "sgd",
        metrics={"l": [keras.metrics.Precision(name="plain")]},
        weighted_metrics={
            "l": [
                keras.metrics.Precision(name="precision"),
                keras.metrics.TruePositives(name="tp"),
            ]
        },
        run_eagerly=True,
    )
    x = rng.normal(size=(40, 4)).astype("float32")
    y = labels_with_a_hole_in_each_row((40, 3), rng)
    weights = np.ones((40, 3), "float32")
    if weighted:
        weights = rng.uniform(0.1, 3, (40, 3)).astype("float32")
    logs = model.evaluate(
        x, {"l": y}, sample_weight={"l": weights}, return_dict=True, verbose=0
    )
    q, known = model(x)["l"].numpy() > 0.5, y >= 0
    hits = (weights * (q & (y == 1))).sum()
    assert logs["l_tp"] == pytest.approx(hits, rel=1e-5)
    expected = hits / (weights * (q & known)).sum()
    assert logs["l_precision"] == pytest.approx(expected, rel=1e-5)
    plain = (q & (y == 1)).sum() / (q & known).sum()
    assert logs["l_plain"] == pytest.approx(plain, rel=1e-5)


@pytest.mark.parametrize(
    "task",
    [BinaryClassification("l"), Segmentation("l", 1)],
    ids=["binary", "mask"],
)
def test_counts_of_keras_of_one_output_leave_holes_out(task, rng):
    metrics = [make(name=name) for name, make in KERAS_METRICS.items()]
    model = build(task, metrics)
    x = rng.normal(size=(40, *model.inputs[0].shape[1:])).astype("float32")
    p = model(x)["l"].numpy()[..., 0]
    y = rng.integers(-1, 2, p.shape)
    logs = model.evaluate(
        x, {"l": y}, batch_size=17, return_dict=True, verbose=0
    )
    for name in KERAS_METRICS:
        expected = of_labels(name)(y[y >= 0], p[y >= 0], 0.5)
        assert logs[f"l_{name}"] == pytest.approx(expected, rel=1e-5), name


def own_share(y_true, y_pred):
    """Returns a custom metric function with one value per row."""
    return keras.ops.mean(
        keras.ops.cast(
            keras.ops.abs(keras.ops.cast(y_true, "float32") - y_pred) < 0.5,
            "float32",
        ),
        -1,
    )


def test_numbers_with_holes_in_each_row(rng):
    metrics = [
        keras.metrics.MeanAbsoluteError(name="mae"),
        keras.metrics.RootMeanSquaredError(name="rmse"),
        keras.metrics.MeanSquaredError(name="mse"),
        keras.metrics.R2Score(name="r2"),
    ]
    model = build(Regression("l", units=3), metrics)
    x = rng.normal(size=(40, 4)).astype("float32")
    y = rng.normal(size=(40, 3)).astype("float32")
    y[np.arange(40), np.arange(40) % 3] = np.nan
    logs = model.evaluate(
        x, {"l": y}, batch_size=17, return_dict=True, verbose=0
    )
    errors = model(x)["l"].numpy() - y
    assert logs["l_mae"] == pytest.approx(np.nanmean(abs(errors)), rel=1e-5)
    mean = np.nanmean(errors**2)
    assert logs["l_mse"] == pytest.approx(mean, rel=1e-5)
    assert logs["l_rmse"] == pytest.approx(np.sqrt(mean), rel=1e-5)
    spread = np.nansum((y - np.nanmean(y, axis=0)) ** 2, axis=0)
    r2 = np.mean(1 - np.nansum(errors**2, axis=0) / spread)
    assert logs["l_r2"] == pytest.approx(r2, rel=1e-4)


@pytest.mark.parametrize(
    "metric",
    [keras.metrics.F1Score("macro", name="own_share"), own_share],
    ids=["argmax", "own"],
)
def test_a_metric_of_whole_rows_is_never_silently_0(metric, rng):
    """Where no row has all of its labels, it is refused or told."""
    model = build(MultiLabelClassification("l", 3), [metric])
    x = rng.normal(size=(40, 4)).astype("float32")
    y = labels_with_a_hole_in_each_row((40, 3), rng)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            logs = model.evaluate(x, {"l": y}, return_dict=True, verbose=0)
        except ValueError as error:
            assert "'l'" in str(error)
            return
    named = [t for t in told if "'l'" in str(t.message)]
    assert named or logs["l_own_share"] != 0
