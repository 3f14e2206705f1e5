"""Finds the entries of the zoo."""

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]
# In an installed wheel the entries are package data (see build_hook.py); in a
# clone they lie beside the package.
_INSTALLED, _CLONED = _PACKAGE / "zoo_entries", _PACKAGE.parent / "models"


@dataclasses.dataclass(frozen=True)
class Entry:
    """A model of the zoo: a folder with a recipe and, once run, results.

    Args:
        name: Name of the folder.
        folder: Path of the folder.
    """

    name: str
    folder: Path

    @property
    def recipe(self) -> Path:
        """Path of the recipe."""
        return self.folder / "recipe.toml"

    @property
    def metrics(self) -> Path:
        """Path of the results, which need not exist yet."""
        return self.folder / "metrics.json"

    @property
    def description(self) -> str:
        """The recipe's own description."""
        values = tomllib.loads(self.recipe.read_text(encoding="utf-8"))
        return values.get("description", "")


def entries() -> list[Entry]:
    """Lists the entries of the zoo, by name.

    Returns:
        An `Entry` for each folder with a recipe: of `models/` in a clone, of
        the package data where the wheel is installed.

    Example:

    ```python
    [entry.name for entry in mtl_keras.zoo.entries()]
    # ['cnn_cls_seg_digit_scenes', 'mlp_energy']
    ```
    """
    return [
        Entry(path.parent.name, path.parent)
        for path in sorted(zoo_folder().glob("*/recipe.toml"))
    ]


def zoo_folder() -> Path:
    """Returns the folder that holds the entries."""
    return _INSTALLED if _INSTALLED.is_dir() else _CLONED
