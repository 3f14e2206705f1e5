"""Reads image data sets from the files of `keras.datasets`."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np

from mtl_keras.datasets.files import existing_file, scale_pixels
from mtl_keras.datasets.samples import Samples

Parts = tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclasses.dataclass(frozen=True)
class KerasImages:
    """Image data set that Keras downloads.

    Files in the Keras cache are read without Keras, which replaces files with
    another checksum, deletes them if the download fails, and unpacks archives
    again at each call.

    Args:
        title: Name of the data set in errors.
        task: Name of the targets.
        module: Module of `keras.datasets` that downloads the data set.
        read: Function from a path to `(x_train, y_train), (x_test, y_test)`,
            arrays of uint8 pixels and integer classes.
        places: Tuple of strings, possible paths in the cache.
        files: Tuple of strings, the files of a folder. Empty if each path is
            one file.
        origin: Sentence on where to get the data set, for errors.
    """

    title: str
    task: str
    module: ModuleType
    read: Callable[[Path], Parts]
    places: tuple[str, ...]
    files: tuple[str, ...]
    origin: str

    def load(
        self, path: str | os.PathLike | None = None
    ) -> tuple[Samples, Samples]:
        """Reads the data set, and downloads it if needed.

        Args:
            path: String or path of the file or folder. Defaults to `None`:
                the Keras cache.

        Returns:
            `(x_train, y_train), (x_test, y_test)`: x is float32 in `[0, 1]`
            of shape `(n, height, width, channels)`; y is a dict with int32
            classes of shape `(n,)`.

        Raises:
            FileNotFoundError: If it can be neither found nor downloaded.
            ValueError: If a file has another content.
        """
        if path is None:
            path = self._find_cached()
        if path is None:
            train, test = self._download()
        else:
            train, test = self.read(self._check_files(path))
        return (
            self._make_samples(*train, "x_train"),
            self._make_samples(*test, "x_test"),
        )

    def _find_cached(self) -> Path | None:
        places = [cache_folder() / place for place in self.places]
        return next(
            (place for place in places if self._is_complete(place)), None
        )

    def _is_complete(self, place: Path) -> bool:
        files = [place / name for name in self.files] or [place]
        return all(file.is_file() for file in files)

    def _check_files(self, path: str | os.PathLike) -> Path:
        folder = Path(path).expanduser()
        if folder.is_dir():
            for name in self.files:
                existing_file(folder / name, self.origin)
        elif self.files:
            found = "a file" if folder.is_file() else "nothing"
            raise FileNotFoundError(
                f"`path` must name the folder of {self.title} that holds "
                f"{list(self.files)}, found {found} at '{folder}'. "
                f"{self.origin}"
            )
        return folder

    def _download(self) -> Parts:
        try:
            return self.module.load_data()
        # Keras raises a plain Exception if the download fails.
        except Exception as error:
            raise FileNotFoundError(
                f"{self.title} is not in the Keras cache and could not be "
                f"downloaded: {error} Put {self.places[-1]} into "
                f"'{cache_folder()}' (the environment variable KERAS_HOME "
                f"changes that folder), or pass its path as `path`. "
                f"{self.origin}"
            ) from error

    def _make_samples(self, x, y, key: str) -> Samples:
        x = scale_pixels(x, key)
        if x.ndim == 3:
            x = x[..., None]
        return x, {self.task: np.reshape(y, -1).astype("int32")}


def cache_folder() -> Path:
    """Returns the folder where Keras stores data sets."""
    home = os.environ.get("KERAS_HOME", Path("~") / ".keras")
    return Path(home).expanduser() / "datasets"
