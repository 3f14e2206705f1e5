"""Changes some values of a recipe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mtl_keras.zoo.read import check_recipe
from mtl_keras.zoo.recipe import Recipe


def change_recipe(
    recipe: Recipe,
    *,
    epochs: int | None = None,
    batch_size: int | None = None,
    data_path: str | None = None,
    data_arguments: Mapping[str, Any] | None = None,
    loss_weights: dict[str, float] | None = None,
) -> Recipe:
    """Returns a copy of a recipe with other values, checked.

    Args:
        recipe: The recipe.
        epochs: Number of epochs. Defaults to the recipe's.
        batch_size: Batch size. Defaults to the recipe's.
        data_path: The `path` argument of the data set. Defaults to the
            recipe's.
        data_arguments: Dict of arguments of the data set. The others keep the
            values of the recipe.
        loss_weights: Dict from task name to loss weight. Other tasks keep
            their weights.

    Returns:
        The changed `Recipe`.

    Raises:
        ValueError: If a value is invalid.
    """
    values = recipe.model_dump()
    fit, data = values["fit"], values["data"]["arguments"]
    if epochs is not None:
        fit["epochs"] = epochs
    if batch_size is not None:
        fit["batch_size"] = batch_size
    data.update(data_arguments or {})
    if data_path is not None:
        data["path"] = str(data_path)
    if loss_weights:
        arguments = values["factory"]["arguments"]
        arguments["loss_weights"] = {
            **arguments.get("loss_weights", {}),
            **loss_weights,
        }
    return check_recipe(values, f"recipe {recipe.name!r}")
