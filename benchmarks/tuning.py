"""Trials per minute of `tuning.search` and of KerasTuner as it is.

Both search the same points of the same space (a grid, so that the points are
the same), with the same factory, data and number of epochs. The stock tuner
builds each model by the factory and compiles it; `tuning.search` also writes
its journal and trains with early stopping switched off.

    python benchmarks/tuning.py [--trials 12] [--blocks 3]
"""

import argparse
import contextlib
import io
import os
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import keras_tuner
import measure
import numpy as np

import mtl_keras
from mtl_keras import tuning

EPOCHS = 3
OBJECTIVE = "left_accuracy"
FIXED = {"input_shape": [(20,)], "num_classes": 3, "trunk_depth": 2}
RATIOS = [0.1, 0.3, 1.0, 3.0, 10.0]
RATES = [0.001, 0.003, 0.01, 0.03]
CASES = {
    "weights and rate": {
        "trunk_width": 32,
        "loss_weight/right": RATIOS,
        "learning_rate": RATES,
    },
    "width over four values, weights": {
        "trunk_width": [8, 16, 32, 64],
        "loss_weight/right": RATIOS,
        "learning_rate": 0.01,
    },
}


def samples(count, seed):
    """Two tasks of three classes on 20 features."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, 20)).astype("float32")
    y = {
        "left": np.argmax(x[:, :3] + x[:, 3:6] * x[:, 6:9], axis=1),
        "right": np.argmax(x[:, 9:12], axis=1),
    }
    return x, y


TRAIN, VALIDATION = samples(600, 0), samples(300, 1)


def search_ours(space, trials, folder, name):
    """Searches with this library."""
    study = tuning.search(
        mtl_keras.build_mlp,
        {**FIXED, **space},
        TRAIN,
        VALIDATION,
        objective=OBJECTIVE,
        tuner="grid",
        max_trials=trials,
        epochs=EPOCHS,
        patience=None,
        merge=False,
        directory=folder,
        name=name,
        verbose=0,
    )
    assert len(study.completed) == trials
    return study.best.objectives[OBJECTIVE]


def search_stock(space, trials, folder, name):
    """Searches with KerasTuner, by a function that builds each model."""

    def build(hp):
        width = space["trunk_width"]
        if isinstance(width, list):
            width = hp.Choice("trunk_width", width)
        ratio = hp.Choice("loss_weight/right", RATIOS)
        rate = space["learning_rate"]
        if isinstance(rate, list):
            rate = hp.Choice("learning_rate", rate)
        return mtl_keras.build_mlp(
            (20,),
            num_classes=3,
            trunk_width=width,
            trunk_depth=2,
            loss_weights={
                "left": 2 / (1 + ratio),
                "right": 2 * ratio / (1 + ratio),
            },
            optimizer=keras.optimizers.Adam(rate),
        )

    keras.utils.set_random_seed(0)
    tuner = keras_tuner.GridSearch(
        build,
        objective=keras_tuner.Objective(f"val_{OBJECTIVE}", "max"),
        max_trials=trials,
        directory=folder,
        project_name=name,
        seed=1,
    )
    with contextlib.redirect_stdout(io.StringIO()):
        tuner.search(
            *TRAIN, validation_data=VALIDATION, epochs=EPOCHS, verbose=0
        )
    (best,) = tuner.oracle.get_best_trials(1)
    assert len(tuner.oracle.trials) == trials
    return best.score


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--blocks", type=int, default=3)
    arguments = parser.parse_args()
    rows = []
    for case, space in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            rows += measure_case(case, space, folder, arguments)
    measure.write("tuning", rows)


def measure_case(case, space, folder, arguments):
    """Times both in turn, each time from nothing."""
    best = {"ours": [], "stock": []}
    count = iter(range(1000))

    def arm(name, search):
        def run():
            found = search(space, arguments.trials, folder, f"{next(count)}")
            best[name].append(found)

        return run

    seconds = measure.alternate(
        {"ours": arm("ours", search_ours), "stock": arm("stock", search_stock)},
        arguments.blocks,
        warm_up=1,
    )
    middle, low, high = measure.ratio(seconds["stock"], seconds["ours"])
    return [
        {
            "case": case,
            "search": name,
            "trials": arguments.trials,
            "blocks": arguments.blocks,
            "trials_per_minute": round(
                60 * arguments.trials / float(np.median(seconds[name])), 1
            ),
            "best_score": round(float(np.mean(best[name])), 4),
            "times_stock": round(middle, 2) if name == "ours" else 1.0,
            "low": round(low, 2) if name == "ours" else 1.0,
            "high": round(high, 2) if name == "ours" else 1.0,
            "machine": measure.machine(),
        }
        for name in ("stock", "ours")
    ]


if __name__ == "__main__":
    main()
