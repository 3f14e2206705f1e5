"""A problem of two tasks that is searched in little time."""

import contextlib
from unittest import mock

import numpy as np
from numpy_training import NumpyTrained

import mtl_keras

SPACE = {"loss_weight": (0.1, 10.0)}
# Arguments that make a model small; a search adds those that vary.
SMALL = {"input_shape": [(6,)], "hidden_units": [(5,)], "num_classes": 3}


def samples(count=48, seed=0):
    """Draws inputs, and computes the classes of both tasks from them."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, 6)).astype("float32")
    y = {
        "left": np.argmax(x[:, :3], axis=1),
        "right": np.argmax(x[:, 3:], axis=1),
    }
    return x, y


def build(trunk_width=4, loss_weights=None, optimizer="adam", compile=True):
    """Builds a small model with a factory of the library."""
    return mtl_keras.build_mlp(
        (6,),
        num_classes=3,
        hidden_units=(trunk_width,),
        loss_weights=loss_weights,
        optimizer=optimizer,
        compile=compile,
    )


def build_eager(
    width=3, loss_weights=None, optimizer="adam", compile=True, fails_at=()
):
    """Returns the same model, which runs eagerly."""
    if width in fails_at:
        raise ValueError(f"no width of {width}")
    model = build(width, loss_weights, optimizer, compile=False)
    if compile:
        model.compile(optimizer, loss_weights=loss_weights, run_eagerly=True)
    return model


def build_in_numpy(
    width=3, loss_weights=None, optimizer="sgd", compile=True, fails_at=()
):
    """Returns the same model, trained in numpy in milliseconds."""
    if width in fails_at:
        raise ValueError(f"no width of {width}")
    built = build(width, compile=False)
    outputs = dict(zip(built.output_names, built.outputs, strict=True))
    model = NumpyTrained(
        built.input, outputs, name=built.name, tasks=built.tasks
    )
    if compile:
        model.compile(optimizer, loss_weights=loss_weights, run_eagerly=True)
    return model


def search_small(folder, factory=build_in_numpy, space=SPACE, **arguments):
    """Searches in half a second."""
    from mtl_keras import tuning
    from mtl_keras.tuning import run_plan

    arguments = {
        "objective": "left_accuracy",
        "tuner": "random",
        "max_trials": 3,
        "epochs": 1,
        "batch_size": 48,
        "merge": False,
        "directory": folder,
        "name": "small",
        "verbose": 0,
        "validation": samples(seed=1),
        **arguments,
    }
    train = arguments.pop("train", samples())
    # Collecting the garbage of other tests takes longer than a trial.
    with mock.patch.object(run_plan, "_frozen_garbage", contextlib.nullcontext):
        return tuning.search(factory, space, train, **arguments)
