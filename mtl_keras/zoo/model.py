"""Builds the model of a recipe."""

from __future__ import annotations

import inspect
from typing import Any

import keras
import numpy as np

from mtl_keras import models
from mtl_keras.datasets.streamed_samples import StreamedSamples
from mtl_keras.layers.token_ids import count_words
from mtl_keras.training import MultiTaskModel
from mtl_keras.zoo.batches import steps_per_epoch
from mtl_keras.zoo.recipe import LearningRate, Recipe
from mtl_keras.zoo.recipe_data import Part, RecipeData


def build_model(recipe: Recipe, data: RecipeData) -> MultiTaskModel:
    """Builds and compiles the model of a recipe.

    Args:
        recipe: The recipe.
        data: The data of the recipe, from `load_data`. The training part adapts
            a `Normalization`, and determines the default `vocabulary` and
            `input_shape`.

    Returns:
        A compiled `MultiTaskModel`. Its initial weights depend on the global
        seed of Keras.
    """
    return models.get(recipe.factory.name)(**factory_arguments(recipe, data))


def factory_arguments(recipe: Recipe, data: RecipeData) -> dict[str, Any]:
    """Returns the arguments of a recipe's factory.

    Args:
        recipe: The recipe.
        data: The data of the recipe, from `load_data`.

    Returns:
        Dict from name to value, with tasks, layers and the optimizer as
        objects.
    """
    arguments = {**_default_shape(data), **recipe.factory.arguments}
    if not isinstance(data.train, StreamedSamples):
        x, _ = data.train
        if x.dtype.kind in "OUS":
            arguments["vocabulary"] = _vocabulary(x, arguments)
    return {
        **arguments,
        "tasks": list(data.tasks),
        "preprocessing": [
            *_preprocessing(recipe, data.train),
            *_augmentation(recipe),
        ],
        "optimizer": _optimizer(recipe, steps_per_epoch(recipe, data)),
    }


def _default_shape(data: RecipeData) -> dict:
    """Returns the default `input_shape`."""
    if isinstance(data.train, StreamedSamples):
        inputs, _ = data.train.element_spec
        return {"input_shape": tuple(inputs.shape[1:])}
    x, y = data.train
    if x.dtype.kind not in "OUS":
        return {"input_shape": x.shape[1:]}
    # Sentences are as long as the tags of their tokens.
    steps = [y[t.name].shape[1] for t in data.tasks if t.labels_per == "step"]
    return {"input_shape": (max(steps, default=None),)}


def _vocabulary(x: np.ndarray, arguments: dict) -> list[str]:
    """Returns the given words, or the most frequent ones of the sentences."""
    given = arguments.get("vocabulary")
    if given is not None and not isinstance(given, int):
        return given
    words = count_words(x, arguments.get("lowercase", True))
    return words if given is None else words[: given - 2]


def _preprocessing(recipe: Recipe, train: Part) -> list:
    kind = recipe.data.preprocessing
    if kind == "rescale":
        return [keras.layers.Rescaling(1 / 255, name="rescale")]
    if kind == "standardize":
        layer = keras.layers.Normalization(name="standardize")
        streams = isinstance(train, StreamedSamples)
        layer.adapt(
            train.inputs(recipe.fit.batch_size) if streams else train[0]
        )
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
