"""Splits samples into a training, validation and test part."""

from __future__ import annotations

from numbers import Real

import numpy as np

from mtl_keras.datasets.arguments import check_seed

_LARGEST_SEED = 2**32


def partition(
    num_samples: int,
    *,
    validation: float,
    test: float,
    seed: int,
    source: str,
    groups: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    """Splits samples, or groups of samples, at random.

    Args:
        num_samples: Integer, number of samples.
        validation: Float in [0, 1), fraction of the samples, or of the groups,
            to use for validation. With 0, there is no validation part.
        test: Float in [0, 1), fraction to use for the test. With 0, there is
            no test part.
        seed: Integer of at least 0. The same seed gives the same parts.
        source: Name of the source of the samples, for errors.
        groups: Array of shape `(num_samples,)`, the group of each sample. All
            samples of a group are in one part. Defaults to `None`: samples
            are split independently.

    Returns:
        Dict from `"train"`, `"validation"` and `"test"` to sorted integer
        arrays of indices, without the parts whose fraction is 0.

    Raises:
        ValueError: If a fraction or the seed is out of range, or there are
            fewer samples or groups than parts.

    Example:

    >>> parts = partition(10, validation=0.1, test=0.2, seed=0, source="x")
    >>> {name: len(indices) for name, indices in parts.items()}
    {'train': 7, 'validation': 1, 'test': 2}
    """
    # Imported here, because it is slow to import.
    from sklearn.model_selection import GroupShuffleSplit, ShuffleSplit

    check_seed(seed)
    shares = {"validation": validation, "test": test}
    _check_shares(shares)
    units = num_samples if groups is None else len(np.unique(groups))
    counts = {
        part: max(1, round(share * units))
        for part, share in shares.items()
        if share
    }
    _check_enough(units, counts, shares, source, groups is not None)
    splitter = ShuffleSplit if groups is None else GroupShuffleSplit
    rest, parts = np.arange(num_samples), {}
    for part in reversed(counts):
        kept, taken = next(
            splitter(
                n_splits=1,
                test_size=counts[part],
                random_state=seed % _LARGEST_SEED,
            ).split(rest, groups=None if groups is None else groups[rest])
        )
        parts[part] = np.sort(rest[taken])
        rest = np.sort(rest[kept])
    parts["train"] = rest
    return {part: parts[part] for part in ("train", *counts)}


def _check_shares(shares):
    for name, share in shares.items():
        if not isinstance(share, Real) or isinstance(share, bool):
            raise TypeError(
                f"`{name}` must be a fraction of the samples, found {share!r}, "
                "such as 0.1. 0 makes no such part."
            )
        if not 0 <= share < 1:
            raise ValueError(
                f"`{name}` must be a fraction of at least 0 and below 1, found "
                f"{share!r}."
            )
    if sum(shares.values()) >= 1:
        raise ValueError(
            f"`validation={shares['validation']!r}` and `test="
            f"{shares['test']!r}` leave nothing to train on. Their sum must "
            "be below 1."
        )


def _check_enough(units, counts, shares, source, by_group):
    if sum(counts.values()) < units:
        return
    what = "groups" if by_group else "samples"
    asked = " and ".join(f"`{part}={shares[part]!r}`" for part in counts)
    if not counts:
        raise ValueError(f"{source} has no {what}.")
    raise ValueError(
        f"{asked} of {units} {what} in {source} leave nothing to train on: "
        f"every part needs at least one of the {what}. Set a fraction to 0, "
        f"or add {what}."
    )
