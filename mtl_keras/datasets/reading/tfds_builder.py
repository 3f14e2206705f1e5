"""Finds and prepares a data set of TensorFlow Datasets."""

from __future__ import annotations

import difflib
import os
from typing import Any


def load_builder(
    name: Any, data_dir: str | os.PathLike | None, download: bool
) -> Any:
    """Finds a data set, and downloads and prepares it if needed.

    Args:
        name: Name of the data set, or its `tfds.core.DatasetBuilder`.
        data_dir: See `from_tfds`.
        download: See `from_tfds`.

    Returns:
        The `tfds.core.DatasetBuilder`.

    Raises:
        ImportError: If TensorFlow Datasets is not installed.
        TypeError: If `name` is neither a name nor a builder.
        ValueError: If the data set does not exist.
    """
    try:
        import tensorflow_datasets as tfds
    except ModuleNotFoundError as error:
        if error.name != "tensorflow_datasets":
            raise
        raise ImportError(
            "from_tfds needs TensorFlow Datasets: pip install mtl_keras[tfds]."
        ) from error
    builder = name
    if not isinstance(name, tfds.core.DatasetBuilder):
        if not isinstance(name, str):
            raise TypeError(
                "`name` must be the name of a data set of TensorFlow Datasets "
                f"or its builder, found {name!r}."
            )
        builder = _find_builder(tfds, name, data_dir)
    if download:
        builder.download_and_prepare()
    return builder


def _find_builder(tfds, name: str, data_dir):
    folder = {} if data_dir is None else {"data_dir": os.fspath(data_dir)}
    try:
        return tfds.builder(name, **folder)
    except tfds.core.DatasetNotFoundError as error:
        known = tfds.list_builders(with_community_datasets=False)
        near = difflib.get_close_matches(name.split("/")[0], known, n=3)
        meant = f"Did you mean {' or '.join(map(repr, near))}? " * bool(near)
        raise ValueError(
            f"`name` must name a data set of TensorFlow Datasets, found "
            f"{name!r}. {meant}tfds.list_builders() lists all. Pass the folder "
            "of a data set that you have prepared as `data_dir`."
        ) from error
