"""Finds and loads saved weights and models."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras


def load_weights(model: keras.Model, path: str | os.PathLike) -> None:
    """Loads a model's weights from a file.

    Args:
        model: A built model.
        path: Path of a `.weights.h5` or `.keras` file that a model of the
            same architecture wrote.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is damaged, or of another architecture.
    """
    path = _existing(path)
    if not path.name.endswith((".weights.h5", ".keras")):
        raise ValueError(
            f"weights={str(path)!r}: expected a file that ends in .weights.h5 "
            "or .keras."
        )
    try:
        model.load_weights(path)
    except Exception as error:
        raise ValueError(
            f"weights={str(path)!r} cannot be loaded into model "
            f"{model.name!r}: {_first_line(error)} The file is damaged, or of "
            "a model with other layers."
        ) from error


def load_model(
    path: str | os.PathLike,
    compile: bool = True,
    custom_objects: Mapping[str, Any] | None = None,
    safe_mode: bool = True,
) -> keras.Model:
    """Loads a model from a `.keras` file, as `keras.models.load_model` does.

    The difference is in the errors: one line says what is wrong with a file,
    and names the loss, metric or layer of one's own that is missing.

    Args:
        path: Path of the file.
        compile: Whether to compile the model as it was. Defaults to `True`.
            With `False`, losses and metrics of one's own need not be known.
        custom_objects: Dict from name to the class or function of that name,
            for layers, losses and metrics of one's own.
        safe_mode: As in `keras.models.load_model`. Defaults to `True`.

    Returns:
        The model, with its optimizer state and loss weights.

    Raises:
        FileNotFoundError: If there is no such file.
        TypeError: If an object is missing in `custom_objects`.
        ValueError: If the file is damaged or not a Keras model.
    """
    path = _existing(path)
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
                f"{str(path)!r} holds Python code (a lambda), which "
                "safe_mode=True does not run. Pass safe_mode=False if you "
                "trust the file, or compile=False to predict without it."
            ) from error
        if missing is not None:
            raise TypeError(
                f"{str(path)!r} needs {missing!r}, which Keras does not know "
                "in this process. Pass custom_objects="
                f"{{{missing!r}: {missing}}}, or decorate it with "
                "keras.saving.register_keras_serializable() and import it "
                "before. To predict without losses and metrics of your own, "
                "pass compile=False."
            ) from error
        if "safe_mode" in str(error):
            raise ValueError(
                f"{str(path)!r} holds Python code (a Lambda layer), which "
                "safe_mode=True does not run. Pass safe_mode=False if you "
                "trust the file."
            ) from error
        raise ValueError(
            f"{str(path)!r} cannot be loaded as a Keras model: "
            f"{_first_line(error)} The file is damaged, or not a .keras file."
        ) from error


def _missing_object(error: Exception) -> str | None:
    """Returns the name of an object that Keras did not find, if it is that."""
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


def _existing(path: str | os.PathLike) -> Path:
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"There is no file {str(path)!r}. Check the path; a name without a "
            f"folder is looked for in {str(Path.cwd())!r}."
        )
    return path


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    first = lines[0] if lines else type(error).__name__
    return first if first.endswith(".") else f"{first}."
