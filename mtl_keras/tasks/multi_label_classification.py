"""Several binary labels per sample."""

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
class MultiLabelClassification(Task):
    """`num_labels` binary labels per sample.

    Targets are 0 or 1, of shape `(batch, num_labels)`; numbers in between are
    soft labels, as in `BinaryClassification`. The loss is binary
    cross-entropy, averaged over labels. The metrics are `auc` (Keras's with
    2,000 thresholds, the mean over labels, primary) and `accuracy` (over all
    labels); `f1` (macro) is optional.

    Args:
        name: See `Task`.
        num_labels: Number of labels, 1 or more.
        activation: `"sigmoid"` (default), or `None` for logits.
        class_names: `num_labels` strings, the names of the labels. Defaults
            to `None`: they have no names.
        loss, metrics, loss_weight, primary_metric, direction, complete_labels:
            See `Task`.

    Example:

    >>> task = mtl_keras.MultiLabelClassification("toxicity", num_labels=12)
    >>> task.head(keras.Input((64,))).shape
    (None, 12)
    """

    num_labels: int
    class_names: Sequence[str] | None = dataclasses.field(
        default=None, kw_only=True
    )

    target_kind = "binary"
    columns = True
    size_argument = "num_labels"
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
            "auc": lambda name: auc(
                name,
                self.from_logits,
                multi_label=True,
                num_labels=self.num_labels,
            ),
            "f1": lambda name: metrics.F1Score(self.from_logits, name=name),
        }

    def target_shapes(self, output_shape):
        return [output_shape]

    def check_target_values(self, targets, output_shape):
        check_binary_labels(
            self.name,
            targets,
            "Each column is one label: 1 where the sample has it, else 0.",
            complete=self.complete_labels,
        )
