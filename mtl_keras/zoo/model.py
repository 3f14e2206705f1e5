"""Builds the model of a recipe."""

from __future__ import annotations

import inspect
from typing import Any

import keras
import numpy as np

from mtl_keras import models
from mtl_keras.training import MultiTaskModel
from mtl_keras.zoo.batches import steps_per_epoch
from mtl_keras.zoo.data import RecipeData
from mtl_keras.zoo.recipe import LearningRate, Recipe


def build_model(recipe: Recipe, data: RecipeData) -> MultiTaskModel:
    """Builds and compiles the model of a recipe.

    Args:
        recipe: The recipe.
        data: Its data, from `load_data`; the training part adapts a
            `Normalization`, and its shape is the default `input_shape`.

    Returns:
        A compiled `MultiTaskModel`. Seed Keras before: the initial weights
        follow its global seed.
    """
    return models.get(recipe.factory.name)(**factory_arguments(recipe, data))


def factory_arguments(recipe: Recipe, data: RecipeData) -> dict[str, Any]:
    """Makes the arguments that a recipe calls its factory with.

    Args:
        recipe: The recipe.
        data: Its data, from `load_data`.

    Returns:
        Dict from name to value; tasks, layers and the optimizer are objects.
    """
    x, _ = data.train
    return {
        "input_shape": x.shape[1:],
        **recipe.factory.arguments,
        "tasks": list(data.tasks),
        "preprocessing": [
            *_preprocessing(recipe.data.preprocessing, x),
            *_augmentation(recipe),
        ],
        "optimizer": _optimizer(recipe, steps_per_epoch(recipe, data)),
    }


def _preprocessing(kind: str | None, x: np.ndarray) -> list:
    if kind == "rescale":
        return [keras.layers.Rescaling(1 / 255, name="rescale")]
    if kind == "standardize":
        layer = keras.layers.Normalization(name="standardize")
        layer.adapt(x)
        return [layer]
    return []


def _augmentation(recipe: Recipe) -> list:
    return [
        getattr(keras.layers, table.name)(**table.arguments)
        for table in recipe.data.augmentation
    ]


def _optimizer(recipe: Recipe, steps: int) -> keras.optimizers.Optimizer:
    table = recipe.optimizer
    arguments = dict(table.arguments)
    rate = table.learning_rate
    if isinstance(rate, LearningRate):
        rate = _schedule(rate, recipe.fit.epochs, steps)
    if rate is not None:
        arguments["learning_rate"] = rate
    return keras.optimizers.get({"class_name": table.name, "config": arguments})


def _schedule(rate: LearningRate, epochs: int, steps: int):
    schedule = getattr(keras.optimizers.schedules, rate.name)
    arguments = dict(rate.arguments)
    warmup = arguments.get("warmup_steps", round(rate.warmup_epochs * steps))
    if rate.warmup_epochs:
        arguments["warmup_steps"] = warmup
    if "decay_steps" in inspect.signature(schedule).parameters:
        arguments.setdefault("decay_steps", max(1, epochs * steps - warmup))
    return schedule(**arguments)
