"""The batches of a run, and how many there are."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from mtl_keras.datasets.streamed_samples import StreamedSamples
from mtl_keras.zoo.data import Part, RecipeData, count_part
from mtl_keras.zoo.mixture import mixed_batches
from mtl_keras.zoo.mixture import steps_per_epoch as mixed_steps
from mtl_keras.zoo.recipe import Recipe


def steps_per_epoch(recipe: Recipe, data: RecipeData) -> int:
    """Returns the number of training steps of an epoch.

    Args:
        recipe: The recipe.
        data: Its data.
    """
    if data.sets:
        return mixed_steps(recipe, data)
    return -(-count_part(data.train) // recipe.fit.batch_size)


def training_arguments(
    recipe: Recipe, data: RecipeData, seed: int
) -> dict[str, Any]:
    """Returns the arguments of `fit` that say what to train on.

    Args:
        recipe: The recipe.
        data: Its data.
        seed: Seed of the order of a mixture. `BackupAndRestore` orders the
            samples of anything else.
    """
    # One stream for all epochs: to begin a new one in each would take longer
    # than the steps of a small data set.
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
        batch_size: Samples per batch of a part that streams. Arrays, which
            are in memory, come in batches of 256.

    Returns:
        A `tf.data.Dataset`, whose start at each epoch is cheap: for a few
        hundred samples Keras's own takes longer than the training steps.
    """
    if isinstance(part, StreamedSamples):
        return part.batches(batch_size)
    options = tf.data.Options()
    options.autotune.enabled = False
    options.experimental_optimization.apply_default_optimizations = False
    batches = tf.data.Dataset.from_tensor_slices(part).batch(256)
    return batches.with_options(options)
