"""Task weights of head groups, for a weighting that combines losses."""

import keras
import numpy as np
import tensorflow as tf

import mtl_keras
from mtl_keras.tasks import Regression, groups


def test_heads_follow_the_logarithms_of_their_losses(rng):
    names = [f"size_{index}" for index in range(groups.MIN_GROUP_SIZE)]
    model = mtl_keras.build_mlp(
        (3,), list(map(Regression, names)), hidden_units=(4,), compile=False
    )
    x = rng.normal(size=(6, 3)).astype("float32")
    y = {name: rng.normal(size=(6, 1)).astype("float32") for name in names}
    heads = [
        variable
        for variable in model.trainable_variables
        if not variable.path.startswith("trunk")
    ]
    with tf.GradientTape() as tape:
        losses = [
            tf.reduce_mean(tf.square(predicted - y[name]))
            for name, predicted in model(x).items()
        ]
        total = tf.reduce_sum(tf.math.log(losses))
    gradients = tape.gradient(total, [head.value for head in heads])
    expected = [
        h.numpy() - 0.1 * g for h, g in zip(heads, gradients, strict=True)
    ]
    model.compile(
        keras.optimizers.SGD(0.1), weighting="db_mtl", run_eagerly=True
    )
    model.train_on_batch(x, y)
    for head, values in zip(heads, expected, strict=True):
        np.testing.assert_allclose(head.numpy(), values, rtol=1e-4, atol=1e-6)
