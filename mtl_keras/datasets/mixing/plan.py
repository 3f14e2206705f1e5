"""Plans the number of samples of each data set in each step."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

# Final exponent of annealed sampling in the paper, nearly uniform.
ANNEALED_EXPONENT = 0.2


@dataclasses.dataclass(frozen=True)
class Plan:
    """Number of samples of each data set in each step of an epoch.

    Args:
        steps: Integer, number of steps per epoch.
        counts: Function from the number of an epoch and a seed, tensors, to
            an integer tensor of shape `(steps, data sets)`.
        blended: Boolean, whether a batch mixes samples of several data sets.
            Defaults to `False`.
    """

    steps: int
    counts: Callable
    blended: bool = False


def joint(
    sizes: Sequence[float], counts: Sequence[int], steps: str | int
) -> Plan:
    """Takes samples of each data set in every step.

    Args:
        sizes: Number of samples of each data set.
        counts: Number of samples of each data set in a batch.
        steps: Number of steps, `"longest"` or `"shortest"`.

    Returns:
        A `Plan`. If a data set determines the length of the epoch, the last
        step takes the rest of its samples, and a proportional number of the
        others.
    """
    counts = np.asarray(counts, "int64")
    if not isinstance(steps, str):
        return _fixed(np.tile(counts, (steps, 1)), blended=True)
    leader = _leader(np.divide(sizes, counts), steps)
    full, rest = divmod(int(sizes[leader]), int(counts[leader]))
    table = np.tile(counts, (full + bool(rest), 1))
    if rest:
        table[-1] = np.maximum(1, np.rint(counts * rest / counts[leader]))
    return _fixed(table, blended=True)


def alternate(
    sizes: Sequence[float], batch_size: int, steps: str | int
) -> Plan:
    """Takes a whole batch of each data set in turn.

    Args:
        sizes: Number of samples of each data set.
        batch_size: Samples per batch.
        steps: Number of steps; or `"longest"` or `"shortest"`, for as many
            rounds as that data set has batches.

    Returns:
        A `Plan`.
    """
    number = len(sizes)
    if not isinstance(steps, str):
        turns = np.arange(steps) % number
        return _fixed(batch_size * np.eye(number, dtype="int64")[turns])
    leader = _leader(sizes, steps)
    rounds = math.ceil(sizes[leader] / batch_size)
    table = np.tile(batch_size * np.eye(number, dtype="int64"), (rounds, 1))
    last = _last_batches(sizes, [rounds] * number, batch_size)
    table[-number:] = np.diag(last)
    return _fixed(table)


def sampled(
    sizes: Sequence[float],
    exponent: float,
    batch_size: int,
    steps: str | int,
) -> Plan:
    """Takes whole batches of each data set, in proportion to its share.

    Args:
        sizes: Number of samples of each data set.
        exponent: Float. The share of a data set is its size to this power.
        batch_size: Samples per batch.
        steps: Number of steps, `"longest"` or `"shortest"`.

    Returns:
        A `Plan` with a random order of the data sets in each epoch.
    """
    weights = np.ones(len(sizes)) if exponent == 0 else _power(sizes, exponent)
    if isinstance(steps, str):
        leader = _leader(np.divide(sizes, weights), steps)
        exact = weights * (sizes[leader] / weights[leader] / batch_size)
        # Ignore rounding errors of integers.
        batches = np.ceil(exact - 1e-9).astype("int64")
        last = _last_batches(sizes, batches, batch_size)
    else:
        batches = largest_remainder(steps, weights / weights.sum())
        last = [batch_size] * len(sizes)
    return Plan(
        steps=int(np.sum(batches)),
        counts=lambda epoch, seed: _shuffled_turns(
            tf.constant(batches), last, batch_size, seed
        ),
    )


def annealed(
    sizes: Sequence[float],
    anneal_epochs: int,
    batch_size: int,
    steps: str | int,
) -> Plan:
    """Changes the shares from proportional to nearly uniform.

    Args:
        sizes: Number of samples of each data set.
        anneal_epochs: Number of epochs until the final shares.
        batch_size: Samples per batch.
        steps: Number of steps; or `"longest"` or `"shortest"`, which both pass
            all data once, as in proportional sampling.

    Returns:
        A `Plan`.
    """
    if isinstance(steps, str):
        steps = sum(math.ceil(size / batch_size) for size in sizes)
    logarithms = tf.constant(np.log(sizes), tf.float64)

    def counts(epoch, seed):
        progress = tf.cast(epoch, tf.float64) / max(1, anneal_epochs - 1)
        exponent = 1 - (1 - ANNEALED_EXPONENT) * tf.minimum(progress, 1.0)
        shares = tf.nn.softmax(exponent * logarithms)
        exact = shares * steps
        batches = tf.cast(tf.floor(exact), tf.int64)
        remainders = exact - tf.floor(exact)
        ranks = tf.argsort(tf.argsort(-remainders, stable=True))
        left = steps - tf.reduce_sum(batches)
        batches += tf.cast(tf.cast(ranks, tf.int64) < left, tf.int64)
        last = [batch_size] * len(sizes)
        return _shuffled_turns(batches, last, batch_size, seed)

    return Plan(steps=steps, counts=counts)


def largest_remainder(total: int, shares: Sequence[float]) -> np.ndarray:
    """Apportions an integer by shares, with the largest remainder method.

    Args:
        total: Integer to apportion.
        shares: Floats that sum to 1.

    Returns:
        Integer array that sums to `total`, each less than 1 away from its
        exact share.
    """
    exact = np.asarray(shares) * total
    # Ignore rounding errors of integers.
    whole = np.floor(exact + 1e-9).astype("int64")
    most_left = np.argsort(whole - exact, kind="stable")
    whole[most_left[: total - whole.sum()]] += 1
    return whole


def _fixed(table: np.ndarray, blended: bool = False) -> Plan:
    return Plan(
        steps=len(table),
        counts=lambda epoch, seed: tf.constant(table, tf.int64),
        blended=blended,
    )


def _leader(lengths: Sequence[float], steps: str) -> int:
    choose = np.argmax if steps == "longest" else np.argmin
    return int(choose(lengths))


def _power(sizes: Sequence[float], exponent: float) -> np.ndarray:
    return np.asarray(sizes, "float64") ** exponent


def _last_batches(sizes, batches, batch_size: int) -> list[int]:
    """Returns the size of the last batch of each data set."""
    return [
        int(size - (number - 1) * batch_size)
        if math.isfinite(size) and math.ceil(size / batch_size) == number
        else batch_size
        for size, number in zip(sizes, batches, strict=True)
    ]


def _shuffled_turns(batches, last, batch_size: int, seed):
    """Shuffles the batches of all data sets."""
    number = len(last)
    turns = tf.repeat(tf.range(number, dtype=tf.int64), batches)
    turns = tf.random.experimental.stateless_shuffle(turns, seed)
    chosen = tf.one_hot(turns, number, dtype=tf.int64)
    is_last = tf.cumsum(chosen) == batches
    return chosen * tf.where(is_last, tf.constant(last, tf.int64), batch_size)
