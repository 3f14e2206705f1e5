"""Trains and compares the cases of the law: N replicas equal one.

A case is trained under any strategy by the same global batches; the result
is a dict of arrays. `tests/distribution/test_replicas_equal_one.py`
compares them, and `replica_law_worker.py` runs them where pytest cannot: on
more devices, and in several processes.
"""

import keras
import numpy as np
from factory_harness import build_small, random_data
from holes import make_holes

from mtl_keras import distribution
from mtl_keras import weighting as weightings

STEPS = 20


def make_data(case, model):
    """Draws inputs and targets, the same for each strategy."""
    rng = np.random.default_rng(case.seed)
    x, y = random_data(model, case.samples, rng)
    if case.labels == "complete":
        return x, y
    first, *others = [task.name for task in model.tasks]
    kept, labelled = y[first][:1], y[first][23]
    for task in model.tasks:
        shape = model.task_output_shapes[task.name]
        y[task.name] = make_holes(task, y[task.name], shape, rng)
    # Batches are of 8: the first half of the second belongs to replica 0 of 2.
    missing = {task.name: task.missing_label for task in model.tasks}
    y[first][8:12] = missing[first]
    # In the third batch only the last sample has that label.
    y[first][16:23] = missing[first]
    y[first][23] = labelled
    for name in others[:1]:
        y[name][:8] = missing[name]
    # A batch without any label would be skipped, with a warning.
    y[first][:1] = kept
    return x, y


def make_weighting(case, model):
    """Returns the weighting, with arguments where it needs some."""
    if case.weighting != "importance":
        return case.weighting
    names = [task.name for task in model.tasks]
    importances = dict(zip(names, range(1, 9), strict=False))
    return weightings.Importance(importances=importances)


def train(case, strategy):
    """Trains a case; returns weights, and losses and metrics by epoch."""
    keras.utils.set_random_seed(7)
    keras.config.set_dtype_policy(case.policy)
    try:
        model = distribution.build(
            build_small,
            strategy,
            name=case.factory,
            **dict(case.arguments),
        )
    finally:
        keras.config.set_dtype_policy("float32")
    optimizers = {"sgd": keras.optimizers.SGD, "adam": keras.optimizers.Adam}
    rates = {"sgd": 0.05, "adam": 0.003}
    with distribution.strategy(strategy).scope():
        optimizer = optimizers[case.optimizer](
            rates[case.optimizer], **dict(case.optimizer_arguments)
        )
    # Metrics are those of the plain cases: they take a third of a trace.
    without = {task.name: [] for task in model.tasks}
    model.compile(
        optimizer,
        metrics=None if case.weighting is None else without,
        weighting=make_weighting(case, model),
        gradients=case.gradients,
        **dict(case.compile_arguments),
    )
    x, y = make_data(case, model)
    arguments = {}
    if case.class_weight:
        weights = {0: 0.5, 1: 2.0}
        arguments["class_weight"] = {model.tasks[0].name: weights}
    if case.validation:
        arguments["validation_data"] = (x, y)
    if case.weighting == "auto_lambda":
        arguments["held_out_data"] = (x, y)
    history = model.fit(
        x,
        y,
        batch_size=8,
        epochs=STEPS // -(-case.samples // 8),
        shuffle=False,
        verbose=0,
        **arguments,
    ).history
    found = {f"log {k}": np.asarray(v) for k, v in history.items()}
    for number, array in enumerate(model.get_weights()):
        found[f"weight {number}"] = array
    if model.weighting is not None:
        for variable in model.weighting.variables:
            found[f"state {variable.name}"] = variable.numpy()
    return found


def assert_law(found, expected, tolerance):
    """Compares the results of a case under two strategies."""
    assert "error" not in found, str(found["error"])
    assert set(found) == set(expected)
    for name, one in expected.items():
        assert np.isfinite(one).all(), name
        scale = max(np.abs(one).max(), 1e-6)
        difference = np.abs(found[name] - one).max() / scale
        assert difference <= tolerance, f"{name}: {difference:.2g}"
