"""Small data sets whose inputs and labels encode the sample's number."""

import keras
import numpy as np
import tensorflow as tf

ENDS = {"a": 0, "b": 1000, "c": 2000}


def numbered(name, count, shape=(2,)):
    """Returns a data set with numbered inputs and labels."""
    numbers = ENDS[name] + np.arange(count)
    x = np.empty((count, *shape), "float32")
    x[:] = numbers.reshape(-1, *[1] * len(shape))
    return x, {f"task_{name}": numbers.astype("int32")}


def as_stream(dataset):
    """Returns the same data set as a `tf.data.Dataset`."""
    return tf.data.Dataset.from_tensor_slices(dataset)


def batches(stream):
    """Returns the batches of one iteration, in numpy."""
    return [
        (x.numpy(), keras.tree.map_structure(lambda v: v.numpy(), y))
        for x, y in stream
    ]


def batch_numbers(stream):
    """Returns the numbers of the samples in each batch of one iteration."""
    return [x.reshape(len(x), -1)[:, 0].astype(int) for x, _ in batches(stream)]


def set_names(numbers):
    """Returns the names of the data sets that numbers belong to."""
    return np.array(list(ENDS))[np.asarray(numbers) // 1000]
