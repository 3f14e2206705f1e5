"""The most probable valid sequence of tags."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from mtl_keras.metrics.tag_names import check_iob2

_IMPOSSIBLE = -1e9
_SMALLEST = 1e-12


def decode_tags(
    scores,
    class_names: Sequence[str],
    *,
    mask=None,
    from_logits: bool = False,
):
    """Computes the most probable valid sequence of tags.

    The most probable tags of single steps may start a span with `I-`, or
    continue a span of another type. In a valid sequence, each `I-<type>`
    follows a `B-<type>` or `I-<type>`. Viterbi's algorithm finds the one with
    the largest product of probabilities.

    Args:
        scores: Probabilities of shape `(batch, steps, classes)`, steps 1 or
            more.
        class_names: Sequence of tags in IOB2 form, that of class 0 first: `O`,
            `B-<type>` for each type, and `I-<type>` for types that have spans
            of several steps.
        mask: Booleans of shape `(batch, steps)`. The tag is `O` where they are
            false. Defaults to `None`: true everywhere.
        from_logits: Whether the scores are logits. Defaults to `False`.

    Returns:
        int32 tensor of shape `(batch, steps)`: the class of each step.

    Raises:
        TypeError: If `class_names` is not a sequence of strings.
        ValueError: If it is not in IOB2 form, or the number of classes
            differs from that of the scores.

    Reference:
        Viterbi, "Error Bounds for Convolutional Codes and an Asymptotically
        Optimum Decoding Algorithm", 1967.

    Example:

    >>> probabilities = np.array([[[0.5, 0.4, 0.1], [0.1, 0.1, 0.8]]])
    >>> tags = decode_tags(probabilities, ["O", "B-a", "I-a"])
    >>> print(tags.numpy())  # and not O, I-a
    [[1 2]]
    """
    class_names = check_iob2(class_names)
    scores = tf.cast(scores, "float32")
    if scores.shape[-1] not in (None, len(class_names)):
        raise ValueError(
            f"scores have {scores.shape[-1]} classes, but class_names has "
            f"{len(class_names)}; expected the same number."
        )
    if not from_logits:
        scores = tf.math.log(scores + _SMALLEST)
    if mask is not None:
        outside = class_names.index("O")
        only = tf.one_hot(outside, len(class_names), 0.0, _IMPOSSIBLE)
        scores = tf.where(mask[..., None], scores, only)
    continues, begin, inside = _predecessors(class_names)
    by_step = tf.transpose(scores, [1, 0, 2])

    def forward(before, score):
        best, _ = before
        # An I- follows one of two tags, any other tag the best of all.
        first, second = (tf.gather(best, t, axis=1) for t in (begin, inside))
        any_tag = tf.argmax(best, axis=1, output_type="int32")[:, None]
        total = tf.where(
            continues,
            tf.maximum(first, second),
            tf.reduce_max(best, axis=1, keepdims=True),
        )
        origin = tf.where(
            continues, tf.where(first >= second, begin, inside), any_tag
        )
        return total + score, origin

    start = by_step[0] + tf.where(continues, _IMPOSSIBLE, 0.0)
    none = tf.zeros_like(start, "int32")
    best, origins = tf.scan(forward, by_step[1:], (start, none))
    last = tf.concat([start[None], best], axis=0)[-1]
    tags = tf.argmax(last, axis=-1, output_type="int32")
    earlier = tf.scan(
        lambda tag, origin: tf.gather(origin, tag, batch_dims=1),
        origins,
        tags,
        reverse=True,
    )
    return tf.transpose(tf.concat([earlier, tags[None]], axis=0))


def _predecessors(class_names: Sequence[str]) -> tuple:
    """Returns which tags continue a span, and the tags that they follow."""
    numbers = {name: number for number, name in enumerate(class_names)}
    continues = np.array([name[:2] == "I-" for name in class_names])
    inside = np.arange(len(class_names), dtype="int32")
    begin = np.array(
        [
            numbers[f"B-{name[2:]}"] if name[:2] == "I-" else numbers[name]
            for name in class_names
        ],
        "int32",
    )
    return continues, begin, inside
