"""Computes digests of the content of arrays."""

from __future__ import annotations

import hashlib

import numpy as np
import tensorflow as tf

_BLOCK_BYTES = 2**24


def digest(structure) -> str:
    """Computes a digest of the content of arrays.

    Args:
        structure: Nested arrays or tensors, also ragged or sparse ones.

    Returns:
        A text that is equal for equal arrays, in every process.

    Example:

    >>> from mtl_keras.tuning.array_digest import digest
    >>> digest(np.zeros(3)) == digest(np.zeros(3)) != digest(np.ones(3))
    True
    """
    found = hashlib.blake2b(digest_size=12)
    for leaf in tf.nest.flatten(structure, expand_composites=True):
        _add(found, leaf)
    return found.hexdigest()


def _add(found, leaf) -> None:
    if leaf is None:
        found.update(b"None")
        return
    array = np.asarray(leaf)
    found.update(f"{array.dtype} {array.shape} ".encode())
    if array.ndim == 0:
        array = array[None]
    row_bytes = max(1, array[:1].nbytes)
    rows = max(1, _BLOCK_BYTES // row_bytes)
    for start in range(0, len(array), rows):  # without a copy of all samples
        block = array[start : start + rows]
        if block.dtype.hasobject:  # the bytes would be addresses
            found.update("\0".join(map(repr, block.ravel().tolist())).encode())
        else:
            found.update(block.tobytes())
