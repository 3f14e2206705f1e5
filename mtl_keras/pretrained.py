"""Finds and loads saved weights and models."""

from __future__ import annotations

import os
from pathlib import Path

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


def load_model(path: str | os.PathLike, compile: bool = True) -> keras.Model:
    """Loads a model from a `.keras` file, as `keras.models.load_model` does.

    The difference is in the errors: one line says what is wrong with a file.

    Args:
        path: Path of the file.
        compile: Whether to compile the model as it was. Defaults to `True`.

    Returns:
        The model, with its optimizer state and loss weights.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is damaged or no Keras model.
    """
    path = _existing(path)
    try:
        return keras.models.load_model(path, compile=compile)
    except Exception as error:
        raise ValueError(
            f"{str(path)!r} cannot be loaded as a Keras model: "
            f"{_first_line(error)} The file is damaged, or no .keras file."
        ) from error


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
