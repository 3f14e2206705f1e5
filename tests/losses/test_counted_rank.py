"""Ranks of the values of losses: per element, sample or batch."""

import keras
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
from mtl_keras.losses.counted_rank import counted_rank
from mtl_keras.losses.function_loss import FunctionLoss


def row_loss(y_true, y_pred):
    return keras.ops.mean(keras.ops.square(y_true - y_pred), axis=-1)


def sample_loss(y_true, y_pred):
    axes = tuple(range(1, len(y_pred.shape)))
    return keras.ops.mean(keras.ops.square(y_true - y_pred), axis=axes)


def batch_loss(y_true, y_pred):
    return keras.ops.mean(keras.ops.square(y_true - y_pred))


def element_loss(y_true, y_pred):
    return keras.ops.square(y_true - y_pred)


class OfRows(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return row_loss(y_true, y_pred)


LABELS = MultiLabelClassification("a", 3)
PLACE, DEPTH = Regression("a", units=2), DenseRegression("a")
CASES = {
    # Elements of tasks of columns: samples by columns.
    "labels_default": (LABELS, (3,), None, 2),
    "labels_name": (LABELS, (3,), "mse", 2),
    "labels_hinge": (LABELS, (3,), keras.losses.Hinge(), 2),
    "labels_rows": (LABELS, (3,), row_loss, 1),
    "labels_class": (LABELS, (3,), OfRows(), 1),
    "labels_elements": (LABELS, (3,), element_loss, 2),
    "labels_batches": (LABELS, (3,), batch_loss, 1),
    "place_huber": (PLACE, (2,), keras.losses.Huber(), 2),
    "place_cosine": (PLACE, (2,), "cosine_similarity", 1),
    "place_rows": (PLACE, (2,), row_loss, 1),
    "depth_default": (DEPTH, (4, 4, 1), None, 4),
    "depth_any_size": (DEPTH, (None, None, 1), "mse", 4),
    "depth_rows": (DEPTH, (4, 4, 1), row_loss, 3),
    "depth_samples": (DEPTH, (4, 4, 1), sample_loss, 1),
    # Of the others: samples, pixels, tokens.
    "kind": (Classification("a", 3), (3,), None, 1),
    "kind_dense": (Classification("a", 3), (3,), "categorical_hinge", 1),
    "yes": (BinaryClassification("a"), (1,), None, 1),
    "yes_rows": (BinaryClassification("a"), (1,), row_loss, 1),
    "mask": (Segmentation("a", 1), (4, 4, 1), None, 3),
    "mask_keras": (Segmentation("a", 1), (4, 4, 1), "binary_crossentropy", 3),
    "mask_dice": (Segmentation("a", 1), (4, 4, 1), keras.losses.Dice(), 1),
    "mask_rows": (Segmentation("a", 1), (4, 4, 1), row_loss, 3),
    "mask_samples": (Segmentation("a", 1), (4, 4, 1), sample_loss, 1),
    "parts_any_size": (Segmentation("a", 3), (None, None, 3), None, 3),
    "parts_dice": (Segmentation("a", 3), (4, 4, 3), keras.losses.Dice(), 1),
    "parts_focal": (
        Segmentation("a", 3),
        (4, 4, 3),
        keras.losses.CategoricalFocalCrossentropy(),
        3,
    ),
    "tags": (SequenceTagging("a", 3), (None, 3), None, 2),
    "tags_dense": (
        SequenceTagging("a", 3),
        (5, 3),
        "categorical_crossentropy",
        2,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_counted_rank(case):
    task, shape, loss, rank = CASES[case]
    loss = keras.losses.get(task.loss if loss is None else loss)
    if not isinstance(loss, keras.losses.Loss):
        loss = FunctionLoss(loss)
    assert counted_rank(loss, task, shape) == rank
