"""`fit` of the factories' models against the same networks in plain Keras.

The plain networks are written by hand, with Keras's losses and metrics. Blocks
of `fit` alternate; a second plain model is the control, and its ratio shows the
noise.

Run: python benchmarks/plain_keras.py
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import functools

import keras
import measure
import numpy as np
from keras import layers, ops

import mtl_keras

BLOCKS = 40


def convolution(x, filters, size=3, synchronized=False):
    """Applies a convolution, batch normalization and ReLU."""
    x = layers.Conv2D(
        filters,
        size,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
    )(x)
    x = layers.BatchNormalization(momentum=0.9, synchronized=synchronized)(x)
    return layers.Activation("relu")(x)


def crossentropy_plus_dice(y_true, y_pred):
    """Computes binary cross-entropy plus Dice, as a user would write it."""
    crossentropy = keras.losses.binary_crossentropy(y_true, y_pred)
    overlap = ops.sum(y_true * y_pred, axis=(1, 2, 3))
    size = ops.sum(y_true, axis=(1, 2, 3)) + ops.sum(y_pred, axis=(1, 2, 3))
    dice = 1 - (2 * overlap + 1) / (size + 1)
    return crossentropy + dice[:, None, None]


def plain_cnn_cls_seg(synchronized=False):
    """Returns the network of `build_cnn_cls_seg()`, by hand."""
    block = functools.partial(convolution, synchronized=synchronized)
    inputs = keras.Input((32, 32, 3))
    first = block(inputs, 16)
    second = layers.MaxPooling2D()(first)
    second = block(block(second, 32), 32)
    third = layers.MaxPooling2D()(second)
    third = block(block(third, 64), 64)
    bottleneck = block(layers.MaxPooling2D()(third), 128)
    x = bottleneck
    for skip, filters in ((third, 32), (second, 16), (first, 16)):
        x = layers.UpSampling2D()(block(x, filters, size=1))
        x = block(layers.Concatenate()([x, skip]), filters)
    model = keras.Model(
        inputs,
        {
            "classification": layers.Dense(
                10, "softmax", name="classification"
            )(layers.GlobalAveragePooling2D()(bottleneck)),
            "segmentation": layers.Conv2D(
                1, 1, activation="sigmoid", name="segmentation"
            )(x),
        },
    )
    model.compile(
        "adam",
        loss={
            "classification": "sparse_categorical_crossentropy",
            "segmentation": crossentropy_plus_dice,
        },
        loss_weights={"classification": 1.0, "segmentation": 1.0},
        metrics={
            "classification": ["accuracy"],
            "segmentation": [
                keras.metrics.BinaryIoU(target_class_ids=[1], name="iou")
            ],
        },
    )
    return model


def plain_mlp():
    """Returns the network of `build_mlp()`, by hand."""
    inputs = keras.Input((784,))
    hidden = layers.Dense(64)(inputs)
    hidden = layers.Activation("relu")(hidden)
    sides = ("left", "right")
    model = keras.Model(
        inputs,
        {s: layers.Dense(10, "softmax", name=s)(hidden) for s in sides},
    )
    model.compile(
        "adam",
        loss={s: "sparse_categorical_crossentropy" for s in sides},
        loss_weights={s: 1.0 for s in sides},
        metrics={s: ["accuracy"] for s in sides},
    )
    return model


def scenes():
    """Returns data for `build_cnn_cls_seg()`, and the epochs of a block."""
    (x, y), _ = mtl_keras.datasets.digit_scenes.load_data(640, 1)
    return x, y, 32, 1


def digits():
    """Returns data for `build_mlp()`, and the epochs of a block."""
    rng = np.random.default_rng(0)
    x = rng.uniform(size=(12800, 784)).astype("float32")
    y = {s: rng.integers(10, size=12800) for s in ("left", "right")}
    return x, y, 128, 3


def compare(name, build, build_plain, data):
    """Alternates calls of `fit` and returns two rows of results."""
    x, y, batch_size, epochs = data()
    plain, control, ours = build_plain(), build_plain(), build()
    assert ours.count_params() == plain.count_params()
    arms = {
        arm: lambda model=model: model.fit(
            x, y, batch_size=batch_size, epochs=epochs, verbose=0
        )
        for arm, model in (
            ("plain", plain),
            ("control", control),
            ("mtl_keras", ours),
        )
    }
    seconds = measure.alternate(arms, BLOCKS)
    rows = []
    for arm in ("control", "mtl_keras"):
        median, low, high = measure.ratio(seconds[arm], seconds["plain"])
        rows.append(
            {
                "model": name,
                "arm": arm,
                "over_plain": f"{median:.3f}",
                "interval_low": f"{low:.3f}",
                "interval_high": f"{high:.3f}",
                "plain_seconds": f"{np.median(seconds['plain']):.3f}",
                "blocks": BLOCKS,
                "machine": measure.machine(),
            }
        )
    return rows


def main():
    """Compares both factories."""
    measure.write(
        "plain_keras",
        [
            *compare(
                "build_cnn_cls_seg",
                mtl_keras.build_cnn_cls_seg,
                plain_cnn_cls_seg,
                scenes,
            ),
            *compare("build_mlp", mtl_keras.build_mlp, plain_mlp, digits),
        ],
    )


if __name__ == "__main__":
    main()
