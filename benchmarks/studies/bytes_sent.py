"""Counts the bytes that a traced training step sums over the replicas.

Each count is compared with the formula of docs/scaling.md. The model of the
time of a step on that page starts from these numbers.

Run: python benchmarks/studies/bytes_sent.py
"""

import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
sys.path.append(str(Path(__file__).parents[1]))
sys.path.append(str(Path(__file__).parents[2] / "tests"))

import measure
import numpy as np
from collectives import step_collectives
from reductions import reductions

import mtl_keras
from mtl_keras import distribution

REPLICAS = 2
TASKS = (2, 4, 8)
INPUTS, UNITS, CLASSES = 64, (256, 128), 10
# Weighting, gradients, normalization, and the name in the formula.
METHODS = [
    (None, "", None, "plain"),
    ("uncertainty", "", None, "plain"),
    ("famo", "", None, "plain"),
    ("pcgrad", "parameters", None, "parameters"),
    ("pcgrad", "features", None, "features"),
    ("graddrop", "parameters", None, "parameters"),
    (None, "", "batch", "plain"),
    ("pcgrad", "parameters", "batch", "parameters"),
    ("pcgrad", "features", "batch", "features"),
]


def build_heads(strategy, tasks, weighting, gradients, normalization):
    """Returns a network of dense layers, with a head for each task."""
    return distribution.build(
        mtl_keras.build_mlp,
        strategy,
        input_shape=(INPUTS,),
        tasks=[
            mtl_keras.Classification(f"t{i}", CLASSES) for i in range(tasks)
        ],
        hidden_units=UNITS,
        normalization=normalization,
        weighting=weighting,
        gradients=gradients or "parameters",
        optimizer="sgd",
    )


def make_row(strategy, tasks, weighting, gradients, normalization, way):
    """Counts the sums of one model."""
    model = build_heads(strategy, tasks, weighting, gradients, normalization)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(8, INPUTS)).astype("float32")
    y = {task.name: rng.integers(CLASSES, size=8) for task in model.tasks}
    found = step_collectives(model, x, y)
    parameters = sum(
        variable.value.shape.num_elements()
        for variable in model.trainable_variables
    )
    own = tasks * CLASSES * (UNITS[-1] + 1)
    derived = reductions(
        way,
        tasks,
        parameters - own,
        own,
        channels=UNITS if normalization else (),
        looks_again=weighting == "famo",
    )
    counted = sum(one.elements for one in found)
    return {
        "weighting": weighting or "none",
        "gradients": gradients,
        "normalization": normalization or "none",
        "tasks": tasks,
        "shared": parameters - own,
        "own": own,
        "sums": len(found),
        "numbers": counted,
        "bytes": sum(one.size for one in found),
        "derived_sums": len(derived),
        "derived_numbers": sum(derived),
        "over_parameters": f"{counted / parameters:.3f}",
    }


def main():
    """Counts all and writes the table."""
    strategy = distribution.strategy("mirrored", REPLICAS)
    rows = [
        make_row(strategy, tasks, *method)
        for method in METHODS
        for tasks in TASKS
    ]
    measure.write("bytes_sent", rows)


if __name__ == "__main__":
    main()
