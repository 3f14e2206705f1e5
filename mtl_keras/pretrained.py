"""Loads saved weights and models."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras


def load_weights(model: keras.Model, path: str | os.PathLike) -> None:
    """Loads the weights of a model from a file.

    Args:
        model: A built model.
        path: Path of a `.weights.h5` or `.keras` file of a model with the same
            architecture.

    Raises:
        FileNotFoundError: If the file does not exist.
        ValueError: If the file is corrupted, or the architecture differs.
    """
    path = _check_exists(path)
    if not path.name.endswith((".weights.h5", ".keras")):
        raise ValueError(
            f"weights={str(path)!r}: expected a file with the suffix "
            ".weights.h5 or .keras."
        )
    try:
        model.load_weights(path)
    except Exception as error:
        raise ValueError(
            f"weights={str(path)!r} cannot be loaded into model "
            f"{model.name!r}: {_first_line(error)} The file is corrupted, or "
            "its model has other layers."
        ) from error


def load_model(
    path: str | os.PathLike,
    compile: bool = True,
    custom_objects: Mapping[str, Any] | None = None,
    safe_mode: bool = True,
) -> keras.Model:
    """Loads a model from a `.keras` file, as `keras.models.load_model` does.

    Errors are shorter: one line describes the problem, and names a custom
    loss, metric or layer that is missing.

    Args:
        path: Path of the file.
        compile: Whether to compile the model with its saved settings. With
            `False`, custom losses and metrics are not required. Defaults to
            `True`.
        custom_objects: Dict from name to custom class or function, for custom
            layers, losses and metrics. Defaults to `None`.
        safe_mode: As in `keras.models.load_model`. Defaults to `True`.

    Returns:
        The model, with its optimizer state and loss weights.

    Raises:
        FileNotFoundError: If the file does not exist.
        TypeError: If an object is missing in `custom_objects`.
        ValueError: If the file is corrupted or not a Keras model.
    """
    path = _check_exists(path)
    try:
        return keras.models.load_model(
            path,
            custom_objects=custom_objects,
            compile=compile,
            safe_mode=safe_mode,
        )
    except Exception as error:
        missing = _missing_object(error)
        if missing is not None and missing.startswith("__lambda__"):
            raise ValueError(
                f"{str(path)!r} contains Python code (a lambda), which "
                "safe_mode=True does not run. Pass safe_mode=False if you "
                "trust the file, or compile=False to predict without it."
            ) from error
        if missing is not None:
            raise TypeError(
                f"{str(path)!r} needs {missing!r}, which Keras does not know "
                "in this process. Pass custom_objects="
                f"{{{missing!r}: {missing}}}, or decorate it with "
                "keras.saving.register_keras_serializable() and import it "
                "first. To predict without custom losses and metrics, pass "
                "compile=False."
            ) from error
        if "safe_mode" in str(error):
            raise ValueError(
                f"{str(path)!r} contains Python code (a Lambda layer), which "
                "safe_mode=True does not run. Pass safe_mode=False if you "
                "trust the file."
            ) from error
        raise ValueError(
            f"{str(path)!r} cannot be loaded as a Keras model: "
            f"{_first_line(error)} The file is corrupted, or not a .keras file."
        ) from error


def _missing_object(error: Exception) -> str | None:
    """Returns the name of an object that Keras did not find, or `None`."""
    found = re.search(
        r"Could not locate (?:class|function) '([^']+)'"
        r"|needs '([^']+)', which Keras does not know"
        r"|Unknown (?:loss|metric|layer|object)[^:]*: '([^']+)'",
        str(error),
    )
    if found is None:
        return None
    name = next(group for group in found.groups() if group)
    return name.rsplit(">", 1)[-1]


def _check_exists(path: str | os.PathLike) -> Path:
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"There is no file {str(path)!r}. Check the path; a relative path "
            f"starts in {str(Path.cwd())!r}."
        )
    return path


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    first = lines[0] if lines else type(error).__name__
    return first if first.endswith(".") else f"{first}."
