"""Compares missing labels on Tox21: left out, or filled with 0.

Five seeds, each with a separate split, initialization and order; all numbers
are exact areas under the ROC curve over the labelled test molecules:

- `missing`: `build_mlp` on the labels as they are;
- `filled`: the same, but missing training labels are 0, "not active";
- `logistic` and `forest`: one model of scikit-learn for each assay, trained on
  the molecules that are labelled for it.

The settings were chosen by `--search`, which trains on four fifths of the
training parts of seeds 0 and 1, and compares on the last fifth. It uses no test
part of these two seeds, but molecules that other seeds test on. The network has
the best settings for `missing`, also for filled labels; `--search` shows the
results for these as well.

Run: python benchmarks/studies/tox21.py PATH_OF_TOX21.npz [--search]
Draw docs/images/tox21.png from the results:
python benchmarks/studies/tox21.py --draw
"""

import argparse
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
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

import mtl_keras
from mtl_keras.datasets import tox21

SEEDS = range(5)
SEARCH_SEEDS = (0, 1)
PICTURE = Path(__file__).parents[2] / "docs" / "images" / "tox21.png"
SETTINGS = {
    "hidden_units": (1024, 512),
    "normalization": "batch",
    "dropout": 0.4,
    "input_dropout": 0.4,
    "label_smoothing": 0.2,
    "learning_rate": 0.001,
    "weight_decay": 2.0,
    "batch_size": 128,
    "epochs": 16,
}
# Settings that the search changes, one after the other.
CHANGES = (
    {},
    {"normalization": None},
    {"dropout": 0.0, "input_dropout": 0.0},
    {"input_dropout": 0.0},
    {"label_smoothing": 0.0},
    {"weight_decay": 0.0},
    {"hidden_units": (256, 256)},
    {"hidden_units": (1024, 1024), "dropout": 0.5, "input_dropout": 0.5},
    {"epochs": 32},
)
STRENGTHS = (0.01, 0.1, 1.0)


def fit_network(x, y, seed, settings):
    """Trains one network on all assays; returns a function that predicts."""
    keras.utils.set_random_seed(seed)
    steps = settings["epochs"] * -(-len(x) // settings["batch_size"])
    loss = keras.losses.BinaryCrossentropy(
        label_smoothing=settings["label_smoothing"]
    )
    model = mtl_keras.build_mlp(
        x.shape[1:],
        # Keras's areas are binned and would be computed at each step.
        [
            mtl_keras.BinaryClassification(assay, loss=loss, metrics=[])
            for assay in y
        ],
        hidden_units=settings["hidden_units"],
        normalization=settings["normalization"],
        dropout=settings["dropout"],
        preprocessing=keras.layers.Dropout(settings["input_dropout"]),
        optimizer=keras.optimizers.AdamW(
            keras.optimizers.schedules.CosineDecay(
                settings["learning_rate"], steps
            ),
            weight_decay=settings["weight_decay"],
        ),
    )
    model.fit(
        x,
        y,
        batch_size=settings["batch_size"],
        epochs=settings["epochs"],
        verbose=0,
    )
    return lambda x: {
        assay: scores[:, 0]
        for assay, scores in model.predict(x, 1024, verbose=0).items()
    }


def fit_each(x, y, make):
    """Trains a classifier per assay; returns a function that predicts."""
    models = {}
    for assay, labels in y.items():
        labelled = labels != -1
        models[assay] = make().fit(x[labelled], labels[labelled])
    return lambda x: {
        assay: model.predict_proba(x)[:, 1] for assay, model in models.items()
    }


def fill(y):
    """Returns the labels with 0 wherever one is missing."""
    return {assay: np.maximum(labels, 0) for assay, labels in y.items()}


def logistic(strength=0.1):
    """Returns a logistic regression; the strength was found by the search."""
    return LogisticRegression(C=strength, max_iter=1000)


def forest(seed):
    """Returns a random forest with at least two samples per leaf."""
    return RandomForestClassifier(
        300, min_samples_leaf=2, n_jobs=-1, random_state=seed
    )


def areas(predict, x, y):
    """Returns the area under the ROC curve of each assay."""
    scores = predict(x)
    labelled = {assay: labels != -1 for assay, labels in y.items()}
    return {
        assay: roc_auc_score(y[assay][kept], scores[assay][kept])
        for assay, kept in labelled.items()
    }


def measure_seed(path, seed):
    """Measures the areas of each arm on the test part of a seed."""
    (x, y), test = tox21.load_data(path, seed=seed)
    arms = {
        "missing": lambda: fit_network(x, y, seed, SETTINGS),
        "filled": lambda: fit_network(x, fill(y), seed, SETTINGS),
        "logistic": lambda: fit_each(x, y, logistic),
        "forest": lambda: fit_each(x, y, lambda: forest(seed)),
    }
    found = {}
    for arm, fit in arms.items():
        found[arm] = with_mean(areas(fit(), *test))
        print(seed, arm, f"{found[arm]['mean']:.4f}", flush=True)
        keras.backend.clear_session()
    found["missing - filled"] = {
        task: area - found["filled"][task]
        for task, area in found["missing"].items()
    }
    return found


def with_mean(by_task):
    """Adds the mean of the areas to the areas by task."""
    return {"mean": statistics.fmean(by_task.values()), **by_task}


def compare(path):
    """Measures all seeds and writes a row for each arm and assay."""
    by_seed = [measure_seed(path, seed) for seed in SEEDS]
    rows = []
    for arm, by_task in by_seed[0].items():
        for task in by_task:
            values = [found[arm][task] for found in by_seed]
            rows.append(
                {
                    "arm": arm,
                    "task": task,
                    "test_auc": f"{statistics.fmean(values):.4f}",
                    "std": f"{statistics.stdev(values):.4f}",
                    **{
                        f"seed_{seed}": f"{value:.4f}"
                        for seed, value in zip(SEEDS, values, strict=True)
                    },
                    "machine": measure.machine(),
                }
            )
    measure.write("tox21", rows)


def search(path):
    """Compares settings on a validation part of the training part."""
    arms = {}
    for change in CHANGES:
        settings = {**SETTINGS, **change}
        said = ", ".join(f"{k}={v}" for k, v in change.items()) or "chosen"
        arms["missing", said] = lambda x, y, seed, s=settings: fit_network(
            x, y, seed, s
        )
        arms["filled", said] = lambda x, y, seed, s=settings: fit_network(
            x, fill(y), seed, s
        )
    for strength in STRENGTHS:
        arms["logistic", f"C={strength}"] = lambda x, y, seed, c=strength: (
            fit_each(x, y, lambda: logistic(c))
        )
    rows = []
    for (arm, change), fit in arms.items():
        means = [validate(path, seed, fit) for seed in SEARCH_SEEDS]
        rows.append(
            {
                "arm": arm,
                "change": change,
                "validation_auc": f"{statistics.fmean(means):.4f}",
                **{
                    f"seed_{seed}": f"{mean:.4f}"
                    for seed, mean in zip(SEARCH_SEEDS, means, strict=True)
                },
                "machine": measure.machine(),
            }
        )
        print(arm, change, rows[-1]["validation_auc"], flush=True)
        keras.backend.clear_session()
    measure.write("tox21_search", rows)


def validate(path, seed, fit):
    """Returns the mean area on the validation part of a seed."""
    (x, y), _ = tox21.load_data(path, seed=seed)
    order = np.random.default_rng(seed).permutation(len(x))
    held_back, kept = np.split(order, [len(x) // 5])
    predict = fit(x[kept], {k: v[kept] for k, v in y.items()}, seed)
    y = {k: v[held_back] for k, v in y.items()}
    return with_mean(areas(predict, x[held_back], y))["mean"]


def draw():
    """Draws the areas of all seeds by assay, from the written results."""
    import matplotlib.pyplot as plt

    with open(measure.RESULTS / "tox21.csv", newline="") as file:
        rows = {(row["arm"], row["task"]): row for row in csv.DictReader(file)}
    tasks = [task for arm, task in rows if arm == "missing"]
    # Sorted by the gain of leaving labels out, with the mean last.
    gains = {t: float(rows["missing - filled", t]["test_auc"]) for t in tasks}
    tasks = [*sorted(tasks[1:], key=gains.get, reverse=True), "mean"]
    figure, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
    arms = {"filled": "tab:gray", "missing": "tab:blue"}
    for shift, (arm, color) in zip((0.12, -0.12), arms.items(), strict=True):
        for place, task in enumerate(tasks):
            row = rows[arm, task]
            values = [float(row[f"seed_{seed}"]) for seed in SEEDS]
            level = len(tasks) - 1 - place - shift
            axes.plot(values, [level] * len(values), ".", color=color, ms=4)
            axes.plot(float(row["test_auc"]), level, "|", color=color, ms=11)
    axes.set_yticks(range(len(tasks)), reversed(tasks))
    axes.axhline(0.5, color="black", linewidth=0.5)
    axes.set_xlabel("test AUC: five seeds (dots) and their mean (bar)")
    for arm, label in (
        ("missing", "missing labels left out"),
        ("filled", "missing labels filled by 0"),
    ):
        axes.plot([], [], "|", color=arms[arm], ms=11, label=label)
    axes.legend(loc="upper left", frameon=False)
    PICTURE.parent.mkdir(exist_ok=True)
    figure.savefig(PICTURE, dpi=120)


def main():
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", nargs="?", help="the npz file of Tox21")
    parser.add_argument("--search", action="store_true")
    parser.add_argument("--draw", action="store_true")
    chosen = parser.parse_args()
    if chosen.draw:
        draw()
    elif chosen.path is None:
        parser.error("pass the path of the npz file")
    elif chosen.search:
        search(chosen.path)
    else:
        compare(chosen.path)


if __name__ == "__main__":
    main()
