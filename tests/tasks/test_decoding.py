"""Predicted and true labels from outputs and targets."""

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

RNG = np.random.default_rng(0)


def test_class_of_one_hot_targets_and_of_a_missing_one():
    task = Classification("stage", 3)
    targets = np.array([[0, 1, 0], [np.nan] * 3, [-1, -1, -1], [0, 0, 1]])
    output = np.full((4, 3), 1 / 3)
    assert task.decode_targets(targets, output).tolist() == [1, -1, -1, 2]


@pytest.mark.parametrize("dtype", ["int32", "float32", "uint8"])
def test_integer_targets(dtype):
    targets = np.array([[0], [2]], dtype)
    found = Classification("stage", 3).decode_targets(targets, np.ones((2, 3)))
    assert found.tolist() == [0, 2]
    assert found.dtype == "int32"


def test_missing_integer_targets():
    task = SequenceTagging("tags", 3)
    targets = np.array([[0.0, np.nan], [2.0, -1.0]])
    found = task.decode_targets(targets, np.ones((2, 2, 3)))
    assert found.tolist() == [[0, -1], [2, -1]]


def test_soft_labels_count_as_in_metrics():
    task = BinaryClassification("clicked")
    targets = np.array([0.0, 0.4, 0.5, 1.0, np.nan])
    found = task.decode_targets(targets, np.ones((5, 1)))
    assert found.tolist() == [0, 0, 1, 1, -1]


def test_columns_keep_their_axis():
    task = MultiLabelClassification("topics", 2)
    predicted, confidence = task.decode(np.array([[0.9, 0.2]]))
    assert predicted.tolist() == [[1, 0]]
    np.testing.assert_allclose(confidence, [[0.9, 0.8]])
    targets = np.array([[-1, 1]])
    assert task.decode_targets(targets, predicted).tolist() == [[-1, 1]]


def test_a_binary_mask_has_one_channel():
    task = Segmentation("mask", 1)
    output = RNG.random((2, 4, 4, 1))
    predicted, confidence = task.decode(output)
    np.testing.assert_array_equal(predicted, output[..., 0] > 0.5)
    assert confidence.min() >= 0.5
    for shape in ((2, 4, 4), (2, 4, 4, 1)):
        found = task.decode_targets(np.ones(shape, "uint8"), output)
        assert found.shape == (2, 4, 4)


@pytest.mark.parametrize("task", [Regression("age"), DenseRegression("depth")])
def test_numbers_stay(task):
    output = RNG.random((2, *[4] * (task.feature_rank - 2), 1))
    predicted, confidence = task.decode(output)
    assert predicted is output
    assert confidence is None
    targets = output[..., 0].copy()
    targets[0] = np.nan
    found = task.decode_targets(targets, output)
    np.testing.assert_array_equal(found[..., 0], targets)


@pytest.mark.parametrize("kind", [Classification, SequenceTagging])
def test_logits_and_probabilities_decode_alike(kind):
    logits = RNG.normal(size=(5, *[4] * (kind.feature_rank - 2), 3))
    exponentials = np.exp(logits)
    probabilities = exponentials / exponentials.sum(axis=-1, keepdims=True)
    found = kind("t", 3, activation=None).decode(logits)
    expected = kind("t", 3).decode(probabilities)
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_allclose(found[1], expected[1])
