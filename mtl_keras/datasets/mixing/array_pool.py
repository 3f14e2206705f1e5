"""Gathers samples from several arrays of the same shapes at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from mtl_keras.datasets.mixing.array_data_set import ArrayDataSet
from mtl_keras.datasets.mixing.joined_arrays import JoinedArrays
from mtl_keras.datasets.mixing.pooled_targets import PooledTargets
from mtl_keras.datasets.mixing.signature import MixedTarget, Signature

# Pooled arrays are copied: only small ones, and not too many.
MAX_ARRAY_BYTES, MAX_POOL_BYTES = 2**25, 2**30


class ArrayPool:
    """Arrays of several data sets with the same shapes, in one tensor.

    A batch costs the same few operations for any number of data sets.

    Args:
        sources: Sequence of the `ArrayDataSet`s of a mixture, `None` in place
            of those in another pool. Their inputs have the same shape and
            dtype, and so have targets of the same task.
        targets: Dict from task name to the `MixedTarget` of the mixture.
    """

    def __init__(
        self,
        sources: Sequence[ArrayDataSet | None],
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
        """Selects the samples of this pool.

        Args:
            draws: Tensors of shape `(n, ...)`, indices of data sets first.

        Returns:
            The same tensors for the samples of this pool only.
        """
        chosen = tf.where(self._x.contains(draws[0]))[:, 0]
        return tuple(tf.gather(values, chosen) for values in draws)

    def take(self, sets, rows) -> tuple:
        """Gathers and adapts samples.

        Args:
            sets: Tensor, a vector of indices of data sets.
            rows: Tensor, a vector of their rows.

        Returns:
            `(x, y)`, tensors. If the data set of a sample does not label a
            task of the pool, its label is missing.
        """
        y = {}
        for targets in self._y:
            y |= targets.take(sets, rows)
        return self._adaptation(self._x.take(sets, rows), y, self._own)


def make_pools(
    sources: Sequence[ArrayDataSet], targets: Mapping[str, MixedTarget]
) -> list[ArrayPool]:
    """Pools the data sets with the same shapes, unless they are large.

    Args:
        sources: Sequence of the `ArrayDataSet`s of a mixture.
        targets: Dict from task name to the `MixedTarget` of the mixture.

    Returns:
        List of `ArrayPool`s. Each data set is in one of them.
    """
    shapes: list[_PoolShape] = []
    pools: list[list] = []
    for number, source in enumerate(sources):
        for shape, members in zip(shapes, pools, strict=True):
            if shape.fits(source):
                shape.add(source)
                members[number] = source
                break
        else:
            shapes.append(_PoolShape(source))
            pools.append([None] * len(sources))
            pools[-1][number] = source
    return [ArrayPool(members, targets) for members in pools]


class _PoolShape:
    """Shapes and size of the data sets of a pool."""

    def __init__(self, source: ArrayDataSet):
        self._x = source.own.x
        self._shapes: dict[str, tuple] = {}
        self._bytes = 0
        is_large = source.nbytes > MAX_ARRAY_BYTES
        self._max_bytes = 0 if is_large else MAX_POOL_BYTES
        self.add(source)

    def fits(self, source: ArrayDataSet) -> bool:
        return (
            source.own.x == self._x
            and source.nbytes <= MAX_ARRAY_BYTES
            and self._bytes + source.nbytes <= self._max_bytes
            and all(
                self._shapes.get(task, spec.shape) == spec.shape
                for task, spec in source.own.y.items()
            )
        )

    def add(self, source: ArrayDataSet) -> None:
        self._bytes += source.nbytes
        self._shapes |= {t: spec.shape for t, spec in source.own.y.items()}


def _pool_targets(sources, targets, own: Signature) -> list[PooledTargets]:
    """Groups the targets of tasks with the same shape and dtype."""
    groups: dict[tuple, dict[str, list]] = {}
    for task, spec in own.y.items():
        labels = [None if s is None else s.y.get(task) for s in sources]
        dtypes = {array.dtype for array in labels if array is not None}
        mixed = targets[task].spec.dtype
        # Small dtypes are stored as they are, and cast batch by batch.
        stored = dtypes.pop() if len(dtypes) == 1 else mixed
        missing = np.isnan(targets[task].missing)
        key = (spec.shape, stored, mixed, missing)
        groups.setdefault(key, {})[task] = labels
    return [
        PooledTargets(labels, stored, targets[next(iter(labels))])
        for (_, stored, *_), labels in groups.items()
    ]
