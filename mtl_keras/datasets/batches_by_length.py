"""Makes batches of sequences of similar length from arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from mtl_keras.datasets.arguments import check_count, check_seed
from mtl_keras.datasets.encode_tags import count_tokens
from mtl_keras.datasets.join_tokens import join_tokens
from mtl_keras.datasets.reading.length_order import order_by_length
from mtl_keras.datasets.samples import Targets
from mtl_keras.spelling import did_you_mean
from mtl_keras.tasks import Task


def batches_by_length(
    x: np.ndarray | Sequence[str] | Sequence[Sequence[str]],
    y: Targets,
    tasks: Sequence[Task],
    *,
    batch_size: int = 32,
    seed: int = 0,
    padding_value: float = 0,
) -> tf.data.Dataset:
    """Makes batches of sequences of similar length, to train on less padding.

    Each batch is as long as its longest sequence. The batches and their order
    differ in each epoch; every sequence is in one batch.

    Args:
        x: The inputs: an array or list of sentences, lists of tokens, token
            indices of shape `(n, steps)`, or sequences of numbers of shape
            `(n, steps, channels)`, padded at the end.
        y: Dict from task name to targets. Those of tasks on steps have shape
            `(n, steps, ...)`.
        tasks: List of the tasks, which determine what targets have steps.
        batch_size: Integer, samples per batch; the last may be smaller.
            Defaults to 32.
        seed: Integer of at least 0. The same seed gives the same batches,
            where `keras.utils.set_random_seed` is called with the same seed or
            not at all. Defaults to 0.
        padding_value: Number that pads numeric inputs. A step is padding if
            all its channels, and all steps after it, have that value. Defaults
            to 0.

    Returns:
        A `tf.data.Dataset` of `(x, y)`, for models with `None` steps.

    Raises:
        TypeError: If `y` is not a dict.
        ValueError: If the numbers of samples or steps differ, a task has no
            targets, or a sentence is empty or longer than its targets.

    Example:

    >>> x = ["play jazz", "rate this book", "play some jazz"]
    >>> y = {"slots": np.array([[0, 1, -1], [0, 0, 0], [0, 0, 1]])}
    >>> batches = mtl_keras.datasets.batches_by_length(
    ...     x, y, [mtl_keras.SequenceTagging("slots", 2)], batch_size=2
    ... )
    >>> len(batches)
    2
    """
    check_count("batch_size", batch_size)
    check_seed(seed)
    x, lengths = _inputs(x, padding_value)
    steps = {task.name for task in tasks if task.labels_per == "step"}
    y = _targets(y, tasks, lengths, steps)
    is_text = x.dtype.kind == "O"
    if is_text:  # `fit` does not accept labels without a token either
        for name in sorted(steps):
            _check_after(name, y[name], lengths)
    inputs = tf.convert_to_tensor(x)
    targets = {name: tf.convert_to_tensor(values) for name, values in y.items()}
    counts = tf.constant(lengths, "int64")

    def batch(chosen):
        longest = tf.reduce_max(tf.gather(counts, chosen))
        x = tf.gather(inputs, chosen)
        y = {
            name: _cut(tf.gather(values, chosen), longest)
            if name in steps
            else tf.gather(values, chosen)
            for name, values in targets.items()
        }
        return x if is_text else _cut(x, longest), y

    order = order_by_length(lengths, batch_size, seed)
    return order.map(batch).prefetch(tf.data.AUTOTUNE)


def _cut(values, longest):
    return values[:, :longest]


def _inputs(x, padding_value) -> tuple[np.ndarray, np.ndarray]:
    """Returns the inputs as one array, and the number of steps of each."""
    if isinstance(x, Sequence) and x and not isinstance(x[0], str):
        x = join_tokens(x)
    x = np.asarray(x)
    if not x.ndim or not len(x):
        raise ValueError(f"`x` has shape {x.shape}; expected samples.")
    if x.dtype.kind in "OUS":
        if x.ndim != 1:
            raise ValueError(
                f"`x` has strings of shape {x.shape}; expected (n,)."
            )
        lengths = np.array(list(map(count_tokens, x)))
        if not lengths.all():
            raise ValueError(
                f"`x` has no tokens in row {int(lengths.argmin())}; expected "
                "a sentence."
            )
        return x.astype(object), lengths
    if x.ndim < 2:
        raise ValueError(
            f"`x` has shape {x.shape}; expected strings of shape (n,), or "
            "numbers of shape (n, steps) or (n, steps, channels)."
        )
    filled = x.reshape(*x.shape[:2], -1) != padding_value
    filled = filled.any(axis=-1)
    last = x.shape[1] - np.argmax(filled[:, ::-1], axis=1)
    # A sequence of only padding keeps one step.
    return x, np.where(filled.any(axis=1), last, 1)


def _targets(y, tasks, lengths, steps) -> Targets:
    if not isinstance(y, Mapping):
        raise TypeError(
            f"`y` is a {type(y).__name__}; expected a dict from task name to "
            "targets."
        )
    known = {task.name for task in tasks}
    for name in [*known, *y]:
        if name not in y or name not in known:
            found = y if name in known else known
            what = "targets" if name in known else "task"
            raise ValueError(
                f"Task {name!r} has no {what}. {did_you_mean(name, found)}"
            )
    y = {name: np.asarray(values) for name, values in y.items()}
    for name, values in y.items():
        if not values.ndim or len(values) != len(lengths):
            raise ValueError(
                f"Task {name!r} has targets of shape {values.shape}, but there "
                f"are {len(lengths)} samples."
            )
        if name not in steps:
            continue
        if values.ndim < 2 or values.shape[1] < lengths.max():
            row = int(lengths.argmax())
            raise ValueError(
                f"Task {name!r} has targets of shape {values.shape}, but row "
                f"{row} has {lengths.max()} steps; expected a target for each "
                "step."
            )
    return y


def _check_after(name: str, values: np.ndarray, lengths: np.ndarray) -> None:
    """Raises an error if a label would be cut off."""
    if values.ndim > 2 and values.shape[2] > 1:
        return  # one-hot, with any missing label
    values = values.reshape(values.shape[:2])
    labelled = (values != -1) & ~np.isnan(values)
    after = labelled & (np.arange(values.shape[1]) >= lengths[:, None])
    if after.any():
        row, step = (int(i) for i in np.argwhere(after)[0])
        raise ValueError(
            f"Task {name!r} has a label at step {step} of row {row}, which has "
            f"{lengths[row]} steps; expected -1 after the last."
        )
