"""One of several classes per step of a sequence."""

from __future__ import annotations

import dataclasses

import keras

from mtl_keras.tasks.classification import Classification


@keras.saving.register_keras_serializable("mtl_keras")
@dataclasses.dataclass(frozen=True)
class SequenceTagging(Classification):
    """One of `num_classes` classes per step of a sequence (a token, say).

    Targets are integers of shape `(batch, steps)` or `(batch, steps, 1)`, or
    one-hot of shape `(batch, steps, num_classes)`. Loss and metrics are those
    of `Classification`, over steps.

    Args:
        name: See `Task`.
        num_classes: Number of tags, 2 or more.
        activation: `"softmax"` (default), or `None` for logits.
        class_names: See `Classification`.
        loss, metrics, loss_weight, primary_metric, direction, complete_labels:
            See `Task`.

    Example:

    >>> task = mtl_keras.SequenceTagging("slots", num_classes=72)
    >>> task.head(keras.Input((35, 64))).shape
    (None, 35, 72)
    """

    feature_rank = 3
