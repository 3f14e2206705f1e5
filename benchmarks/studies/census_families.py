"""Compares all ways of sharing on census income with single tasks and trees.

Income above 50,000 dollars and "never married" from 39 columns of 99,762
people. Each seed has a separate split (70 % training, 15 % validation, 15 %
test), the same for all arms, and seeds weights and order. All numbers are
exact areas under the ROC curve:

- the families: one model for both tasks, of similar width, encoding, learning
  rate and length;
- `single`: `build_mlp` with the trunk of the row `mlp`, one model a task;
- `..._wide`: the same four times as wide, with more dropout and weight decay,
  smaller batches and a smaller learning rate, chosen on validation parts;
- `boosting`: scikit-learn's HistGradientBoostingClassifier with its defaults,
  one model a task, on the same training part.

The product of probabilities of `build_esmm` does not fit: neither task is a
step to the other. `--search` compares settings on the validation parts, and
uses no test part.

A run adds a row to results/census_runs.csv for each arm, seed and task, and
skips existing rows, so it can be stopped at any time. `--table` writes
results/census_families.csv from them: means, standard deviations over seeds,
and the differences to boosting and to `single`, paired by seed.

Run:
    python benchmarks/studies/census_families.py PATH [--seeds 0 1]
        [--arms mmoe]
    python benchmarks/studies/census_families.py PATH --search
    python benchmarks/studies/census_families.py --table
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
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import OrdinalEncoder

import mtl_keras
from mtl_keras.datasets import census_income

TASKS = ("income_50k", "never_married")
RUNS, SEARCH = "census_runs", "census_search"
SHARE = 0.15  # of the rows, for validation and for the test each
ENCODING = {"numbers": "piecewise_linear", "num_bins": 64, "min_count": 10}
SETTINGS = {
    "epochs": 8,
    "batch_size": 1024,
    "learning_rate": 0.003,
    "weight_decay": 0.01,
    "dropout": 0.3,
}
WIDE_SETTINGS = {
    "batch_size": 256,
    "learning_rate": 0.001,
    "weight_decay": 0.1,
    "dropout": 0.6,
}
TRUNK = {"hidden_units": (128, 64)}
WIDE_TRUNK = {"hidden_units": (512, 256)}
EXPERTS = {"hidden_units": (32,), "tower_units": (16,)}
WIDE_EXPERTS = {"hidden_units": (128,), "tower_units": (64,)}
FAMILIES = {
    "mlp": ("build_mlp", TRUNK),
    "low_rank": ("build_low_rank_mlp", TRUNK),
    "soft_sharing": ("build_soft_sharing_mlp", TRUNK),
    "cross_stitch": ("build_cross_stitch_mlp", TRUNK),
    "mmoe": ("build_mmoe", {**EXPERTS, "num_experts": 8}),
    "cgc": (
        "build_cgc",
        {**EXPERTS, "shared_experts": 4, "task_experts": 2},
    ),
    "ple": (
        "build_ple",
        {**EXPERTS, "shared_experts": 4, "task_experts": 2},
    ),
    "dselect_k": ("build_dselect_k", {**EXPERTS, "num_experts": 8}),
    "task_relation": ("build_task_relation_mlp", TRUNK),
    "hierarchical": (
        "build_hierarchical_mlp",
        {
            **TRUNK,
            "levels": {"never_married": 1},
            "feeds": {"income_50k": ["never_married"]},
        },
    ),
}
WIDE_FAMILIES = {
    "mlp_wide": ("build_mlp", WIDE_TRUNK),
    "low_rank_wide": ("build_low_rank_mlp", WIDE_TRUNK),
    "mmoe_wide": ("build_mmoe", {**WIDE_EXPERTS, "num_experts": 8}),
}
SINGLE = {"single": (TRUNK, {}), "single_wide": (WIDE_TRUNK, WIDE_SETTINGS)}
ARMS = (*FAMILIES, *WIDE_FAMILIES, *SINGLE, "boosting")
# Arguments of `build_low_rank_mlp` that the search changes, in turn.
CHANGES = (
    {},
    {"dropout": 0.5},
    {"batch_size": 256, "learning_rate": 0.001},
    {"hidden_units": (256, 128), "dropout": 0.5, "weight_decay": 0.1},
    {**WIDE_TRUNK, **WIDE_SETTINGS},
    {**WIDE_TRUNK, **WIDE_SETTINGS, "weight_decay": 0.3},
)


class Parts:
    """Training, validation and test part of a seed, raw and encoded."""

    def __init__(self, path, seed, encoding=ENCODING):
        (x, y), test = census_income.load_data(path, SHARE, seed)
        order = np.random.default_rng(seed).permutation(len(x["age"]))
        held_back = len(test[0]["age"])
        self.raw = {
            "train": _take(x, order[held_back:]),
            "validation": _take(x, order[:held_back]),
            "test": test[0],
        }
        self.y = {
            "train": _take(y, order[held_back:]),
            "validation": _take(y, order[:held_back]),
            "test": test[1],
        }
        space = mtl_keras.tables.fit_feature_space(
            self.raw["train"], **encoding
        )
        self.x = {
            part: mtl_keras.tables.encode_columns(space, columns)
            for part, columns in self.raw.items()
        }

    def areas(self, predict, inputs):
        """Returns the area under the curve by part and task."""
        found = {}
        for part in ("validation", "test"):
            scores = predict(inputs[part])
            found[part] = {
                task: roc_auc_score(self.y[part][task], values)
                for task, values in scores.items()
            }
        return found


def _take(arrays, chosen):
    return {name: values[chosen] for name, values in arrays.items()}


def fit_network(parts, seed, factory, arguments, tasks=TASKS, **changes):
    """Trains one network; returns what predicts, and its parameters."""
    settings = {**SETTINGS, **changes}
    keras.utils.set_random_seed(seed)
    x, y = parts.x["train"], parts.y["train"]
    steps = settings["epochs"] * -(-len(x) // settings["batch_size"])
    model = mtl_keras.models.get(factory)(
        x.shape[1:],
        # Keras's areas are binned and would be computed at each step.
        [mtl_keras.BinaryClassification(task, metrics=[]) for task in tasks],
        dropout=settings["dropout"],
        optimizer=keras.optimizers.AdamW(
            keras.optimizers.schedules.CosineDecay(
                settings["learning_rate"], steps
            ),
            weight_decay=settings["weight_decay"],
        ),
        **arguments,
    )
    model.fit(
        x,
        {task: y[task] for task in tasks},
        batch_size=settings["batch_size"],
        epochs=settings["epochs"],
        verbose=0,
    )

    def predict(x):
        scores = model.predict(x, 4096, verbose=0)
        return {task: scores[task][:, 0] for task in tasks}

    return predict, model.count_params()


def fit_boosting(parts, seed):
    """Trains trees on the ordinal columns, one model a task."""
    texts = [n for n in parts.raw["train"] if n not in census_income.NUMBERS]
    encoder = OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=np.nan
    )

    def encode(columns, how):
        categories = how(np.stack([columns[n] for n in texts], axis=1))
        numbers = [columns[n] for n in census_income.NUMBERS]
        return np.column_stack([categories, *numbers])

    x = {"train": encode(parts.raw["train"], encoder.fit_transform)}
    for part in ("validation", "test"):
        x[part] = encode(parts.raw[part], encoder.transform)
    models = {
        task: HistGradientBoostingClassifier(random_state=seed).fit(
            x["train"], parts.y["train"][task]
        )
        for task in TASKS
    }
    return x, lambda x: {
        task: model.predict_proba(x)[:, 1] for task, model in models.items()
    }


def measure_arm(arm, parts, seed):
    """Returns rows of one arm: areas of each task on validation and test."""
    start = time.perf_counter()
    if arm == "boosting":
        x, predict = fit_boosting(parts, seed)
        found, parameters = parts.areas(predict, x), ""
    elif arm in SINGLE:
        trunk, changes = SINGLE[arm]
        found, parameters = {"validation": {}, "test": {}}, 0
        for task in TASKS:
            predict, count = fit_network(
                parts, seed, "build_mlp", trunk, (task,), **changes
            )
            parameters += count
            for part, areas in parts.areas(predict, parts.x).items():
                found[part] |= areas
    else:
        all_families = {**FAMILIES, **WIDE_FAMILIES}
        changes = WIDE_SETTINGS if arm in WIDE_FAMILIES else {}
        predict, parameters = fit_network(
            parts, seed, *all_families[arm], **changes
        )
        found = parts.areas(predict, parts.x)
    seconds = time.perf_counter() - start
    return [
        {
            "arm": arm,
            "seed": seed,
            "task": task,
            "validation_auc": f"{found['validation'][task]:.5f}",
            "test_auc": f"{found['test'][task]:.5f}",
            "parameters": parameters,
            "seconds": f"{seconds:.0f}",
            "machine": measure.machine(),
        }
        for task in TASKS
    ]


def read_rows(name):
    """Returns the rows of a result so far."""
    path = measure.RESULTS / f"{name}.csv"
    if not path.is_file():
        return []
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def run(path, seeds, arms):
    """Measures arms that have no row yet, one seed after the other."""
    for seed in seeds:
        done = {r["arm"] for r in read_rows(RUNS) if r["seed"] == str(seed)}
        todo = [arm for arm in arms if arm not in done]
        parts = Parts(path, seed) if todo else None
        for arm in todo:
            rows = [*read_rows(RUNS), *measure_arm(arm, parts, seed)]
            measure.write(RUNS, rows)
            keras.backend.clear_session()


def search(path):
    """Compares settings on the validation parts of all splits."""
    rows = read_rows(SEARCH)
    done = {(row["change"], row["seed"]) for row in rows}
    factory, arguments = FAMILIES["low_rank"]
    for seed in range(3):
        parts = Parts(path, seed)
        for change in CHANGES:
            said = ", ".join(f"{k}={v}" for k, v in change.items()) or "none"
            if (said, str(seed)) in done:
                continue
            settings = dict(change)
            units = settings.pop("hidden_units", arguments["hidden_units"])
            predict, _ = fit_network(
                parts, seed, factory, {"hidden_units": units}, **settings
            )
            areas = parts.areas(predict, parts.x)["validation"]
            found = {
                f"{task}_validation_auc": f"{areas[task]:.5f}" for task in TASKS
            }
            rows.append({"change": said, "seed": seed, **found})
            measure.write(SEARCH, rows)
            keras.backend.clear_session()


def table():
    """Writes means over seeds, and differences paired by seed."""
    runs = read_rows(RUNS)
    areas = {}
    for row in runs:
        by_seed = areas.setdefault((row["arm"], row["task"]), {})
        by_seed[row["seed"]] = float(row["test_auc"])
    about = {row["arm"]: row for row in runs}
    rows = [
        {
            "arm": arm,
            "task": task,
            "test_auc": f"{statistics.fmean(found.values()):.4f}",
            "std": f"{statistics.stdev(found.values()):.4f}",
            **{
                f"minus_{other.removesuffix('_wide')}": measure.paired(
                    found, areas.get((other, task), {}), 4
                )
                for other in ("boosting", _single_task_arm(arm))
            },
            "seeds": len(found),
            "parameters": about[arm]["parameters"],
            "machine": about[arm]["machine"],
        }
        for (arm, task), found in areas.items()
        if len(found) > 1  # one seed has no spread
    ]
    measure.write("census_families", rows)


def _single_task_arm(arm):
    """Returns the arm of single tasks that is as wide as this one."""
    return "single_wide" if arm.endswith("_wide") else "single"


def main():
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", nargs="?", help="census-income.test.gz")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=ARMS)
    parser.add_argument("--search", action="store_true")
    parser.add_argument("--table", action="store_true")
    chosen = parser.parse_args()
    if chosen.table:
        table()
    elif chosen.path is None:
        parser.error("pass the path of census-income.test.gz")
    elif chosen.search:
        search(chosen.path)
    else:
        run(chosen.path, chosen.seeds, chosen.arms)


if __name__ == "__main__":
    main()
