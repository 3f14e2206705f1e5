"""The law: N replicas equal one. Its cases, and how each is trained.

A case is trained under any strategy by the same global batches; what comes
out is a dict of arrays. `tests/distribution/test_replicas_equal_one.py`
compares them, and `replica_law_worker.py` runs them where pytest cannot: on
more devices, and in several processes.
"""

import dataclasses

import keras
import numpy as np
from factory_harness import (
    REPRESENTATIVE,
    SHARING,
    build_small,
    random_data,
)
from holes import make_holes

from mtl_keras import distribution
from mtl_keras import weighting as weightings

STEPS = 20


@dataclasses.dataclass(frozen=True)
class Case:
    """One training.

    Args:
        factory: Name of the factory.
        weighting: Name of the weighting, or `None`.
        gradients: `"parameters"` or `"features"`.
        labels: `"complete"`, or `"missing"`: some at random, of one task none
            in the first batch, and of one task none on the first replica.
        optimizer: `"sgd"` or `"adam"`.
        normalization: Of the factory.
        samples: In an epoch of batches of 8.
        policy: Dtype policy.
        tolerance: How far tensors may be apart, relative to their largest
            value.
        clipping: Arguments of the optimizer.
        class_weight: Whether classes have weights.
        options: Further arguments of `compile`.
    """

    factory: str = "build_mlp"
    weighting: str | None = None
    gradients: str = "parameters"
    labels: str = "missing"
    optimizer: str = "sgd"
    normalization: str | None = None
    samples: int = 40
    policy: str = "float32"
    tolerance: float = 1e-5
    clipping: tuple = ()
    class_weight: bool = False
    options: tuple = ()


def _named():
    cases = {}
    for factory in REPRESENTATIVE:
        for labels in ("complete", "missing"):
            for optimizer in ("sgd", "adam"):
                name = f"{factory}-{labels}-{optimizer}"
                common = {
                    "factory": factory,
                    "labels": labels,
                    "optimizer": optimizer,
                }
                cases[name] = Case(**common)
                cases[f"{name}-normalized"] = Case(
                    **common,
                    normalization="batch",
                    tolerance=1e-4 if optimizer == "sgd" else 1e-3,
                )
    for factory in SHARING:
        for gradients in ("parameters", "features"):
            cases[f"{factory}-pcgrad-{gradients}"] = Case(
                factory, "pcgrad", gradients
            )
    for row in weightings.table():
        modes = ["parameters"]
        if row.requires == "gramian":
            modes.append("features")
        for gradients in modes:
            for labels in ("complete", "missing"):
                name = f"{row.name}-{gradients}-{labels}"
                # Both learn from differences of losses that are almost alike,
                # whose rounding is so much larger.
                differences = row.name in ("auto_lambda", "famo")
                tolerance = 1e-4 if differences else 1e-5
                cases[name] = Case(
                    "build_mlp",
                    row.name,
                    gradients,
                    labels,
                    tolerance=tolerance,
                )
    for weighting in (None, "uncertainty", "mgda"):
        of = f"{weighting or 'plain'}"
        common = {"weighting": weighting}
        cases |= {
            f"{of}-class-weights": Case(**common, class_weight=True),
            f"{of}-clipnorm": Case(**common, clipping=(("clipnorm", 0.1),)),
            f"{of}-clipvalue": Case(**common, clipping=(("clipvalue", 0.01),)),
            f"{of}-global-clipnorm": Case(
                **common, clipping=(("global_clipnorm", 0.1),)
            ),
            f"{of}-averaged": Case(**common, clipping=(("use_ema", True),)),
            f"{of}-short-batch": Case(**common, samples=37),
            f"{of}-one-sample": Case(**common, samples=33),
            f"{of}-short-batch-complete": Case(
                **common, samples=37, labels="complete"
            ),
            f"{of}-executions": Case(
                **common, options=(("steps_per_execution", 3),)
            ),
            # Half a step of the last of 8 (16: 11) bits of the mantissa.
            f"{of}-bfloat16": Case(
                **common, policy="mixed_bfloat16", tolerance=2e-2
            ),
            f"{of}-float16": Case(
                **common, policy="mixed_float16", tolerance=4e-3
            ),
        }
    return cases


CASES = _named()


def data_of(case, model):
    """Inputs and targets, the same for each strategy."""
    rng = np.random.default_rng(5)
    x, y = random_data(model, case.samples, rng)
    if case.labels == "complete":
        return x, y
    first, *others = [task.name for task in model.tasks]
    kept = y[first][:1]
    for task in model.tasks:
        shape = model.task_output_shapes[task.name]
        y[task.name] = make_holes(task, y[task.name], shape, rng)
    # Batches are of 8: the first half of the second belongs to replica 0 of 2.
    missing = {task.name: task.missing_label for task in model.tasks}
    y[first][8:12] = missing[first]
    for name in others[:1]:
        y[name][:8] = missing[name]
    # A batch without any label would be skipped, with a warning.
    y[first][:1] = kept
    return x, y


def weighting_of(case, model):
    """The weighting, with arguments where it needs some."""
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
            normalization=case.normalization,
        )
    finally:
        keras.config.set_dtype_policy("float32")
    optimizers = {"sgd": keras.optimizers.SGD, "adam": keras.optimizers.Adam}
    rates = {"sgd": 0.05, "adam": 0.003}
    with distribution.strategy(strategy).scope():
        optimizer = optimizers[case.optimizer](
            rates[case.optimizer], **dict(case.clipping)
        )
    model.compile(
        optimizer,
        weighting=weighting_of(case, model),
        gradients=case.gradients,
        **dict(case.options),
    )
    x, y = data_of(case, model)
    arguments = {}
    if case.class_weight:
        weights = {0: 0.5, 1: 2.0}
        arguments["class_weight"] = {model.tasks[0].name: weights}
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
    """Compares what two strategies made of a case."""
    assert set(found) == set(expected)
    for name, one in expected.items():
        assert np.isfinite(one).all(), name
        scale = max(np.abs(one).max(), 1e-6)
        difference = np.abs(found[name] - one).max() / scale
        assert difference <= tolerance, f"{name}: {difference:.2g}"
