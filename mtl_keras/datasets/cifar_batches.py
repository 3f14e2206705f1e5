"""Reads the batch files of CIFAR-10 and CIFAR-100."""

from __future__ import annotations

import pickle
from collections.abc import Iterable
from pathlib import Path

import numpy as np

IMAGE_SHAPE = (32, 32, 3)

# The classes of a pickled array. Other pickles could run any code.
_ARRAY_PARTS = {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
}


def read_batches(
    files: Iterable[Path], label_key: str, origin: str
) -> tuple[np.ndarray, np.ndarray]:
    """Reads batch files, and concatenates them.

    Args:
        files: Paths of the batches: pickles by Python 2 of a dict with
            `data`, uint8 of shape `(n, 3072)`, the red values of an image
            first, and a list of labels.
        label_key: Key of the labels.
        origin: Sentence on where to get the files, for errors.

    Returns:
        Images, uint8 of shape `(n, 32, 32, 3)`, and labels of shape `(n,)`.

    Raises:
        ValueError: If a file is not such a batch.
    """
    batches = [_read_batch(file, label_key, origin) for file in files]
    images, labels = zip(*batches, strict=True)
    return np.concatenate(images), np.concatenate(labels)


class _ArrayUnpickler(pickle.Unpickler):
    def find_class(self, module, name):
        if (module, name) not in _ARRAY_PARTS:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return super().find_class(module, name)


def _read_batch(file: Path, label_key: str, origin: str):
    try:
        with file.open("rb") as content:
            batch = _ArrayUnpickler(content, encoding="bytes").load()
        images, labels = batch[b"data"], batch[label_key.encode()]
        height, width, channels = IMAGE_SHAPE
        images = images.reshape(len(labels), channels, height, width)
    # A corrupted pickle may raise almost any error.
    except Exception as error:
        raise ValueError(
            f"'{file}' must be a batch of CIFAR images with {label_key!r}, "
            f"but it could not be read: {error!r}. {origin}"
        ) from error
    return images.transpose(0, 2, 3, 1), np.asarray(labels)
