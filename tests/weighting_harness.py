"""Runs weightings through steps and epochs, as training does."""

import tensorflow as tf

import mtl_keras.weighting
from mtl_keras.weighting import Weighting

TASKS = ("left", "middle", "right")

# Arguments of the methods that need some, by name.
ARGUMENTS = {
    "importance": {"sample_counts": {"left": 10, "middle": 20, "right": 40}},
}

# Learning rate of the trainable variables of a method.
RATE = 0.1


def methods_requiring(kind):
    """Lists the registered methods that require `kind`."""
    return [
        row.name for row in mtl_keras.weighting.table() if row.requires == kind
    ]


def make(name, tasks=TASKS, **arguments) -> Weighting:
    """Creates and builds a registered method."""
    arguments = {**ARGUMENTS.get(name, {}), **arguments}
    if name in ARGUMENTS:
        (given,) = ARGUMENTS[name]
        arguments[given] = {
            task: dict(ARGUMENTS[name][given]).get(task, 30) for task in tasks
        }
    config = {"class_name": name, "config": arguments}
    weighting = mtl_keras.weighting.get(config)
    weighting.build(tasks)
    return weighting


def take_step(weighting, losses, losses_after=None):
    """Takes a step, trains the variables of the method and counts the step.

    Returns the combined loss and its gradient with respect to the losses.
    """
    losses = tf.convert_to_tensor(losses, "float32")
    with tf.GradientTape() as tape:
        tape.watch(losses)
        loss = weighting.combine(losses)
    own = weighting.trainable_variables
    weights, *gradients = tape.gradient(
        loss, [losses, *(variable.value for variable in own)]
    )
    for variable, gradient in zip(own, gradients, strict=True):
        variable.assign(variable.value - RATE * gradient)
    if weighting.needs_losses_after_step:
        if losses_after is None:
            losses_after = losses * tf.linspace(0.5, 0.9, losses.shape[0])
        weighting.after_step(tf.cast(losses_after, "float32"))
    weighting.count_step()
    return loss, weights


def run(weighting, epochs):
    """Takes steps with losses of shape `(epochs, steps, tasks)`.

    Returns the combined losses and the weights of all steps.
    """
    results = []
    for epoch in epochs:
        for losses in epoch:
            loss, weights = take_step(weighting, losses)
            results.append([*weights.numpy(), float(loss)])
        weighting.on_epoch_end(epoch.mean(axis=0).astype("float32"))
    return results
