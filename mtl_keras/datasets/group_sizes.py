"""How many groups samples belong to, and how large these are."""

from __future__ import annotations

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class GroupSizes:
    """Number of groups, and of samples in a group.

    Args:
        count: Integer, number of groups.
        smallest: Integer, samples of the smallest group.
        median: Float, median of the numbers of samples.
        largest: Integer, samples of the largest group.

    Example:

    >>> from mtl_keras.datasets.group_sizes import count_groups
    >>> print(count_groups(np.array([0, 0, 1, 2, 2, 2])))
    3 groups of 1 to 3 samples, median 2
    """

    count: int
    smallest: int
    median: float
    largest: int

    def __str__(self):
        if self.smallest < self.largest:
            return (
                f"{self.count:,} groups of {self.smallest:,} to "
                f"{self.largest:,} samples, median {self.median:g}"
            )
        samples = "sample" if self.largest == 1 else "samples"
        return f"{self.count:,} groups of {self.largest:,} {samples} each"


def count_groups(groups: np.ndarray) -> GroupSizes:
    """Counts groups.

    Args:
        groups: Integer array of shape `(samples,)`, with one sample at least:
            the number of the group of each.

    Returns:
        The `GroupSizes`.
    """
    _, sizes = np.unique(groups, return_counts=True)
    return GroupSizes(
        count=len(sizes),
        smallest=int(sizes.min()),
        median=float(np.median(sizes)),
        largest=int(sizes.max()),
    )
