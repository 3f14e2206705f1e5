"""Metrics against scikit-learn."""

import keras
import numpy as np
import pytest
from factory_harness import mostly_slow
from keras import ops
from sklearn import metrics as reference

from mtl_keras import metrics


@pytest.fixture
def classes(rng):
    """Returns labels of 4 classes, one of them absent, and probabilities."""
    labels = rng.integers(3, size=50)
    probabilities = rng.dirichlet(np.ones(4), size=50)
    probabilities[:, 3] = 0
    return labels, probabilities


def update_in_batches(metric, y_true, y_pred):
    """Updates a metric in three batches and returns its result."""
    for rows in np.array_split(np.arange(len(y_true)), 3):
        metric.update_state(y_true[rows], y_pred[rows])
    return float(metric.result())


MULTI_CLASS = {
    "accuracy": (metrics.Accuracy, reference.accuracy_score),
    "balanced_accuracy": (
        lambda: metrics.BalancedAccuracy(4),
        reference.balanced_accuracy_score,
    ),
    "dice": (
        lambda: metrics.MeanDice(4),
        lambda y, p: reference.f1_score(y, p, average="macro"),
    ),
    "mean_iou": (
        lambda: metrics.MeanIoU(4),
        lambda y, p: reference.jaccard_score(y, p, average="macro"),
    ),
}


@pytest.mark.parametrize("name", sorted(MULTI_CLASS))
def test_multi_class_metrics(name, classes):
    make, oracle = MULTI_CLASS[name]
    labels, probabilities = classes
    expected = oracle(labels, probabilities.argmax(-1))
    for targets in (labels, labels[:, None], np.eye(4)[labels]):
        found = update_in_batches(make(), targets, probabilities)
        assert found == pytest.approx(expected, rel=1e-5)


def test_pixels_are_pooled_not_averaged_over_images(classes):
    labels, probabilities = classes
    flat = metrics.MeanIoU(4)
    flat.update_state(labels, probabilities)
    images = metrics.MeanIoU(4)
    images.update_state(
        labels.reshape(2, 5, 5, 1), probabilities.reshape(2, 5, 5, 4)
    )
    assert float(images.result()) == float(flat.result())


def test_tokens_have_equal_weight_in_batches_of_any_length(rng):
    """Keras gives a token of a shorter batch more weight."""
    metric = metrics.Accuracy()
    right, weights = [], []
    for steps in (2, 7, 4):
        labels = rng.integers(4, size=(3, steps))
        scores = rng.uniform(size=(3, steps, 4))
        weight = rng.integers(3, size=(3, steps))
        metric.update_state(labels, scores, weight)
        right += (scores.argmax(-1) == labels).ravel().tolist()
        weights += weight.ravel().tolist()
    expected = np.average(right, weights=weights)
    assert float(metric.result()) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("shape", [(3,), (3, 1), (3, 5), (3, 5, 1)])
def test_sample_weights_of_any_rank(rng, shape):
    labels = rng.integers(4, size=(3, 5))
    scores = rng.uniform(size=(3, 5, 4)).astype("float32")
    weights = rng.uniform(size=shape)
    mask = np.arange(5) < np.array([[5], [2], [4]])
    y_pred = ops.convert_to_tensor(scores)
    y_pred._keras_mask = ops.convert_to_tensor(mask)
    metric = metrics.Accuracy()
    metric.update_state(labels, y_pred, weights)
    full = weights.reshape(3, -1) * np.ones((1, 5)) * mask
    expected = np.average(scores.argmax(-1) == labels, weights=full)
    assert float(metric.result()) == pytest.approx(expected, rel=1e-6)


BINARY = {
    "dice": (metrics.BinaryDice, reference.f1_score),
    "balanced_accuracy": (
        metrics.BinaryBalancedAccuracy,
        reference.balanced_accuracy_score,
    ),
}


@pytest.mark.parametrize("name", sorted(BINARY))
@pytest.mark.parametrize("logits", mostly_slow([False, True], [True]))
def test_binary_metrics(name, logits, rng):
    make, oracle = BINARY[name]
    labels = rng.integers(2, size=40)
    scores = rng.normal(size=(40, 1))
    metric = make(threshold=0.0 if logits else 0.5)
    y_pred = scores if logits else 1 / (1 + np.exp(-scores))
    found = update_in_batches(metric, labels, y_pred)
    expected = oracle(labels, scores[:, 0] > 0)
    assert found == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("logits", [False, True])
def test_multi_label_f1(logits, rng):
    labels = rng.integers(2, size=(40, 3))
    scores = rng.normal(size=(40, 3)).astype("float32")
    y_pred = scores if logits else 1 / (1 + np.exp(-scores))
    metric = metrics.F1Score(from_logits=logits)
    expected = reference.f1_score(labels, scores > 0, average="macro")
    found = update_in_batches(metric, labels.astype("float32"), y_pred)
    assert found == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("units", [1, 2])
def test_r2(units, rng):
    y_true = rng.normal(size=(30, units)).astype("float32")
    y_pred = y_true + 0.3 * rng.normal(size=(30, units)).astype("float32")
    expected = reference.r2_score(y_true, y_pred)
    found = update_in_batches(metrics.R2Score(), y_true, y_pred)
    assert found == pytest.approx(expected, rel=1e-4)
    if units == 1:
        flat = update_in_batches(metrics.R2Score(), y_true[:, 0], y_pred)
        assert flat == pytest.approx(expected, rel=1e-4)


def test_reset_state(classes):
    labels, probabilities = classes
    metric = metrics.BalancedAccuracy(4)
    metric.update_state(labels, probabilities)
    before = float(metric.result())
    metric.reset_state()
    metric.update_state(labels, probabilities)
    assert float(metric.result()) == before


@pytest.mark.parametrize(
    "metric",
    [
        metrics.Accuracy(name="a"),
        metrics.BalancedAccuracy(3, name="b"),
        metrics.BinaryBalancedAccuracy(0.0),
        metrics.BinaryDice(0.3),
        metrics.F1Score(True),
        metrics.MeanDice(3),
        metrics.MeanIoU(3),
        metrics.R2Score(),
    ],
    ids=lambda metric: type(metric).__name__,
)
def test_config_round_trip(metric):
    config = keras.saving.serialize_keras_object(metric)
    again = keras.saving.deserialize_keras_object(config)
    assert type(again) is type(metric)
    assert again.get_config() == metric.get_config()
