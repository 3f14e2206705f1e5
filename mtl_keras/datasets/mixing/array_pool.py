"""Data sets in memory that look alike, read by one gather."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from mtl_keras.datasets.mixing.array_source import ArraySource
from mtl_keras.datasets.mixing.joined_arrays import JoinedArrays
from mtl_keras.datasets.mixing.pooled_targets import PooledTargets
from mtl_keras.datasets.mixing.signature import MixedTarget, Signature

# To lie in one piece, arrays are copied: not the large ones, of which there are
# few, nor too many at once.
LARGE_BYTES, MOST_BYTES = 2**25, 2**30


class ArrayPool:
    """Data sets in memory that look alike, one after another.

    However many they are, a batch costs the same few operations, and so does
    the graph that reads it.

    Args:
        sources: Sequence of the `ArraySource`s of a mixture, `None` in place
            of each that is in another pool. Their inputs, and the targets that
            two of them have, are of one shape and dtype.
        targets: Dict from task name to the `MixedTarget` of the mixture.
    """

    def __init__(
        self,
        sources: Sequence[ArraySource | None],
        targets: Mapping[str, MixedTarget],
    ) -> None:
        members = [source for source in sources if source is not None]
        self._adaptation = members[0].adaptation
        self._own = Signature(
            members[0].own.x,
            {t: spec for member in members for t, spec in member.own.y.items()},
        )
        self._x = JoinedArrays([s and s.x for s in sources])
        self._y = _pool_targets(sources, targets, self._own)

    def choose(self, draws: Sequence) -> tuple:
        """Chooses the samples that lie in this pool.

        Args:
            draws: Tensors of shape `(n, ...)`, numbers of data sets first.

        Returns:
            The same tensors, of the samples of this pool alone.
        """
        here = tf.where(self._x.holds(draws[0]))[:, 0]
        return tuple(tf.gather(values, here) for values in draws)

    def take(self, sets, rows) -> tuple:
        """Gathers and adapts samples.

        Args:
            sets: Tensor, a vector of numbers of data sets.
            rows: Tensor, a vector of their rows.

        Returns:
            `(x, y)`, tensors. Where the data set of a sample does not label a
            task of the pool, its label is missing.
        """
        y = {}
        for targets in self._y:
            y |= targets.take(sets, rows)
        return self._adaptation(self._x.take(sets, rows), y, self._own)


def make_pools(
    sources: Sequence[ArraySource], targets: Mapping[str, MixedTarget]
) -> list[ArrayPool]:
    """Pools the data sets that look alike, unless they are large.

    Args:
        sources: Sequence of the `ArraySource`s of a mixture.
        targets: Dict from task name to the `MixedTarget` of the mixture.

    Returns:
        The `ArrayPool`s. Each data set is in one of them.
    """
    looks: list[_Look] = []
    pools: list[list] = []
    for number, source in enumerate(sources):
        for look, members in zip(looks, pools, strict=True):
            if look.takes(source):
                look.add(source)
                members[number] = source
                break
        else:
            looks.append(_Look(source))
            pools.append([None] * len(sources))
            pools[-1][number] = source
    return [ArrayPool(members, targets) for members in pools]


class _Look:
    """What the data sets of a pool look like, and how large they are."""

    def __init__(self, source: ArraySource):
        self._x = source.own.x
        self._shapes: dict[str, tuple] = {}
        self._bytes = 0
        self._most = 0 if source.nbytes > LARGE_BYTES else MOST_BYTES
        self.add(source)

    def takes(self, source: ArraySource) -> bool:
        return (
            source.own.x == self._x
            and source.nbytes <= LARGE_BYTES
            and self._bytes + source.nbytes <= self._most
            and all(
                self._shapes.get(task, spec.shape) == spec.shape
                for task, spec in source.own.y.items()
            )
        )

    def add(self, source: ArraySource) -> None:
        self._bytes += source.nbytes
        self._shapes |= {t: spec.shape for t, spec in source.own.y.items()}


def _pool_targets(sources, targets, own: Signature) -> list[PooledTargets]:
    """Tasks of one form together."""
    forms: dict[tuple, dict[str, list]] = {}
    for task, spec in own.y.items():
        labels = [None if s is None else s.y.get(task) for s in sources]
        dtypes = {array.dtype for array in labels if array is not None}
        mixed = targets[task].spec.dtype
        # A mask of bytes is stored as such, and cast in the batch.
        stored = dtypes.pop() if len(dtypes) == 1 else mixed
        missing = np.isnan(targets[task].missing)
        form = (spec.shape, stored, mixed, missing)
        forms.setdefault(form, {})[task] = labels
    return [
        PooledTargets(labels, stored, targets[next(iter(labels))])
        for (_, stored, *_), labels in forms.items()
    ]
