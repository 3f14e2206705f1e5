"""Compares a network and boosting on building loads by cross-validation.

Both use the same 10 folds of the 768 buildings:

- `network`: one `build_mlp` for both loads, on piecewise linear encodings of
  the eight inputs; `--search` compares settings on tenths of the training
  parts of three folds, which are rows that other folds test on;
- `boosting`: a GradientBoostingRegressor of scikit-learn for each load, with
  the parameters that cross-validation found for it in
  results/energy_gradient_boosting.csv, on rows that folds test on as well.

RMSE in kWh/m^2, the mean over folds. A run adds rows to
results/energy_folds_runs.csv fold by fold and skips existing rows, so it can be
stopped at any time.

Run: python benchmarks/studies/energy_folds.py PATH_OF_ENB2012.csv [--search]
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
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.model_selection import KFold

import mtl_keras
from mtl_keras.datasets import energy

LOADS = energy.TARGETS
FOLDS = 10
RUNS = "energy_folds_runs"
SETTINGS = {
    "hidden_units": (256, 256),
    "num_bins": 16,
    "epochs": 400,
    "batch_size": 32,
    "learning_rate": 0.003,
    "weight_decay": 0.1,
}
# Settings that the search changes, one after the other.
CHANGES = (
    {},
    {"num_bins": None},
    {"num_bins": 8},
    {"weight_decay": 0.01},
    {"hidden_units": (128, 128, 128)},
    {"epochs": 200},
    {"learning_rate": 0.001},
)


def read(path):
    """Returns all buildings, in one order that does not change."""
    parts = energy.load_data(path)
    x = np.concatenate([x for x, _ in parts])
    y = {n: np.concatenate([y[n] for _, y in parts]) for n in LOADS}
    return x, y


def folds(count):
    """Returns training and test indices of each fold."""
    return KFold(FOLDS, shuffle=True, random_state=0).split(np.zeros(count))


def to_columns(x):
    """Returns the inputs as columns of a table."""
    return {f"x{number}": column for number, column in enumerate(x.T, start=1)}


def fit_network(x, y, seed, **changes):
    """Trains one network on both loads; returns a function that predicts."""
    settings = {**SETTINGS, **changes}
    keras.utils.set_random_seed(seed)
    encoding = {"num_bins": settings["num_bins"]}
    encoding["numbers"] = "piecewise_linear"
    if settings["num_bins"] is None:
        encoding = {}
    space = mtl_keras.tables.fit_feature_space(to_columns(x), **encoding)
    # The tasks learn standardized loads.
    scales = {name: (y[name].mean(), y[name].std()) for name in LOADS}
    scaled = {n: (y[n] - mean) / std for n, (mean, std) in scales.items()}
    encoded = mtl_keras.tables.encode_columns(space, to_columns(x))
    steps = settings["epochs"] * -(-len(x) // settings["batch_size"])
    model = mtl_keras.build_mlp(
        encoded.shape[1:],
        [mtl_keras.Regression(name, metrics=[]) for name in LOADS],
        hidden_units=settings["hidden_units"],
        activation="gelu",
        optimizer=keras.optimizers.AdamW(
            keras.optimizers.schedules.CosineDecay(
                settings["learning_rate"], steps
            ),
            weight_decay=settings["weight_decay"],
        ),
    )
    model.fit(
        encoded,
        scaled,
        batch_size=settings["batch_size"],
        epochs=settings["epochs"],
        verbose=0,
    )

    def predict(x):
        encoded = mtl_keras.tables.encode_columns(space, to_columns(x))
        outputs = model.predict(encoded, len(x), verbose=0)
        return {
            name: outputs[name][:, 0] * std + mean
            for name, (mean, std) in scales.items()
        }

    return predict


def fit_boosting(x, y, seed):
    """Trains trees for each load; returns a function that predicts."""
    with open(
        measure.RESULTS / "energy_gradient_boosting.csv", newline=""
    ) as file:
        found = {row["load"]: row for row in csv.DictReader(file)}
    models = {
        load: GradientBoostingRegressor(
            n_estimators=int(row["n_estimators"]),
            max_depth=int(row["max_depth"]),
            learning_rate=float(row["learning_rate"]),
            subsample=float(row["subsample"]),
            random_state=seed,
        ).fit(x, y[load])
        for load, row in found.items()
    }
    return lambda x: {n: model.predict(x) for n, model in models.items()}


ARMS = {"network": fit_network, "boosting": fit_boosting}


def read_rows():
    """Returns the rows of all folds so far."""
    path = measure.RESULTS / f"{RUNS}.csv"
    if not path.is_file():
        return []
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def main(path):
    """Measures the folds that have no row yet, then writes the table."""
    x, y = read(path)
    for fold, (train, test) in enumerate(folds(len(x))):
        if any(row["fold"] == str(fold) for row in read_rows()):
            continue
        rows = []
        for arm, fit in ARMS.items():
            predict = fit(x[train], {n: y[n][train] for n in LOADS}, fold)
            for load, values in predict(x[test]).items():
                error = rmse(values - y[load][test])
                said = {"fold": fold, "arm": arm, "load": load}
                rows.append({**said, "rmse": f"{error:.4f}"})
            keras.backend.clear_session()
        measure.write(RUNS, [*read_rows(), *rows])
    table(read_rows())


def table(runs):
    """Writes means over folds, and how often the network is better."""
    by_fold = {
        (arm, load): {
            row["fold"]: float(row["rmse"])
            for row in runs
            if (row["arm"], row["load"]) == (arm, load)
        }
        for arm in ARMS
        for load in LOADS
    }
    rows = []
    for (arm, load), found in by_fold.items():
        against = by_fold["boosting", load]
        rows.append(
            {
                "arm": arm,
                "load": load,
                "rmse": f"{statistics.fmean(found.values()):.3f}",
                "std": f"{statistics.stdev(found.values()):.3f}",
                "minus_boosting": measure.paired(found, against, 3),
                "better_than_boosting": sum(
                    value < against[fold] for fold, value in found.items()
                ),
                "folds": len(found),
                "machine": measure.machine(),
            }
        )
    measure.write("energy_folds", rows)


def rmse(errors):
    """Returns the root of the mean square."""
    return float(np.sqrt(np.mean(np.square(errors))))


def search(path):
    """Compares settings on tenths of three folds' training parts."""
    x, y = read(path)
    rows = []
    for change in CHANGES:
        found = {load: [] for load in LOADS}
        for fold, (train, _) in enumerate(folds(len(x))):
            if fold == 3:
                break
            train = np.random.default_rng(fold).permutation(train)
            held_back, kept = np.split(train, [len(train) // 10])
            predict = fit_network(
                x[kept], {n: y[n][kept] for n in LOADS}, fold, **change
            )
            for load, values in predict(x[held_back]).items():
                found[load].append(rmse(values - y[load][held_back]))
            keras.backend.clear_session()
        rows.append(
            {
                "change": ", ".join(f"{k}={v}" for k, v in change.items()),
                **{n: f"{statistics.fmean(v):.3f}" for n, v in found.items()},
                "machine": measure.machine(),
            }
        )
        measure.write("energy_folds_search", rows)


if __name__ == "__main__":
    (search if "--search" in sys.argv else main)(sys.argv[1])
