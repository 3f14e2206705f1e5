"""The backward passes of a step with task gradients, written out by hand.

The least that `gradients="parameters"` must compute: a forward pass, a backward
pass of each head, one of the shared part for each task, and the optimizer's
update. The task gradients are only added up.
"""

from collections.abc import Callable

import keras
import lenet
import tensorflow as tf
import training_steps


def make_block(count: int, x, y, steps: int) -> Callable[[], None]:
    """Makes a function that takes some such steps of LeNet.

    Args:
        count: Number of tasks.
        x: Images.
        y: Dict from task name to labels.
        steps: Steps a call.

    Returns:
        The function.
    """
    model = lenet.build(count)
    features = model.get_layer("features").output
    trunk = keras.Model(model.input, features)
    heads = {
        name: keras.Model(features, model.get_layer(name).output) for name in y
    }
    optimizer = keras.optimizers.Adam()
    shared = trunk.trainable_variables
    own = {name: head.trainable_variables for name, head in heads.items()}
    variables = [*shared, *(v for one in own.values() for v in one)]
    optimizer.build(variables)

    @tf.function
    def step(batches):
        images, labels = next(batches)
        with tf.GradientTape(persistent=True) as tape:
            shared_features = trunk(images, training=True)
        with tf.GradientTape(persistent=True) as head_tape:
            head_tape.watch(shared_features)
            losses = {
                name: tf.reduce_mean(
                    keras.losses.sparse_categorical_crossentropy(
                        labels[name], head(shared_features, training=True)
                    )
                )
                for name, head in heads.items()
            }
        rows, head_gradients = [], []
        for name, loss in losses.items():
            feature_gradients, *task_head_gradients = head_tape.gradient(
                loss, [shared_features, *own[name]]
            )
            head_gradients += task_head_gradients
            rows.append(
                tape.gradient(
                    shared_features, shared, output_gradients=feature_gradients
                )
            )
        update = [tf.add_n(column) for column in zip(*rows, strict=True)]
        optimizer.apply_gradients(
            zip([*update, *head_gradients], variables, strict=True)
        )

    batches = training_steps.stream(x, y, lenet.BATCH)

    def block():
        for _ in range(steps):
            step(batches)

    return block
