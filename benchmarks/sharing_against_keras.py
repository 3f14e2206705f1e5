"""Many equal tasks, and many experts, against the same networks in plain Keras.

The plain networks have separate dense layers, Keras's losses and its metrics.
Both begin with the same weights, their losses must agree, and blocks of steps
alternate. The cases `threshold_<tasks>` compare equal tasks that are computed
together with the same ones one by one.

Run: python benchmarks/sharing_against_keras.py [mlp_64 ...]
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import argparse

import keras
import measure
import numpy as np
from keras import layers
from sharing import (
    CLASSES,
    INPUTS,
    STEPS,
    WIDTHS,
    Timed,
    data,
    tasks_of,
    write_beside,
)

import mtl_keras
from mtl_keras.tasks import groups

BLOCKS = 20


def plain_heads(inputs, features):
    """A model with a dense head on the features of each task, compiled."""
    outputs = {
        name: layers.Dense(CLASSES, "softmax", name=name)(x)
        for name, x in features.items()
    }
    model = keras.Model(inputs, outputs)
    model.compile(
        "adam",
        loss=dict.fromkeys(features, "sparse_categorical_crossentropy"),
        metrics={name: ["accuracy"] for name in features},
    )
    return model


def plain_mlp(count):
    """The network of `build_mlp`, by hand."""
    x = inputs = keras.Input((INPUTS,))
    for width in WIDTHS:
        x = layers.Dense(width, "relu")(x)
    return plain_heads(inputs, {task.name: x for task in tasks_of(count)})


def our_mlp(count):
    """The same network, by this library."""
    return mtl_keras.build_mlp((INPUTS,), tasks_of(count), hidden_units=WIDTHS)


def plain_mmoe(count):
    """The network of `build_mmoe`, with a dense layer for each expert."""
    inputs = keras.Input((784,))
    experts = [layers.Dense(16, "relu")(inputs) for _ in range(8)]
    stacked = layers.Lambda(lambda tensors: keras.ops.stack(tensors, axis=1))(
        experts
    )
    features = {}
    for task in tasks_of(count):
        gate = layers.Dense(8, "softmax", use_bias=False)(inputs)
        mixed = layers.Dot(axes=1)([gate, stacked])
        features[task.name] = layers.Dense(16, "relu")(mixed)
    return plain_heads(inputs, features)


def our_mmoe(count):
    """The same network, by this library."""
    return mtl_keras.build_mmoe((784,), tasks_of(count))


def weights_by_layer(model):
    """Arrays of all weights of our model, as plain Keras has them."""
    found = []
    for layer in model.layers:
        weights = layer.get_weights()
        if isinstance(layer, mtl_keras.layers.GroupedDense):
            by_task = [np.moveaxis(w, layer.task_axis, 0) for w in weights]
            found += [list(of_task) for of_task in zip(*by_task, strict=True)]
        elif isinstance(layer, mtl_keras.layers.Experts):
            found += [list(each) for each in zip(*weights, strict=True)]
        elif weights:
            found.append(weights)
    return found


def give_weights(ours, plain):
    """Has both models begin with the same weights; checks that all fit."""
    found = weights_by_layer(ours)
    own = [layer for layer in plain.layers if layer.weights]
    for layer, weights in zip(_matched(own, found), found, strict=True):
        layer.set_weights(weights)


def _matched(own, found):
    """Layers of the plain model, in the order of the weights of ours."""
    waiting = list(own)
    for weights in found:
        shapes = [w.shape for w in weights]
        fits = next(
            layer
            for layer in waiting
            if [tuple(w.shape) for w in layer.weights] == shapes
        )
        waiting.remove(fits)
        yield fits


def beside_plain(name, count, build, build_plain, inputs=INPUTS):
    """A row for a network of ours beside the same one in plain Keras."""
    x, y = data(count, inputs)
    ours, plain = Timed(lambda: build(count)), Timed(lambda: build_plain(count))
    give_weights(ours.model, plain.model)
    for each in (ours, plain):
        each.take_first_step(x, y)
    found, expected = ours.epoch(x, y), plain.epoch(x, y)
    apart = max(abs(found[key] / expected[key] - 1) for key in expected)
    assert apart < 1e-4, f"losses differ by {apart}"
    seconds = measure.alternate(
        {"ours": ours.block(x, y), "plain": plain.block(x, y)}, BLOCKS
    )
    median, low, high = measure.ratio(seconds["ours"], seconds["plain"])
    return {
        "network": name,
        "tasks": count,
        "first_step_s": f"{ours.first_step:.2f}",
        "plain_first_step_s": f"{plain.first_step:.2f}",
        "first_step_ratio": f"{ours.first_step / plain.first_step:.3f}",
        "step_ms": f"{1e3 * np.median(seconds['ours']) / STEPS:.2f}",
        "plain_step_ms": f"{1e3 * np.median(seconds['plain']) / STEPS:.2f}",
        "step_ratio": f"{median:.3f}",
        "interval_low": f"{low:.3f}",
        "interval_high": f"{high:.3f}",
        "losses_apart": f"{apart:.1e}",
        "machine": measure.machine(),
    }


def one_by_one(count):
    """`our_mlp` with each task by itself, as fewer tasks are."""
    least, groups.LEAST_TASKS = groups.LEAST_TASKS, count + 1
    try:
        return our_mlp(count)
    finally:
        groups.LEAST_TASKS = least


def together(count):
    """`our_mlp` with all tasks together, however few they are."""
    least, groups.LEAST_TASKS = groups.LEAST_TASKS, 2
    try:
        return our_mlp(count)
    finally:
        groups.LEAST_TASKS = least


def threshold(count):
    """A row for equal tasks together beside the same ones one by one."""
    x, y = data(count)
    arms = {
        "together": Timed(lambda: together(count)),
        "one_by_one": Timed(lambda: one_by_one(count)),
    }
    for each in arms.values():
        each.take_first_step(x, y)
    seconds = measure.alternate(
        {name: each.block(x, y) for name, each in arms.items()}, BLOCKS
    )
    median, low, high = measure.ratio(*seconds.values())
    first = [arm.first_step for arm in arms.values()]
    return {
        "tasks": count,
        "first_step_ratio": f"{first[0] / first[1]:.3f}",
        "step_ratio": f"{median:.3f}",
        "interval_low": f"{low:.3f}",
        "interval_high": f"{high:.3f}",
        "blocks": BLOCKS,
        "machine": measure.machine(),
    }


PLAIN = {
    "mlp_64": lambda: beside_plain("mlp", 64, our_mlp, plain_mlp),
    "mlp_128": lambda: beside_plain("mlp", 128, our_mlp, plain_mlp),
    "mmoe_2": lambda: beside_plain("mmoe", 2, our_mmoe, plain_mmoe, 784),
}
THRESHOLD = {
    f"threshold_{count}": lambda count=count: threshold(count)
    for count in (2, 4, 6, 8, 12, 16)
}


def main():
    """Runs the cases that the command names, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", choices=[*PLAIN, *THRESHOLD])
    cases = parser.parse_args().cases or [*PLAIN, *THRESHOLD]
    for name, known in (
        ("sharing_against_keras", PLAIN),
        ("sharing_threshold", THRESHOLD),
    ):
        rows = [
            {"case": case, **known[case]()} for case in cases if case in known
        ]
        if rows:
            write_beside(name, rows, "case", list(known))


if __name__ == "__main__":
    main()
