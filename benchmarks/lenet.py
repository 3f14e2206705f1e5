"""LeNet on MultiMNIST with any number of tasks, as the benchmarks train it.

Two convolutions of 10 and 20 channels and a dense layer of 50 are shared; each
task has a dense layer of 50 and ten classes (Sener and Koltun, 2018).
"""

import keras
import numpy as np
from keras import layers

import mtl_keras

BATCH = 256
BATCHES = 8


def task_names(count: int) -> list[str]:
    """Names of a number of tasks."""
    return [f"task_{index:02}" for index in range(count)]


def data(count: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Returns some batches of MultiMNIST.

    Task 0 is the left digit and task 1 the right one; every further pair has
    the same two digits under other names.

    Args:
        count: Number of tasks.

    Returns:
        Images `(n, 28, 28, 1)` and a dict from task to int32 labels `(n,)`.
    """
    (x, y), _ = mtl_keras.datasets.multi_mnist.load_data(BATCH * BATCHES, 1)
    rng = np.random.default_rng(0)
    labels = {}
    for index, name in enumerate(task_names(count)):
        classes = rng.permutation(10) if index > 1 else np.arange(10)
        side = y["left" if index % 2 == 0 else "right"]
        labels[name] = classes[side].astype("int32")
    return x, labels


def build(count: int, **arguments) -> mtl_keras.MultiTaskModel:
    """Returns LeNet with a number of tasks, compiled.

    Args:
        count: Number of tasks.
        **arguments: Those of `MultiTaskModel.compile`.
    """
    keras.utils.set_random_seed(0)
    tasks = [mtl_keras.Classification(name, 10) for name in task_names(count)]
    inputs = keras.Input((28, 28, 1))
    x = layers.Conv2D(10, 5)(inputs)
    x = layers.Activation("relu")(layers.MaxPooling2D()(x))
    x = layers.Conv2D(20, 5)(x)
    x = layers.Activation("relu")(layers.MaxPooling2D()(x))
    x = layers.Dense(50, "relu", name="features")(layers.Flatten()(x))
    outputs = {
        task.name: task.head(layers.Dense(50, "relu")(x)) for task in tasks
    }
    model = mtl_keras.MultiTaskModel(inputs, outputs, tasks=tasks)
    model.compile(**arguments)
    return model


def without_metrics(count: int) -> dict[str, list]:
    """Returns the argument `metrics` that leaves all of them out."""
    return {name: [] for name in task_names(count)}
