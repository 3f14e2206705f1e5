"""Compares many equal tasks, and many experts, with plain Keras.

The plain networks have separate dense layers, Keras's losses and its metrics.
Both start from the same weights, their losses must agree, and blocks of steps
alternate. On a busy machine, processor seconds are more reliable than wall
seconds. The cases `threshold_<tasks>` compare equal tasks that are computed
together with the same tasks computed one by one.

Run: python benchmarks/studies/sharing_against_keras.py [mlp_64 ...]
"""

import os
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import argparse
import time

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
    make_tasks,
    write_beside,
)

import mtl_keras
from mtl_keras.tasks import groups

BLOCKS = 12


def plain_heads(inputs, features):
    """Returns a compiled model with a dense head for each task."""
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
    """Returns the network of `build_mlp`, by hand."""
    x = inputs = keras.Input((INPUTS,))
    for width in WIDTHS:
        x = layers.Dense(width, "relu")(x)
    return plain_heads(inputs, {task.name: x for task in make_tasks(count)})


def our_mlp(count):
    """Returns the same network, by this library."""
    return mtl_keras.build_mlp(
        (INPUTS,), make_tasks(count), hidden_units=WIDTHS
    )


def plain_mmoe(count, features=784):
    """Returns the network of `build_mmoe` with a `Dense` per expert."""
    inputs = keras.Input((features,))
    experts = [layers.Dense(16, "relu")(inputs) for _ in range(8)]
    stacked = layers.Lambda(lambda tensors: keras.ops.stack(tensors, axis=1))(
        experts
    )
    task_features = {}
    for task in make_tasks(count):
        gate = layers.Dense(8, "softmax", use_bias=False)(inputs)
        mixed = layers.Dot(axes=1)([gate, stacked])
        task_features[task.name] = layers.Dense(16, "relu")(mixed)
    return plain_heads(inputs, task_features)


def our_mmoe(count, features=784):
    """Returns the same network, by this library."""
    return mtl_keras.build_mmoe((features,), make_tasks(count))


def give_weights(ours, plain):
    """Copies the weights to the other model; checks that all fit."""
    heads = {task.name for task in ours.tasks}
    found = []
    for layer in ours.layers:
        weights = layer.get_weights()
        if isinstance(layer, mtl_keras.layers.GroupedDense):
            by_task = [np.moveaxis(w, layer.task_axis, 0) for w in weights]
            for task, *task_weights in zip(ours.tasks, *by_task, strict=True):
                plain.get_layer(task.name).set_weights(task_weights)
        elif layer.name in heads and weights:
            plain.get_layer(layer.name).set_weights(weights)
        elif isinstance(layer, mtl_keras.layers.Experts):
            kernels, biases = weights
            kernels = np.moveaxis(kernels, 1, 0)
            found += [list(each) for each in zip(kernels, biases, strict=True)]
        elif weights:
            found.append(weights)
    own = [x for x in plain.layers if x.weights and x.name not in heads]
    for weights in found:  # the first that fits, in the order of the layers
        shapes = [w.shape for w in weights]
        fits = next(
            layer
            for layer in own
            if [tuple(w.shape) for w in layer.weights] == shapes
        )
        own.remove(fits)
        fits.set_weights(weights)
    assert not own


def alternate(arms):
    """Returns wall and processor seconds of alternating blocks."""
    clock, processor = ({name: [] for name in arms} for _ in range(2))
    rng = np.random.default_rng(0)
    for block in range(-1, BLOCKS):
        for name in rng.permutation(list(arms)):
            start = time.perf_counter(), time.process_time()
            arms[name]()
            if block >= 0:
                clock[name].append(time.perf_counter() - start[0])
                processor[name].append(time.process_time() - start[1])
    return clock, processor


def compared(ours, other):
    """Columns of two models: first steps, steps, and their ratios."""
    x, y = ours.data
    clock, processor = alternate(
        {"ours": ours.block(x, y), "other": other.block(x, y)}
    )
    columns = {
        "first_step_s": f"{ours.first_step:.2f}",
        "other_first_step_s": f"{other.first_step:.2f}",
        "first_step_ratio": f"{ours.first_step / other.first_step:.3f}",
    }
    for name, seconds in (("clock", clock), ("processor", processor)):
        median, low, high = measure.ratio(seconds["ours"], seconds["other"])
        milliseconds = 1e3 * np.median(seconds["ours"]) / STEPS
        columns |= {
            f"{name}_step_ms": f"{milliseconds:.2f}",
            f"{name}_step_ratio": f"{median:.3f}",
            f"{name}_low": f"{low:.3f}",
            f"{name}_high": f"{high:.3f}",
        }
    return {**columns, "blocks": BLOCKS, "machine": measure.machine()}


def beside_plain(name, count, build, build_plain, inputs=INPUTS):
    """Returns a row that compares a network with plain Keras."""
    x, y = data(count, inputs)
    ours, plain = Timed(lambda: build(count)), Timed(lambda: build_plain(count))
    give_weights(ours.model, plain.model)
    for each in (ours, plain):
        each.take_first_step(x, y)
    found, expected = ours.epoch(x, y), plain.epoch(x, y)
    apart = max(abs(found[key] / expected[key] - 1) for key in expected)
    assert apart < 1e-4, f"losses differ by {apart}"
    return {
        "network": name,
        "tasks": count,
        "losses_apart": f"{apart:.1e}",
        **compared(ours, plain),
    }


def one_by_one(count):
    """Returns `our_mlp` with separate tasks, as few tasks are."""
    least, groups.MIN_GROUP_SIZE = groups.MIN_GROUP_SIZE, count + 1
    try:
        return our_mlp(count)
    finally:
        groups.MIN_GROUP_SIZE = least


def together(count):
    """Returns `our_mlp` with grouped tasks, however few they are."""
    least, groups.MIN_GROUP_SIZE = groups.MIN_GROUP_SIZE, 2
    try:
        return our_mlp(count)
    finally:
        groups.MIN_GROUP_SIZE = least


def threshold(count):
    """Returns a row that compares grouped tasks with separate ones."""
    x, y = data(count)
    arms = Timed(lambda: together(count)), Timed(lambda: one_by_one(count))
    for each in arms:
        each.take_first_step(x, y)
    return {"tasks": count, **compared(*arms)}


PLAIN = {
    "mlp_64": lambda: beside_plain("mlp", 64, our_mlp, plain_mlp),
    "mlp_128": lambda: beside_plain("mlp", 128, our_mlp, plain_mlp),
    "mmoe_2": lambda: beside_plain("mmoe", 2, our_mmoe, plain_mmoe, 784),
    "mmoe_2_of_32_inputs": lambda: beside_plain(
        "mmoe",
        2,
        lambda count: our_mmoe(count, INPUTS),
        lambda count: plain_mmoe(count, INPUTS),
    ),
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
