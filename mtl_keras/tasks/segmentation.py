"""One of several classes per pixel."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import keras

from mtl_keras import losses, metrics
from mtl_keras.tasks.class_labels import check_class_targets
from mtl_keras.tasks.decoding import binary_threshold
from mtl_keras.tasks.task import Task


@keras.saving.register_keras_serializable("mtl_keras")
@dataclasses.dataclass(frozen=True)
class Segmentation(Task):
    """A mask of the height and width of the features.

    One class is a binary mask: targets are 0 or 1, of shape `(batch, height,
    width)` or `(batch, height, width, 1)`. The loss is binary cross-entropy
    plus Dice, the metric is `iou` of the foreground; `dice` and `accuracy` are
    optional.

    With more classes, targets are integers of these shapes, or one-hot over
    the last axis. The loss is cross-entropy plus Dice, the metric is
    `mean_iou`; `dice` (mean over classes) and `accuracy` are optional.

    `iou`, `mean_iou` and `dice` pool all pixels of an epoch; they are not
    averaged over images.

    Args:
        name: See `Task`.
        num_classes: Number of classes, background included; 1 is a binary
            mask.
        activation: `"sigmoid"` for one class and `"softmax"` for more
            (default), or `None` for logits.
        class_names: `num_classes` strings, the name of class 0 first (for a
            binary mask two: background and foreground). Defaults to `None`:
            the classes have no names.
        loss, metrics, loss_weight, primary_metric, direction, complete_labels:
            See `Task`.

    Example:

    >>> task = mtl_keras.Segmentation("mask", num_classes=1)
    >>> task.head(keras.Input((32, 32, 16))).shape
    (None, 32, 32, 1)
    """

    num_classes: int
    class_names: Sequence[str] | None = dataclasses.field(
        default=None, kw_only=True
    )

    target_kind = "class"
    labels_per = "pixel"
    feature_rank = 4
    size_argument = "num_classes"

    @property
    def default_activation(self):
        return "sigmoid" if self.num_classes == 1 else "softmax"

    @property
    def default_metrics(self):
        return ("iou",) if self.num_classes == 1 else ("mean_iou",)

    def _default_loss(self):
        return losses.CrossentropyDice(from_logits=self.from_logits)

    def _metric_makers(self):
        if self.num_classes == 1:
            threshold = binary_threshold(self.from_logits)
            return {
                "accuracy": lambda name: keras.metrics.BinaryAccuracy(
                    threshold=threshold, name=name
                ),
                "dice": lambda name: metrics.BinaryDice(threshold, name=name),
                "iou": lambda name: keras.metrics.BinaryIoU(
                    target_class_ids=[1], threshold=threshold, name=name
                ),
            }
        count = self.num_classes
        return {
            "accuracy": lambda name: metrics.Accuracy(name=name),
            "dice": lambda name: metrics.MeanDice(count, name=name),
            "mean_iou": lambda name: metrics.MeanIoU(count, name=name),
        }

    def target_shapes(self, output_shape):
        height_width = output_shape[:-1]
        shapes = [(*height_width, 1), height_width]
        return shapes if self.num_classes == 1 else [*shapes, output_shape]

    def check_target_values(self, targets, output_shape):
        check_class_targets(
            self,
            targets,
            "A binary mask holds 0 and 1: divide a mask of 0 and 255 by 255."
            if self.num_classes == 1
            else f"The task has num_classes={self.num_classes}, background "
            "included.",
        )
