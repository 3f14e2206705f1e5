"""A loop that drops missing labels and then takes plain means.

It handles a task of every kind, by its name in `every_kind`.
"""

import keras
import numpy as np
import tensorflow as tf
from factory_harness import random_targets
from holes import make_holes

import mtl_keras
from mtl_keras.tasks import (
    BinaryClassification,
    Classification,
    DenseRegression,
    MultiLabelClassification,
    Regression,
    Segmentation,
    SequenceTagging,
)

SAMPLES, BATCH = 12, 4


def every_kind():
    """Returns a task of each kind, and the shape that its output will have."""
    return [
        (Classification("kind", 3, metrics=["accuracy", "f1"]), (3,)),
        (Classification("soft", 3), (3,)),
        (BinaryClassification("yes"), (1,)),
        (MultiLabelClassification("labels", 3, loss_weight=0.5), (3,)),
        (Regression("size", metrics=["rmse", "mae", "r2"]), (1,)),
        (Regression("place", units=2, loss=keras.losses.Huber()), (2,)),
        (Regression("angle", units=2, loss="cosine_similarity"), (2,)),
        (DenseRegression("depth", metrics=["rmse", "mae"]), (4, 4, 1)),
        (DenseRegression("normal", units=3, loss="mae"), (4, 4, 3)),
        (Segmentation("mask", 1, metrics=["iou", "dice"]), (4, 4, 1)),
        (Segmentation("parts", 3, loss_weight=2.0), (4, 4, 3)),
        (SequenceTagging("tags", 3), (5, 3)),
    ]


def build(optimizer="sgd", **options):
    """Returns a small network with an output of every kind."""
    inputs = keras.Input((8,))
    hidden = keras.layers.Dense(6, "tanh", kernel_regularizer="l2")(inputs)
    outputs = {}
    for task, shape in every_kind():
        x = hidden
        if len(shape) > 1:
            x = keras.layers.Dense(int(np.prod(shape[:-1])) * 2)(x)
            x = keras.layers.Reshape((*shape[:-1], 2))(x)
        outputs[task.name] = task.head(x)
    model = mtl_keras.MultiTaskModel(
        inputs, outputs, tasks=[task for task, _ in every_kind()]
    )
    model.compile(optimizer, **options)
    return model


def table(rng, *, count=SAMPLES):
    """Returns inputs and targets of every kind; many labels are missing."""
    x = rng.normal(size=(count, 8)).astype("float32")
    y = {}
    for task, shape in every_kind():
        targets = random_targets(task, shape, count, rng)
        holed = make_holes(task, targets, shape, rng)
        holed[0] = targets[0]  # each task has a label somewhere
        y[task.name] = holed
    # One-hot, with the missing label as NaN.
    one_hot = np.eye(3, dtype="float32")[np.maximum(y["soft"], 0)]
    one_hot[y["soft"] < 0] = np.nan
    y["soft"] = one_hot
    # A batch in which one task has no label, and another one is float.
    y["size"][BATCH : 2 * BATCH] = np.nan
    y["yes"] = np.where(y["yes"] < 0, np.nan, y["yes"]).astype("float32")
    return x, y


def crossentropy(p, labels):
    """Computes the cross-entropy of each row of probabilities."""
    rows = tf.stack([tf.range(len(labels)), labels], axis=1)
    return -tf.math.log(tf.clip_by_value(tf.gather_nd(p, rows), 1e-7, 1))


def binary_crossentropy(p, labels):
    p = tf.clip_by_value(p, 1e-7, 1 - 1e-7)
    labels = tf.cast(labels, "float32")
    return -labels * tf.math.log(p) - (1 - labels) * tf.math.log(1 - p)


def dice(task, p, labels):
    """Computes the Dice loss of the labelled pixels of one sample."""
    if task.num_classes == 1:
        masks = tf.cast(labels, "float32")[:, None]
    else:
        masks = tf.one_hot(labels, task.num_classes)
    overlap = tf.reduce_sum(masks * p, axis=0)
    size = tf.reduce_sum(masks, axis=0) + tf.reduce_sum(p, axis=0)
    return tf.reduce_mean(1 - (2 * overlap + 1) / (size + 1))


def sample_losses(task, y, p):
    """Returns the losses of one sample's labels: a vector per term."""
    name = task.name
    if name == "soft":
        y = np.asarray(-1 if np.isnan(y).any() else np.argmax(y))
    if name in ("kind", "soft", "tags", "parts", "mask"):
        y, p = y.reshape(-1), tf.reshape(p, (-1, p.shape[-1]))
        keep = y != -1
        y, p = y[keep].astype("int32"), p[keep]
        if name == "mask":
            losses = binary_crossentropy(p[:, 0], y)
        else:
            losses = crossentropy(p, y)
        if not isinstance(task, Segmentation):
            return [losses]
        return [losses, dice(task, p, y)[None] if len(y) else losses[:0]]
    y = np.asarray(y, "float32").reshape(-1)
    keep = ~np.isnan(y) & (y != -1 if name in ("labels", "yes") else True)
    if name == "angle":
        cosine = tf.reduce_sum(y * p) / tf.norm(y) / tf.norm(p)
        return [-cosine[None] if keep.all() else p[:0]]
    y, p = y[keep], tf.reshape(p, [-1])[keep]
    if name in ("yes", "labels"):
        return [binary_crossentropy(p, y)]
    errors = tf.abs(y - p)
    if name in ("size", "depth"):
        return [errors**2]
    if name == "normal":
        return [errors]
    return [tf.where(errors <= 1, errors**2 / 2, errors - 0.5)]


def loop_losses(model, x, y, weights=None):
    """Returns the mean loss of each task over the labels of some samples."""
    outputs = model(x, training=True)
    result = {}
    for task in model.tasks:
        terms = [[], []]
        for index in range(len(x)):
            target, p = y[task.name][index], outputs[task.name][index]
            weight = 1.0 if weights is None else weights[task.name][index]
            losses = sample_losses(task, np.asarray(target), p)
            for term, values in zip(terms, losses, strict=False):
                term.append(weight * values)
        means = [tf.concat(term, axis=0) for term in terms if term]
        result[task.name] = sum(
            tf.reduce_mean(mean) for mean in means if len(mean)
        )
    return result


def loop_total(model, x, y, weights=None):
    """Returns the weighted task losses plus the regularization."""
    return weighted_total(model, loop_losses(model, x, y, weights))


def weighted_total(model, losses):
    """Returns the weighted sum of the tasks' losses, and the regularization."""
    own = dict(model.loss_weights)
    return sum(own[k] * v for k, v in losses.items()) + sum(model.losses)


def loop_step(model, x, y, weights=None):
    """Takes one step of gradient descent, with a learning rate of 0.1."""
    for variable, gradient in zip(
        model.trainable_variables,
        loop_gradients(model, x, y, weights),
        strict=True,
    ):
        variable.assign_sub(0.1 * gradient)


def loop_gradients(model, x, y, weights=None):
    """Returns gradients of the loop; zero for a head without labels."""
    with tf.GradientTape() as tape:
        total = loop_total(model, x, y, weights)
    variables = [variable.value for variable in model.trainable_variables]
    gradients = tape.gradient(total, variables)
    return [
        tf.zeros_like(variable) if gradient is None else gradient
        for variable, gradient in zip(variables, gradients, strict=True)
    ]


def descent(**options):
    """Returns the optimizer of the loop."""
    return keras.optimizers.SGD(0.1, **options)


def make_batches(x, y, weights=None, size=BATCH):
    """Yields batches in the order of the samples."""
    for start in range(0, len(x), size):
        part = slice(start, start + size)
        yield (
            x[part],
            {k: v[part] for k, v in y.items()},
            weights and {k: v[part] for k, v in weights.items()},
        )


def assert_same_weights(model, other, atol=3e-6):
    """Checks that two models have the same weights."""
    for ours, theirs in zip(model.weights, other.weights, strict=True):
        np.testing.assert_allclose(
            ours.numpy(), theirs.numpy(), atol=atol, err_msg=ours.path
        )
