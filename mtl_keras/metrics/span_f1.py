"""F1 score of spans, as in the CoNLL shared tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import keras
import numpy as np
from keras import ops

from mtl_keras.keras_compat import get_mask
from mtl_keras.losses.class_targets import to_integers
from mtl_keras.metrics.tag_decoding import decode_tags
from mtl_keras.metrics.tag_names import check_bio, check_iob2


class Spans(NamedTuple):
    """Positions of spans, as tensors of shape `(batch, steps)`.

    Args:
        inside: Whether a step is in a span.
        kind: Index of the span's type, -1 outside.
        starts: Whether a span starts at the step.
        ends: Whether a span ends at the step.
    """

    inside: object
    kind: object
    starts: object
    ends: object


@keras.saving.register_keras_serializable("mtl_keras")
class SpanF1(keras.metrics.Metric):
    """Harmonic mean of the precision and recall of spans, over all types.

    A predicted span is correct if a true one has the same type, first step and
    last step. As in CoNLL's `conlleval`, an `I-` that does not follow a span
    of its type starts one. A step without a label, such as padding, is outside
    of all spans, in the targets and in the predictions.

    Args:
        class_names: Sequence of tags in BIO form, that of class 0 first: `O`,
            and `B-<type>` or `I-<type>`.
        decode: Whether to predict the most probable valid sequence of tags
            (see `decode_tags`). Defaults to `False`: the most probable tag of
            each step.
        from_logits: Whether predictions are logits. Only `decode` uses it.
            Defaults to `False`.
        name: Name of the metric. Defaults to `"span_f1"`.
        dtype: As in `keras.metrics.Metric`.

    Raises:
        TypeError: If `class_names` is not a sequence of strings.
        ValueError: If it is not in BIO form or, for `decode`, not in IOB2
            form, where each `I-<type>` has a `B-<type>`.

    Example:

    >>> metric = mtl_keras.metrics.SpanF1(["O", "B-artist", "I-artist"])
    >>> y_true = np.array([[0, 1, 2, 0, 1]])
    >>> y_pred = np.eye(3)[[[0, 1, 2, 0, 0]]]  # one of two spans is found
    >>> metric.update_state(y_true, y_pred)
    >>> round(float(metric.result()), 3)
    0.667

    Reference:
        Tjong Kim Sang and Buchholz, "Introduction to the CoNLL-2000 Shared
        Task: Chunking", 2000.
    """

    def __init__(
        self,
        class_names: Sequence[str],
        decode: bool = False,
        from_logits: bool = False,
        name: str = "span_f1",
        dtype=None,
    ):
        super().__init__(name=name, dtype=dtype)
        check = check_iob2 if decode else check_bio
        self.class_names = list(check(class_names))
        self.decode = decode
        self.from_logits = from_logits
        types = sorted({_type(tag) for tag in self.class_names} - {None})
        self._kinds = np.array(
            [
                -1 if _type(tag) is None else types.index(_type(tag))
                for tag in self.class_names
            ],
            "int32",
        )
        self._begins = np.array([tag[:2] == "B-" for tag in self.class_names])
        self._direction = "up"
        self.correct, self.true, self.predicted = (
            self.add_variable((), "zeros", name=count)
            for count in ("correct", "true", "predicted")
        )

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Adds a batch.

        Args:
            y_true: Integer tags of shape `(batch, steps)` or `(batch, steps,
                1)`, -1 where the label is missing; or one-hot.
            y_pred: Scores of shape `(batch, steps, classes)`.
            sample_weight: Weights of shape `(batch, steps)` or `(batch,)`. 0
                leaves steps out, others count as 1. Defaults to `None`.
        """
        y_pred = ops.convert_to_tensor(y_pred)
        tags = to_integers(ops.convert_to_tensor(y_true), y_pred)
        labelled = tags >= 0
        mask = get_mask(y_pred)
        if mask is not None:
            labelled = ops.logical_and(labelled, mask)
        if sample_weight is not None:
            weighted = ops.convert_to_tensor(sample_weight) != 0
            if len(weighted.shape) == 1:
                weighted = weighted[:, None]
            labelled = ops.logical_and(labelled, weighted)
        true = self._spans(ops.maximum(tags, 0), labelled)
        predicted = self._spans(self._tags(y_pred, labelled), labelled)
        self.true.assign_add(self._count(true.starts))
        self.predicted.assign_add(self._count(predicted.starts))
        self.correct.assign_add(self._count(_found(true, predicted)))

    def _tags(self, y_pred, labelled):
        if not self.decode:
            return ops.argmax(y_pred, axis=-1)
        return decode_tags(
            y_pred,
            self.class_names,
            mask=labelled,
            from_logits=self.from_logits,
        )

    def _count(self, booleans):
        return ops.sum(ops.cast(booleans, self.dtype))

    def _spans(self, tags, labelled) -> Spans:
        kind = ops.where(labelled, ops.take(self._kinds, tags), -1)
        begins = ops.take(self._begins, tags)
        inside = kind >= 0
        other = kind != _shift_right(kind, -1)
        starts = ops.logical_and(inside, ops.logical_or(begins, other))
        continues = ops.logical_and(inside, ops.logical_not(starts))
        ends = ops.logical_and(inside, ops.logical_not(_shift_left(continues)))
        return Spans(inside, kind, starts, ends)

    def result(self):
        """Returns the F1 score, 0 if there are no spans."""
        return ops.divide_no_nan(2 * self.correct, self.true + self.predicted)

    def get_config(self) -> dict:
        return {
            "class_names": self.class_names,
            "decode": self.decode,
            "from_logits": self.from_logits,
            "name": self.name,
            "dtype": self.dtype,
        }


def _found(true: Spans, predicted: Spans):
    """Returns whether a true span that ends at a step was predicted."""
    same = ops.logical_and(
        true.kind == predicted.kind,
        ops.logical_and(
            true.starts == predicted.starts, true.ends == predicted.ends
        ),
    )
    wrong = ops.logical_and(true.inside, ops.logical_not(same))
    # All spans of the batch get a number; one wrong step makes a span wrong.
    numbers = ops.cumsum(ops.cast(ops.reshape(true.starts, (-1,)), "int32"))
    any_wrong = ops.segment_max(
        ops.cast(ops.reshape(wrong, (-1,)), "int32"),
        numbers,
        num_segments=ops.size(numbers) + 1,
    )
    right = ops.reshape(ops.take(any_wrong, numbers), ops.shape(wrong)) == 0
    return ops.logical_and(true.ends, right)


def _shift_right(values, first):
    return ops.concatenate(
        [ops.full_like(values[:, :1], first), values[:, :-1]], axis=1
    )


def _shift_left(booleans):
    return ops.concatenate(
        [booleans[:, 1:], ops.zeros_like(booleans[:, :1])], axis=1
    )


def _type(tag: str) -> str | None:
    return None if tag == "O" else tag[2:]
