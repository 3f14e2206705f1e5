"""The batch sizes of an epoch, and how they divide among replicas."""

from __future__ import annotations

import dataclasses
import warnings


@dataclasses.dataclass(frozen=True)
class BatchSizes:
    """The possible sizes of the batches of an epoch.

    Args:
        size: Number of samples of a batch; `None` if it is unknown.
        last: Number of samples of a smaller last batch; 0 if there is none,
            and `None` if it is unknown. Defaults to `0`.
    """

    size: int | None
    last: int | None = 0

    @classmethod
    def from_adapter(cls, adapter):
        """Reads the sizes from one of Keras's data adapters."""
        size = adapter.batch_size
        # Keras reads no more than this from the adapters of generators, which
        # raise an error, and has None for a dataset with batches of one size.
        if size is None or not adapter.has_partial_batch:
            return cls(size)
        return cls(size, adapter.partial_batch_size or None)

    def may_be_uneven(self, replicas: int) -> bool:
        """Checks for batches whose size is not a multiple of the replicas.

        TensorFlow rounds the parts up, so the last replicas may get no
        sample: 4 replicas get 2, 2, 1 and 0 of 5 samples.
        """
        if self.size is None or self.last is None:
            return True
        return bool(self.size % replicas or self.last % replicas)

    def may_be_short(self, replicas: int) -> bool:
        """Checks for batches with fewer samples than replicas."""
        if self.size is None or self.last is None:
            return True
        return self.size < replicas or 0 < self.last < replicas


def warn_uneven_batches(sizes: BatchSizes, replicas: int) -> None:
    """Warns if the batch size is not a multiple of the number of replicas.

    It does not warn of a smaller last batch.

    Args:
        sizes: The sizes of the batches.
        replicas: Number of replicas.
    """
    if sizes.size and sizes.size % replicas:
        warnings.warn(
            f"The batch size {sizes.size} is not a multiple of the {replicas} "
            "replicas, so some replicas compute more samples while the others "
            "wait. The result is correct; a multiple is faster.",
            stacklevel=2,
        )
