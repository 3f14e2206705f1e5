"""Reads the folds of a cross-validation as pairs of indices."""

from __future__ import annotations

import hashlib

import numpy as np

from mtl_keras.argument_checks import is_integer

# Indices of the training samples and of the validation samples.
Pair = tuple[np.ndarray, np.ndarray]


def read_folds(folds, count: int, seed: int) -> list[Pair]:
    """Reads the folds of a cross-validation.

    Args:
        folds: One of:
            - The number of folds of a random order.
            - Pairs of training and validation indices, such as the result of
              a `split` of scikit-learn.
            - A splitter of scikit-learn that needs neither labels nor groups.
        count: Number of samples.
        seed: Seed of the random order.

    Returns:
        A list of pairs of index arrays.

    Raises:
        TypeError: If `folds` has another type, or is a splitter that needs
            labels or groups.
        ValueError: If a number or an index is out of range, or if the parts of
            a pair are empty or have common samples.

    Example:

    >>> from sklearn.model_selection import KFold
    >>> from mtl_keras.tuning.fold_indices import read_folds
    >>> [held_out.tolist() for _, held_out in read_folds(KFold(2), 4, seed=0)]
    [[0, 1], [2, 3]]
    """
    if is_integer(folds):
        return _random_folds(folds, count, seed)
    pairs = [
        _read_pair(pair, at) for at, pair in enumerate(_pairs(folds, count))
    ]
    if not pairs:
        raise ValueError("folds is empty; expected one or more pairs.")
    for at, pair in enumerate(pairs):
        _check_pair(pair, at, count)
    return pairs


def describe_folds(folds) -> int | str | None:
    """Describes folds by their content.

    Args:
        folds: A number, a list of pairs, or `None`.

    Returns:
        The number or `None`; for pairs, a text with a hash of the indices.
    """
    if folds is None:
        return None
    if is_integer(folds):
        return int(folds)
    found = hashlib.sha256()
    for pair in folds:
        for indices in pair:
            found.update(f"{len(indices)}:".encode() + indices.tobytes())
    return f"{len(folds)} index pairs {found.hexdigest()[:12]}"


def _random_folds(folds: int, count: int, seed: int) -> list[Pair]:
    if not 2 <= folds <= count:
        raise ValueError(
            f"folds={folds!r}; expected 2 to {count}, the number of samples."
        )
    order = np.random.default_rng([seed, folds]).permutation(count)
    held_out = [np.sort(rows) for rows in np.array_split(order, folds)]
    return [(np.setdiff1d(np.arange(count), rows), rows) for rows in held_out]


def _pairs(folds, count: int) -> list:
    if hasattr(folds, "split") and not isinstance(folds, str | np.ndarray):
        try:
            return list(folds.split(np.zeros((count, 1))))
        except (TypeError, ValueError) as error:
            name = type(folds).__name__
            raise TypeError(
                f"folds: {name} cannot split without labels or groups: "
                f"{error}. Pass its pairs: folds={name}(...).split(x, labels, "
                "groups), with the labels of one task."
            ) from error
    try:
        return list(folds)
    except TypeError:
        raise TypeError(
            f"folds is {folds!r} of type {type(folds).__name__}; expected a "
            "number, pairs of training and validation indices, or a splitter "
            "of scikit-learn."
        ) from None


def _read_pair(pair, at: int) -> Pair:
    try:
        train, validation = (np.asarray(each) for each in pair)
    except (TypeError, ValueError):
        raise TypeError(
            f"folds: item {at} is {pair!r}; expected a pair of training and "
            "validation indices."
        ) from None
    for indices in (train, validation):
        if indices.ndim != 1 or (
            indices.size and indices.dtype.kind not in "iu"
        ):
            raise TypeError(
                f"folds: pair {at} has indices of shape {indices.shape} and "
                f"dtype {indices.dtype}; expected one axis of integers. For a "
                "mask, pass numpy.flatnonzero(mask)."
            )
    return train.astype(np.int64), validation.astype(np.int64)


def _check_pair(pair: Pair, at: int, count: int) -> None:
    for name, indices in zip(("training", "validation"), pair, strict=True):
        if not len(indices):
            raise ValueError(f"folds: pair {at} has no {name} indices.")
        if indices.min() < 0 or indices.max() >= count:
            raise ValueError(
                f"folds: pair {at} has {name} indices from {indices.min()} to "
                f"{indices.max()}; expected 0 to {count - 1}."
            )
    common = np.intersect1d(*pair)
    if len(common):
        raise ValueError(
            f"folds: pair {at} has {len(common)} samples in both parts, such "
            f"as sample {common[0]}; expected parts without common samples."
        )
