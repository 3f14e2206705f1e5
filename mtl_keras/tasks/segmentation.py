"""A class per pixel."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import keras

from mtl_keras import losses, metrics
from mtl_keras.tasks.class_labels import (
    check_class_probabilities,
    check_integer_labels,
    is_one_hot_shape,
)
from mtl_keras.tasks.class_names import check_class_names
from mtl_keras.tasks.task import Task


@keras.saving.register_keras_serializable("mtl_keras")
@dataclasses.dataclass(frozen=True)
class Segmentation(Task):
    """A mask of the height and width of the features.

    With one class it is a binary mask: targets are 0 or 1, of shape `(batch,
    height, width)` or `(batch, height, width, 1)`; the loss is binary
    cross-entropy plus Dice, the metrics are `iou` of the foreground (primary)
    and on request `dice` and `accuracy`. With more classes, targets are
    integers of these shapes or one-hot over the last axis; the loss is
    cross-entropy plus Dice, the metrics `mean_iou` (primary), and on request
    `dice` (mean over classes) and `accuracy`. `iou`, `mean_iou` and `dice` are
    pooled over all pixels of an epoch, not averaged over images.

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

    feature_rank = 4

    def __post_init__(self):
        self._check_count("num_classes", least=1)
        names = check_class_names(
            self.name, self.class_names, max(self.num_classes, 2)
        )
        self._set("class_names", names)
        super().__post_init__()

    @property
    def default_activation(self):
        return "sigmoid" if self.num_classes == 1 else "softmax"

    @property
    def default_metrics(self):
        return ("iou",) if self.num_classes == 1 else ("mean_iou",)

    def _head_layer(self):
        return keras.layers.Conv2D(
            self.num_classes,
            kernel_size=1,
            activation=self.activation,
            dtype="float32",
            name=self.name,
        )

    def _default_loss(self):
        return losses.CrossentropyDice(from_logits=self.from_logits)

    def _metric_makers(self):
        if self.num_classes == 1:
            threshold = 0.0 if self.from_logits else 0.5
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
        rank = len(output_shape) + 1
        if self.num_classes > 1 and is_one_hot_shape(
            targets.shape, self.num_classes, rank
        ):
            check_class_probabilities(
                self.name, targets, complete=self.complete_labels
            )
            return
        check_integer_labels(
            self.name,
            targets,
            max(self.num_classes, 2),
            "A binary mask holds 0 and 1: divide a mask of 0 and 255 by 255."
            if self.num_classes == 1
            else f"The task has num_classes={self.num_classes}, background "
            "included.",
            complete=self.complete_labels,
        )
