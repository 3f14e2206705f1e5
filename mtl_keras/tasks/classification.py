"""One of several classes per sample."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import keras

from mtl_keras import losses, metrics
from mtl_keras.tasks.class_labels import check_class_targets
from mtl_keras.tasks.task import Task


@keras.saving.register_keras_serializable("mtl_keras")
@dataclasses.dataclass(frozen=True)
class Classification(Task):
    """One of `num_classes` classes per sample.

    Targets are integers of shape `(batch,)` or `(batch, 1)`, or one-hot of
    shape `(batch, num_classes)`. The loss is cross-entropy, the metric is
    `accuracy`; `balanced_accuracy` and `f1` (macro) are optional.

    Args:
        name: See `Task`.
        num_classes: Number of classes, 2 or more.
        activation: `"softmax"` (default), or `None` for logits.
        class_names: `num_classes` strings, the name of class 0 first. Defaults
            to `None`: the classes have no names.
        loss, metrics, loss_weight, primary_metric, direction, complete_labels:
            See `Task`.

    Example:

    >>> task = mtl_keras.Classification("digit", num_classes=10)
    >>> task.head(keras.Input((64,))).shape
    (None, 10)
    """

    num_classes: int
    class_names: Sequence[str] | None = dataclasses.field(
        default=None, kw_only=True
    )

    target_kind = "class"
    size_argument = "num_classes"
    min_size = 2
    default_activation = "softmax"
    default_metrics = ("accuracy",)

    def _default_loss(self):
        return losses.Crossentropy(from_logits=self.from_logits)

    def _metric_makers(self):
        count = self.num_classes
        return {
            "accuracy": lambda name: metrics.Accuracy(name=name),
            "balanced_accuracy": lambda name: metrics.BalancedAccuracy(
                count, name=name
            ),
            "f1": lambda name: metrics.MeanDice(count, name=name),
        }

    def target_shapes(self, output_shape):
        return [output_shape[:-1], (*output_shape[:-1], 1), output_shape]

    def check_target_values(self, targets, output_shape):
        check_class_targets(
            self,
            targets,
            f"Number the classes from 0; the task has "
            f"num_classes={self.num_classes}.",
        )
