"""Data sets of columns: encoded for the training, raw in what is served."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
from keras.utils import FeatureSpace

from mtl_keras import tables
from mtl_keras.training import MultiTaskModel
from mtl_keras.zoo.recipe import Recipe

FEATURE_SPACE = "feature_space.keras"


def encode_parts(
    recipe: Recipe, parts: dict
) -> tuple[FeatureSpace | None, dict[str, np.ndarray]]:
    """Encodes the columns of a data set, fitted to its training part.

    Args:
        recipe: The recipe, whose `[data.feature_space]` says how.
        parts: Dict from the name of a part to its inputs; `"train"` is one.

    Returns:
        The encoding, or `None` if the inputs are no columns, and the inputs.

    Raises:
        ValueError: If columns have no encoding, or it has no columns.
    """
    of_columns = isinstance(parts["train"], dict)
    said = recipe.data.feature_space
    if of_columns and said is None:
        raise ValueError(
            f"Data set {recipe.data.name!r} has columns, and a network reads "
            "numbers: add a table [data.feature_space] to the recipe, with "
            "arguments of mtl_keras.tables.fit_feature_space, or none."
        )
    if said is not None and not of_columns:
        raise ValueError(
            "[data.feature_space] encodes columns, and the inputs of data set "
            f"{recipe.data.name!r} are an array. Leave the table out."
        )
    if said is None:
        return None, parts
    space = tables.fit_feature_space(parts["train"], **said)
    return space, {
        part: tables.encode_columns(space, columns)
        for part, columns in parts.items()
    }


def served(model: MultiTaskModel, folder: Path) -> MultiTaskModel:
    """Makes the model that a run exports.

    Args:
        model: The trained model.
        folder: Folder of the run.

    Returns:
        The model, with the encoding in front of it if the run has one.
    """
    path = folder / FEATURE_SPACE
    if not path.is_file():
        return model
    space = keras.saving.load_model(path)
    return tables.with_raw_columns(model, space)
