"""Creates the batches of a run."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from mtl_keras.datasets.streamed_samples import StreamedSamples
from mtl_keras.zoo.mixture import mixed_batches
from mtl_keras.zoo.mixture import steps_per_epoch as mixed_steps
from mtl_keras.zoo.recipe import Recipe
from mtl_keras.zoo.recipe_data import Part, RecipeData, count_part


def steps_per_epoch(recipe: Recipe, data: RecipeData) -> int:
    """Returns the number of training steps of an epoch.

    Args:
        recipe: The recipe.
        data: The data of the recipe.
    """
    if data.sets:
        return mixed_steps(recipe, data)
    return -(-count_part(data.train) // recipe.fit.batch_size)


def training_arguments(
    recipe: Recipe, data: RecipeData, seed: int
) -> dict[str, Any]:
    """Returns the arguments of `fit` with the training data.

    Args:
        recipe: The recipe.
        data: The data of the recipe.
        seed: Seed of the order of a mixture. For other data,
            `BackupAndRestore` determines the order.

    Returns:
        Dict of keyword arguments.
    """
    # One stream for all epochs: starting a new one in each epoch would take
    # longer than the steps of a small data set.
    arguments = {"steps_per_epoch": steps_per_epoch(recipe, data)}
    if data.sets:
        return {**arguments, "x": mixed_batches(recipe, data, seed)}
    batch_size = recipe.fit.batch_size
    if isinstance(data.train, StreamedSamples):
        return {**arguments, "x": data.train.batches(batch_size, seed)}
    x, y = data.train
    return {**arguments, "x": x, "y": y, "batch_size": batch_size}


def validation_batches(part: Part, batch_size: int) -> tf.data.Dataset:
    """Returns the batches of a validation part.

    Args:
        part: The part.
        batch_size: Batch size of a streamed part. Arrays have batches of 256.

    Returns:
        A `tf.data.Dataset` that starts quickly in each epoch. For a few
        hundred samples, Keras's would take longer than the training steps.
    """
    if isinstance(part, StreamedSamples):
        return part.batches(batch_size)
    options = tf.data.Options()
    options.autotune.enabled = False
    options.experimental_optimization.apply_default_optimizations = False
    batches = tf.data.Dataset.from_tensor_slices(part).batch(256)
    return batches.with_options(options)
