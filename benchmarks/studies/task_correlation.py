"""Compares experts with a shared bottom as the correlation of two tasks falls.

The synthetic regression of the mixture-of-experts paper
(`mtl_keras.datasets.synthetic_regression`), with the paper's networks: a
shared layer of 113 units against 8 experts of 16, about as many parameters,
and a tower of 8 units per task in both. One expert is a shared bottom, so both
are `build_mmoe`. For each correlation and seed, both train on the same data,
which is large enough to prevent memorization: with 10,000 samples, the error on
the test part was about four times that on the training part.

Run: python benchmarks/studies/task_correlation.py
Draw docs/images/task-correlation.png from the results: the same with --draw
"""

import csv
import os
import statistics
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import keras
import measure
import numpy as np
from scipy import stats

import mtl_keras
from mtl_keras.datasets import synthetic_regression

CORRELATIONS = (0.0, 0.5, 1.0)
SEEDS = range(10)
NETWORKS = {
    "shared_bottom": {"num_experts": 1, "hidden_units": (113,)},
    "experts": {"num_experts": 8, "hidden_units": (16,)},
}
SAMPLES = 100_000
EPOCHS = 6
BATCH_SIZE = 256
LEARNING_RATE = 0.005
PICTURE = Path(__file__).parents[2] / "docs" / "images" / "task-correlation.png"


def test_error(network, train, test, seed):
    """Computes the mean squared error of both tasks, in target variances."""
    keras.utils.set_random_seed(seed)
    x, y = train
    deviation = {name: values.std() for name, values in y.items()}
    scaled = {name: values / deviation[name] for name, values in y.items()}
    steps = EPOCHS * -(-len(x) // BATCH_SIZE)
    model = mtl_keras.build_mmoe(
        x.shape[1:],
        [mtl_keras.Regression(name, metrics=[]) for name in y],
        tower_units=(8,),
        optimizer=keras.optimizers.Adam(
            keras.optimizers.schedules.CosineDecay(LEARNING_RATE, steps)
        ),
        **NETWORKS[network],
    )
    model.fit(x, scaled, batch_size=BATCH_SIZE, epochs=EPOCHS, verbose=0)
    x, y = test
    outputs = model.predict(x, len(x), verbose=0)
    keras.backend.clear_session()
    return statistics.fmean(
        float(np.mean((outputs[n][:, 0] - y[n] / deviation[n]) ** 2)) for n in y
    )


def main():
    """Measures, and writes a row for each correlation."""
    rows = []
    for correlation in CORRELATIONS:
        errors = {network: [] for network in NETWORKS}
        for seed in SEEDS:
            parts = synthetic_regression.load_data(
                correlation, num_train=SAMPLES, seed=seed
            )
            for network, found in errors.items():
                found.append(test_error(network, *parts, seed))
        gains = 1 - np.divide(errors["experts"], errors["shared_bottom"])
        spread = stats.t.ppf(0.975, len(gains) - 1) * stats.sem(gains)
        targets = parts[0][1].values()
        rows.append(
            {
                "correlation": correlation,
                "correlation_of_targets": f"{np.corrcoef(*targets)[0, 1]:.2f}",
                **{n: f"{statistics.fmean(e):.4f}" for n, e in errors.items()},
                "gain": f"{gains.mean():.3f}",
                "gain_95": f"{spread:.3f}",
                **{
                    f"{n}_{seed}": f"{error:.4f}"
                    for n, found in errors.items()
                    for seed, error in zip(SEEDS, found, strict=True)
                },
                "machine": measure.machine(),
            }
        )
        measure.write("task_correlation", rows)


def draw():
    """Draws errors and gains from the written results."""
    import matplotlib.pyplot as plt

    with open(measure.RESULTS / "task_correlation.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    x = [float(row["correlation"]) for row in rows]
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(9, 3.6), layout="constrained"
    )
    looks = {"shared_bottom": "tab:gray", "experts": "tab:blue"}
    for network, color in looks.items():
        for row in rows:
            values = [float(row[f"{network}_{seed}"]) for seed in SEEDS]
            at = [float(row["correlation"])] * len(values)
            left.plot(at, values, ".", color=color, ms=4, alpha=0.6)
        means = [float(row[network]) for row in rows]
        label = network.replace("_", " ")
        left.plot(x, means, color=color, label=label)
    left.set_xlabel("correlation of the tasks")
    left.set_ylabel("test error, in variances of the targets")
    left.set_ylim(bottom=0)
    left.legend(frameon=False)
    gains = [float(row["gain"]) for row in rows]
    spreads = [float(row["gain_95"]) for row in rows]
    right.errorbar(x, gains, spreads, fmt="o-", color="tab:blue", capsize=3)
    right.axhline(0, color="black", linewidth=0.5)
    right.set_xlabel("correlation of the tasks")
    right.set_ylabel("error that experts save (95 % interval)")
    right.yaxis.set_major_formatter("{x:.0%}")
    PICTURE.parent.mkdir(exist_ok=True)
    figure.savefig(PICTURE, dpi=120)


if __name__ == "__main__":
    draw() if "--draw" in sys.argv else main()
