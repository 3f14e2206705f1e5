"""Counts the groups of samples, and their sizes."""

from __future__ import annotations

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class GroupSizes:
    """Number and sizes of groups.

    Args:
        count: Integer, number of groups.
        smallest: Integer, number of samples of the smallest group.
        median: Float, median number of samples of a group.
        largest: Integer, number of samples of the largest group.

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
    """Counts groups and their sizes.

    Args:
        groups: Integer array of shape `(samples,)`, the group of each sample,
            with at least one sample.

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
