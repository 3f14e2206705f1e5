"""Encodes columns for training, and adds the encoding to exported models."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
from keras.utils import FeatureSpace

from mtl_keras import tables
from mtl_keras.datasets.table_encoding import (
    FEATURE_SPACE,
    save_feature_space,
)
from mtl_keras.training import MultiTaskModel
from mtl_keras.zoo.recipe import Recipe
from mtl_keras.zoo.recipe_data import RecipeData


def encode_parts(
    recipe: Recipe, parts: dict, space: FeatureSpace | None = None
) -> tuple[FeatureSpace | None, dict[str, np.ndarray]]:
    """Encodes the columns of a data set, adapted to its training part.

    Args:
        recipe: The recipe; `[data.feature_space]` has the arguments.
        parts: Dict from the name of a part, including `"train"`, to its
            inputs.
        space: The encoding. Defaults to one that is fitted to the training
            part.

    Returns:
        The encoding and the encoded inputs. The encoding is `None` if the
        inputs are not columns.

    Raises:
        ValueError: If the recipe does not encode columns, or if it encodes
            inputs that are not columns.
    """
    has_columns = isinstance(parts["train"], dict)
    arguments = recipe.data.feature_space
    if has_columns and arguments is None:
        raise ValueError(
            f"Data set {recipe.data.name!r} has columns, but a network needs "
            "numbers: add a table [data.feature_space] to the recipe, which "
            "may have arguments of mtl_keras.tables.fit_feature_space."
        )
    if arguments is not None and not has_columns:
        raise ValueError(
            "[data.feature_space] encodes columns, but the inputs of data set "
            f"{recipe.data.name!r} are an array. Leave the table out."
        )
    if arguments is None:
        return None, parts
    if space is None:
        space = tables.fit_feature_space(parts["train"], **arguments)
    return space, {
        part: tables.encode_columns(space, columns)
        for part, columns in parts.items()
    }


def save_encoding(data: RecipeData, folder: Path) -> None:
    """Saves the encoding of a table in the folder of its run, atomically.

    Args:
        data: The data of the recipe.
        folder: Folder of the run.
    """
    if data.feature_space is not None:
        save_feature_space(data.feature_space, folder)
    if data.encoding is not None:
        data.encoding.save(folder)


def load_encoding(folder: Path) -> FeatureSpace | None:
    """Loads the encoding of the columns of a run.

    Args:
        folder: Folder of the run.

    Returns:
        The encoding, or `None` if the run has none.
    """
    path = folder / FEATURE_SPACE
    return keras.saving.load_model(path) if path.is_file() else None


def encode_inputs(x, folder: Path):
    """Encodes the columns of a data set by the encoding of a run.

    Args:
        x: Array, or a dict of columns.
        folder: Folder of the run.

    Returns:
        The encoded columns; `x` itself if it is an array, or if the run has no
        encoding.
    """
    space = load_encoding(folder)
    if space is None or not isinstance(x, dict):
        return x
    return tables.encode_columns(space, x)


def add_encoding(model: MultiTaskModel, folder: Path) -> MultiTaskModel:
    """Adds the encoding of a run to the inputs of its model.

    Args:
        model: The trained model.
        folder: Folder of the run.

    Returns:
        The model that takes raw columns, or `model` if the run has no
        encoding.
    """
    space = load_encoding(folder)
    if space is None:
        return model
    return tables.with_raw_columns(model, space)
