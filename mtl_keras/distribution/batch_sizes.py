"""How many samples batches may have, and what that means for replicas."""

from __future__ import annotations

import dataclasses
import warnings


@dataclasses.dataclass(frozen=True)
class BatchSizes:
    """The sizes that the batches of an epoch may have.

    Args:
        size: Samples of a batch; `None` if it is not known.
        last: Samples of the last batch if they may be fewer; 0 if there are
            none left over, and `None` if it is not known.
    """

    size: int | None
    last: int | None = 0

    @classmethod
    def of_adapter(cls, adapter):
        """Reads them off one of Keras's data adapters."""
        size = adapter.batch_size
        # Keras asks no more of adapters of generators, which raise an error,
        # and says None of a dataset whose batches are all of one size.
        if size is None or not adapter.has_partial_batch:
            return cls(size)
        return cls(size, adapter.partial_batch_size or None)

    def may_be_uneven(self, replicas: int) -> bool:
        """Whether there may be a batch that the replicas do not divide.

        TensorFlow rounds their parts up, so that the last replicas may get
        none: of 5 samples, 4 replicas get 2, 2, 1 and 0.
        """
        if self.size is None or self.last is None:
            return True
        return bool(self.size % replicas or self.last % replicas)

    def may_be_short(self, replicas: int) -> bool:
        """Whether a batch may have fewer samples than there are replicas."""
        if self.size is None or self.last is None:
            return True
        return self.size < replicas or 0 < self.last < replicas


def tell_uneven(sizes: BatchSizes, replicas: int) -> None:
    """Warns of batches that the replicas do not divide, but for the last.

    Args:
        sizes: What batches have.
        replicas: Number of replicas.
    """
    if sizes.size and sizes.size % replicas:
        warnings.warn(
            f"Batches of {sizes.size} do not divide by {replicas} replicas, so "
            "some compute more than others and these wait. The result is "
            "right; a batch_size that is a multiple of the replicas is faster.",
            stacklevel=2,
        )
