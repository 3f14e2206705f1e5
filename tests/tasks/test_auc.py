"""The area under the ROC curve of a rare class, against ranks."""

import keras
import numpy as np
import pytest
import scipy.stats

from mtl_keras import BinaryClassification, MultiLabelClassification


def rare_labels(rng, rate=0.01, size=20000):
    """Returns labels of a rare class and calibrated scores near 0."""
    labels = (rng.random(size) < rate).astype("float32")
    noise = 0.7 * rng.normal(size=size)
    logits = np.log(rate / (1 - rate)) + labels - 0.5 + noise
    return labels, logits.astype("float32")


def area(labels, scores):
    """Returns the share of pairs in the right order, ties counting half."""
    ranks = scipy.stats.rankdata(scores)
    positive, count = labels.sum(), len(labels)
    found = ranks[labels > 0].sum() - positive * (positive + 1) / 2
    return found / positive / (count - positive)


@pytest.mark.parametrize("activation", ["sigmoid", None])
@pytest.mark.parametrize("kind", ["binary", "labels"])
def test_auc_of_a_rare_class(rng, kind, activation):
    labels, logits = rare_labels(rng)
    expected = area(labels, logits)
    scores = logits if activation is None else 1 / (1 + np.exp(-logits))
    if kind == "binary":
        task = BinaryClassification("t", metrics=["auc"], activation=activation)
    else:
        task = MultiLabelClassification(
            "t", num_labels=2, metrics=["auc"], activation=activation
        )
        labels, scores = (np.stack([a, a], axis=1) for a in (labels, scores))
    (metric,) = task.make_metrics()
    metric.update_state(labels, scores)
    assert float(metric.result()) == pytest.approx(expected, abs=2e-3)
    # So skewed that Keras's default is off by more.
    usual = keras.metrics.AUC(from_logits=activation is None)
    usual.update_state(np.ravel(labels), np.ravel(scores))
    assert abs(float(usual.result()) - expected) > 5e-3
