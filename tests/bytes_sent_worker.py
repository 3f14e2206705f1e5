"""One of several processes: prints the sums of a step as a list."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from collectives import step_collectives

import mtl_keras
from mtl_keras import distribution


def main():
    """Traces a step of four tasks, compared at the features."""
    strategy = distribution.strategy("multi_worker")
    model = distribution.build(
        mtl_keras.build_mlp,
        strategy,
        input_shape=(5,),
        tasks=[mtl_keras.Classification(f"t{i}", 3) for i in range(4)],
        hidden_units=(16, 8),
        optimizer="sgd",
        weighting="pcgrad",
        gradients="features",
    )
    rng = np.random.default_rng(0)
    x = rng.normal(size=(8, 5)).astype("float32")
    y = {task.name: rng.integers(3, size=8) for task in model.tasks}
    found = [one.elements for one in step_collectives(model, x, y)]
    print("sums", *sorted(found, reverse=True), flush=True)


if __name__ == "__main__":
    main()
