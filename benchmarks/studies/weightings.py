"""Compares every registered weighting with plain training on real problems.

Three seeds of initialization and order, one split, the last epoch. Nothing was
tuned: each method has its default arguments, and Adam the same learning rate
for all of them.

- `energy`: heating and cooling load of buildings by an MLP, test RMSE in
  kWh/m^2, all methods;
- `energy_units`: the same, but the loss of cooling counts a hundredth, as if
  it were measured in a unit ten times as large; RMSE as before, some methods;
- `multi_mnist`: two overlapping digits by a CNN, 4,000 training images, test
  accuracy in percent, some methods.

Run: python benchmarks/studies/weightings.py PATH_OF_ENB2012.csv
Draw docs/images/weightings.png from the results:
python benchmarks/studies/weightings.py --draw
"""

import argparse
import csv
import os
import statistics
import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import keras
import measure
import numpy as np
import tensorflow as tf

import mtl_keras
from mtl_keras.datasets import energy, multi_mnist

SEEDS = range(3)
# Each epoch is several passes, because an epoch has a fixed cost.
EPOCHS = 10
PICTURE = Path(__file__).parents[2] / "docs" / "images" / "weightings.png"
PLAIN = "none"
# `importance` has no defaults: the first task counts three times the second.
IMPORTANCES = (1.5, 0.5)
# It needs held-out data, which the other methods could then not train on.
LEFT_OUT = {"auto_lambda"}
# One method of each kind for the other two problems, to save time.
SOME = (
    "famo",
    "gls",
    "mgda",
    "nash",
    "pcgrad",
    "uncertainty",
)


class Energy:
    """Two regressions by an MLP; the measure is the RMSE."""

    measure = "rmse"
    passes = 200
    batch_size = 32
    learning_rate = 0.005

    def __init__(self, path, loss_weights=None):
        self.train, self.test = energy.load_data(path)
        self.loss_weights = loss_weights
        self.tasks = [
            mtl_keras.Regression(name, metrics=(), complete_labels=True)
            for name in energy.TARGETS
        ]

    def build(self):
        """Makes a model that is not compiled."""
        normalization = keras.layers.Normalization()
        normalization.adapt(self.train[0])
        return mtl_keras.build_mlp(
            (8,),
            self.tasks,
            hidden_units=(64, 64),
            preprocessing=normalization,
            compile=False,
        )

    def score(self, targets, outputs):
        """Returns the root of the mean squared error, in kWh/m^2."""
        return np.sqrt(np.mean((targets - outputs[:, 0]) ** 2))


class MultiMNIST:
    """Two classifications by a CNN; the measure is the accuracy."""

    measure = "accuracy"
    passes = 10
    batch_size = 100
    learning_rate = 0.002
    loss_weights = None

    def __init__(self):
        self.train, self.test = multi_mnist.load_data(4000, 2000)
        self.tasks = [
            mtl_keras.Classification(
                name, num_classes=10, metrics=(), complete_labels=True
            )
            for name in ("left", "right")
        ]

    def build(self):
        """Makes a model that is not compiled."""
        return mtl_keras.build_cnn(
            (28, 28, 1),
            self.tasks,
            filters=(8, 16),
            hidden_units=(64,),
            compile=False,
        )

    def score(self, targets, outputs):
        """Returns the share of right digits, in percent."""
        return 100 * np.mean(targets == np.argmax(outputs, axis=-1))


def configuration(method, tasks):
    """Returns the value of `weighting=`."""
    if method == PLAIN:
        return None
    arguments = {}
    if method == "importance":
        names = [task.name for task in tasks]
        arguments["importances"] = dict(zip(names, IMPORTANCES, strict=True))
    return {"class_name": method, "config": arguments}


def stream(problem, seed):
    """Returns the batches of an epoch of several passes, and their number."""
    x, y = problem.train
    batches = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(
        len(x), seed=seed
    )
    passes = problem.passes // EPOCHS
    batches = batches.batch(problem.batch_size).repeat(passes)
    return batches.prefetch(2), int(batches.cardinality())


def measure_seed(problem, method, seed):
    """Returns the test score of each task after one training."""
    keras.utils.set_random_seed(seed)
    batches, steps = stream(problem, seed)
    model = problem.build()
    model.compile(
        keras.optimizers.Adam(
            keras.optimizers.schedules.CosineDecay(
                problem.learning_rate, steps * EPOCHS
            )
        ),
        loss_weights=problem.loss_weights,
        weighting=configuration(method, problem.tasks),
        steps_per_execution=steps,
    )
    model.fit(batches, epochs=EPOCHS, verbose=0)
    x, y = problem.test
    outputs = model(x)
    scores = {
        name: float(problem.score(y[name], outputs[name].numpy())) for name in y
    }
    keras.backend.clear_session()
    return scores


def measure_method(name, problem, method):
    """Returns one row for each task."""
    began = time.perf_counter()
    results = [measure_seed(problem, method, seed) for seed in SEEDS]
    seconds = time.perf_counter() - began
    rows = []
    for task in problem.tasks:
        values = [scores[task.name] for scores in results]
        rows.append(
            {
                "problem": name,
                "method": method,
                "task": task.name,
                "measure": problem.measure,
                "mean": f"{statistics.fmean(values):.3f}",
                "std": f"{statistics.stdev(values):.3f}",
                **{
                    f"seed_{seed}": f"{value:.3f}"
                    for seed, value in zip(SEEDS, values, strict=True)
                },
                "machine": measure.machine(),
            }
        )
    means = " ".join(f"{row['mean']} ± {row['std']}" for row in rows)
    print(name, method, means, f"{seconds:.0f} s", flush=True)
    return rows


def compare(path):
    """Measures all methods on all problems and writes the rows."""
    problems = {
        "energy": Energy(path),
        "energy_units": Energy(path, {"cooling": 0.01}),
        "multi_mnist": MultiMNIST(),
    }
    rows = []
    for name, problem in problems.items():
        methods = sorted({*mtl_keras.weighting.names()} - LEFT_OUT)
        for method in [PLAIN, *(methods if name == "energy" else SOME)]:
            rows += measure_method(name, problem, method)
        # Written after each method, because all of them take long.
        measure.write("weightings", rows)


def draw():
    """Draws all seeds of all methods on `energy`, one panel per task."""
    import matplotlib.pyplot as plt

    with open(measure.RESULTS / "weightings.csv", newline="") as file:
        rows = [r for r in csv.DictReader(file) if r["problem"] == "energy"]
    methods = list(dict.fromkeys(row["method"] for row in rows))
    figure, panels = plt.subplots(
        1, 2, figsize=(9, 5.6), sharey=True, layout="constrained"
    )
    for axes, task in zip(panels, energy.TARGETS, strict=True):
        draw_panel(axes, [row for row in rows if row["task"] == task], methods)
        axes.set_title(task, fontsize=11)
        axes.set_xlabel("test RMSE, kWh/m$^2$ (less is better)")
    panels[0].set_yticks(range(len(methods)), methods, family="monospace")
    panels[0].invert_yaxis()
    PICTURE.parent.mkdir(exist_ok=True)
    figure.savefig(PICTURE, dpi=110)


def draw_panel(axes, rows, methods):
    """Draws the seeds of each method, and a band where plain seeds lie."""
    for row in rows:
        values = [float(row[f"seed_{seed}"]) for seed in SEEDS]
        level = methods.index(row["method"])
        axes.plot(values, [level] * len(values), ".", color="#0b5fa5", ms=7)
        axes.plot(float(row["mean"]), level, "k|", ms=10)
        if row["method"] == PLAIN:
            axes.axvspan(min(values), max(values), color="#cccccc", zorder=0)
    axes.grid(axis="y", linewidth=0.3)
    axes.tick_params(labelsize=9)


def main():
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", nargs="?", help="the csv file of ENB2012")
    parser.add_argument("--draw", action="store_true")
    chosen = parser.parse_args()
    if chosen.draw:
        draw()
    elif chosen.path is None:
        parser.error("pass the path of the csv file")
    else:
        compare(chosen.path)


if __name__ == "__main__":
    main()
