"""Trials that were never trained, in a space with all kinds of dimensions."""

import numpy as np

from mtl_keras.tuning.objective import Objective
from mtl_keras.tuning.search_space import SearchSpace
from mtl_keras.tuning.trial_positions import random_labels
from mtl_keras.tuning.trial_record import FAILED, TrialRecord

TASKS = ("left", "right")
OBJECTIVES = (
    Objective("left_accuracy", "max"),
    Objective("parameters", "min"),
    Objective("right_rmse", "min"),
)


def build(
    trunk_width=8,
    activation="relu",
    weighting=None,
    loss_weights=None,
    optimizer="adam",
):
    """Stands for a factory in a space; builds nothing."""


def make_space(**dimensions):
    """Returns a space, by default with every kind of dimension."""
    return SearchSpace(
        build,
        dimensions
        or {
            "trunk_width": (8, 64),
            "activation": ["relu", "gelu", None],
            "learning_rate": (1e-4, 1e-2),
            "loss_weight/right": (0.1, 10.0),
            "weighting": [None, "cagrad", "pcgrad"],
            "weighting/c": (0.1, 0.9),
            "batch_size": [32, 16],
        },
        TASKS,
    )


def make_trials(space, count=12, failed=(), seed=0, deviations=False):
    """Creates trials at random points of a space, with random objectives."""
    rng = np.random.default_rng(seed)
    columns = random_labels(space, count, rng)
    trials = []
    for number, values in enumerate(zip(*columns.values(), strict=True)):
        labels = dict(zip(columns, values, strict=True))
        if labels.get("weighting", "cagrad") != "cagrad":
            labels.pop("weighting/c", None)
        objectives = {
            "left_accuracy": float(rng.uniform(0.5, 1)),
            "parameters": float(rng.integers(100, 200)),
            "right_rmse": float(np.exp(3 * rng.normal())),
        }
        spread = {name: 0.01 * v for name, v in objectives.items()}
        end = {
            "objectives": objectives,
            "deviations": spread if deviations else {},
        }
        if number in failed:
            end = {"status": FAILED, "reason": "no memory"}
        trials.append(TrialRecord(number, labels, labels, **end))
    return trials
