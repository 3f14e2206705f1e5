"""Batches whose order is a function of the seed and the epoch.

A training that was interrupted and resumed then sees the same batches and
drops the same units as one that ran through.
"""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from mtl_keras.zoo.data import RecipeData, Samples
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
    return -(-len(data.train[0]) // recipe.fit.batch_size)


def recipe_batches(
    recipe: Recipe, data: RecipeData, seed: int, epochs: range
) -> tf.data.Dataset:
    """Makes the batches to train on, of a data set or a mixture of several.

    Args:
        recipe: The recipe.
        data: Its data.
        seed: Seed of the order.
        epochs: The epochs, counted from 0.

    Returns:
        A `tf.data.Dataset` with the batches of all these epochs in a row.
    """
    if data.sets:
        return mixed_batches(recipe, data, seed, epochs)
    return training_batches(data.train, recipe.fit.batch_size, seed, epochs)


def training_batches(
    samples: Samples, batch_size: int, seed: int, epochs: range
) -> tf.data.Dataset:
    """Makes the batches of some epochs, each in an order of its own.

    Args:
        samples: `(x, y)`, arrays.
        batch_size: Samples per batch; the last of an epoch may be smaller.
        seed: Seed of the order.
        epochs: The epochs, counted from 0.

    Returns:
        A `tf.data.Dataset` with the batches of all these epochs in a row.
    """
    x, y = keras.tree.map_structure(tf.convert_to_tensor, samples)

    def order(epoch):
        shuffled = tf.random.experimental.stateless_shuffle(
            tf.range(len(x)), seed=tf.stack([tf.cast(seed, tf.int64), epoch])
        )
        return tf.data.Dataset.from_tensor_slices(shuffled).batch(batch_size)

    def gather(indices):
        return keras.tree.map_structure(lambda a: tf.gather(a, indices), (x, y))

    numbers = tf.data.Dataset.range(epochs.start, epochs.stop)
    return numbers.flat_map(order).map(gather).prefetch(tf.data.AUTOTUNE)


def validation_batches(samples: Samples, batch_size: int = 256):
    """Makes the batches of a validation part.

    Args:
        samples: `(x, y)`, arrays.
        batch_size: Samples per batch. Defaults to `256`.

    Returns:
        A `tf.data.Dataset`, whose start at each epoch is cheap: for a few
        hundred samples Keras's own takes longer than the training steps.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    options.experimental_optimization.apply_default_optimizations = False
    batches = tf.data.Dataset.from_tensor_slices(samples).batch(batch_size)
    return batches.with_options(options)


class SeedEpochs(keras.callbacks.Callback):
    """Seeds dropout and other random layers anew at the start of each epoch.

    Keras keeps the state of a layer's seed generator in a variable that
    neither weight files nor `BackupAndRestore` hold.

    Args:
        seed: The seed of the run.
    """

    async_safe = True

    def __init__(self, seed: int):
        super().__init__()
        self.seed = seed

    def on_epoch_begin(self, epoch: int, logs=None) -> None:
        """Assigns the state of every seed generator."""
        states = [
            variable
            for variable in self.model.non_trainable_variables
            if variable.name == "seed_generator_state"
        ]
        for index, state in enumerate(states):
            sequence = np.random.SeedSequence((self.seed, epoch, index))
            state.assign(sequence.generate_state(2))
