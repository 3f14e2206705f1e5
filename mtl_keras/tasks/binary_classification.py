"""One binary label per sample."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import keras

from mtl_keras import metrics
from mtl_keras.tasks.auc import auc
from mtl_keras.tasks.class_labels import check_binary_labels
from mtl_keras.tasks.decoding import binary_threshold
from mtl_keras.tasks.task import Task


@keras.saving.register_keras_serializable("mtl_keras")
@dataclasses.dataclass(frozen=True)
class BinaryClassification(Task):
    """Class 0 or 1 per sample, one output unit.

    Targets are 0 or 1, of shape `(batch,)` or `(batch, 1)`. Numbers in between
    are soft labels: the loss uses them unchanged, and metrics that need a
    class count 0.5 and more as class 1. The loss is binary cross-entropy. The
    metrics are `auc` (Keras's with 1,000 thresholds, primary) and `accuracy`;
    `balanced_accuracy` and `f1` are optional.

    Args:
        name: See `Task`.
        activation: `"sigmoid"` (default), or `None` for logits.
        class_names: Two strings, the names of class 0 and 1. Defaults to
            `None`: the classes have no names.
        loss, metrics, loss_weight, primary_metric, direction, complete_labels:
            See `Task`.

    Example:

    >>> task = mtl_keras.BinaryClassification("clicked")
    >>> task.head(keras.Input((64,))).shape
    (None, 1)
    """

    class_names: Sequence[str] | None = dataclasses.field(
        default=None, kw_only=True
    )

    target_kind = "binary"
    default_activation = "sigmoid"
    default_metrics = ("auc", "accuracy")

    def _default_loss(self):
        return keras.losses.BinaryCrossentropy(from_logits=self.from_logits)

    def _metric_makers(self):
        threshold = binary_threshold(self.from_logits)
        return {
            "accuracy": lambda name: keras.metrics.BinaryAccuracy(
                threshold=threshold, name=name
            ),
            "auc": lambda name: auc(name, self.from_logits),
            "balanced_accuracy": lambda name: metrics.BinaryBalancedAccuracy(
                threshold, name=name
            ),
            "f1": lambda name: metrics.BinaryDice(threshold, name=name),
        }

    def target_shapes(self, output_shape):
        return [(), (1,)]

    def check_target_values(self, targets, output_shape):
        check_binary_labels(
            self.name,
            targets,
            "For more classes use Classification; for a number, Regression.",
            complete=self.complete_labels,
        )
