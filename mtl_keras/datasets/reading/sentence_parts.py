"""Parts of sentences that come in one file, or in a file for each part."""

from __future__ import annotations

import os
from collections.abc import Mapping

import numpy as np

from mtl_keras.datasets.reading.partition import partition
from mtl_keras.spelling import did_you_mean

PARTS = ("train", "validation", "test")
# Of a single file.
_SHARES = {"validation": 0.1, "test": 0.2}


def file_by_part(
    path: str | os.PathLike | Mapping[str, str | os.PathLike],
) -> dict[str, str | os.PathLike]:
    """Reads which files there are.

    Args:
        path: A path, or a dict of paths by part.

    Returns:
        Dict from part to path, `"train"` first.

    Raises:
        ValueError: If a part does not exist, or there is none to train on.
    """
    if not isinstance(path, Mapping):
        return {"train": path}
    for part in path:
        if part not in PARTS:
            raise ValueError(
                f"`path` names the part {part!r}. {did_you_mean(part, PARTS)}"
            )
    if "train" not in path:
        raise ValueError(
            f"`path` names the parts {list(path)}; expected 'train' among them."
        )
    return {part: path[part] for part in PARTS if part in path}


def make_parts(
    counts: Mapping[str, int],
    *,
    validation: float | None,
    test: float | None,
    seed: int,
    source: str,
    groups: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    """Parts sentences that are counted through all files.

    Args:
        counts: Dict from part to the number of sentences in its file.
        validation: Share of the first file that is held back for validation,
            or `None` for the default.
        test: Share of the first file for the test, or `None`.
        seed: Integer, seed of the draw.
        source: String, the first file, for errors.
        groups: See `partition`. Defaults to `None`.

    Returns:
        Dict from part to indices.

    Raises:
        ValueError: If a part has a share and a file, or `partition` raises
            one.
    """
    shares = {"validation": validation, "test": test}
    for part, share in shares.items():
        if share is None:
            shares[part] = _SHARES[part] if len(counts) == 1 else 0
        elif share and part in counts:
            raise ValueError(
                f"`{part}={share!r}` holds sentences back, and `path` has a "
                f"file for '{part}'. Leave one of both out."
            )
    parts = partition(
        counts["train"], **shares, seed=seed, source=source, groups=groups
    )
    first = counts["train"]
    for part, count in counts.items():
        if part != "train":
            parts[part] = np.arange(first, first + count)
            first += count
    return {part: parts[part] for part in PARTS if part in parts}
