"""One of several classes per step of a sequence."""

from __future__ import annotations

import dataclasses

import keras

from mtl_keras import metrics
from mtl_keras.metrics.tag_names import check_bio, check_iob2
from mtl_keras.tasks.classification import Classification

# The form of class_names that each span metric needs.
_CHECKS = {"span_f1": check_bio, "decoded_span_f1": check_iob2}


@keras.saving.register_keras_serializable("mtl_keras")
@dataclasses.dataclass(frozen=True)
class SequenceTagging(Classification):
    """One of `num_classes` classes per step of a sequence, such as a token.

    Targets are integers of shape `(batch, steps)` or `(batch, steps, 1)`, or
    one-hot of shape `(batch, steps, num_classes)`. Loss and metrics are those
    of `Classification`, over steps. If `class_names` are tags of spans in BIO
    form, two more metrics are optional: `span_f1`, and `decoded_span_f1` of
    the most probable valid sequence of tags (see
    `mtl_keras.metrics.decode_tags`).

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

    labels_per = "step"
    feature_rank = 3

    def __post_init__(self):
        given = self.metrics or ()
        given = {given} if isinstance(given, str) else set(map(str, given))
        for metric in sorted(_CHECKS.keys() & given):
            try:
                _CHECKS[metric](self.class_names)
            except (TypeError, ValueError) as error:
                raise type(error)(
                    f"Task {self.name!r}: metric {metric!r} needs class_names "
                    f"in {'IOB2' if 'decoded' in metric else 'BIO'} form. "
                    f"{error}"
                ) from None
        super().__post_init__()

    def _metric_makers(self):
        makers = super()._metric_makers()
        if self.class_names and "O" in self.class_names:
            makers["span_f1"] = lambda name: metrics.SpanF1(
                self.class_names, name=name
            )
            makers["decoded_span_f1"] = lambda name: metrics.SpanF1(
                self.class_names,
                decode=True,
                from_logits=self.from_logits,
                name=name,
            )
        return makers
