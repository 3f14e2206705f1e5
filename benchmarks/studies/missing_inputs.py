"""Compares a network with gradient boosting on missing inputs, on a census.

A fifth of all cells of the inputs are removed at random. scikit-learn's
gradient boosting handles missing values; the network reads the encoding of
`from_dataframe`. Both use the same rows and missing values.

Run: python benchmarks/studies/missing_inputs.py PATH_OF_census-income.test.gz
     [--seeds N] [--holes SHARE]
"""

import os
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import argparse
import time

import keras
import measure
import numpy as np
import pandas
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import OrdinalEncoder

import mtl_keras
from mtl_keras.datasets import census_income

TASKS = ("income_50k", "never_married")
EPOCHS = 8


def load(path: str, share: float, seed: int):
    """Returns the table with missing inputs, and a column with the parts."""
    train, test = census_income.load_data(path)
    columns, targets = (
        {
            name: np.concatenate([train[part][name], test[part][name]])
            for name in train[part]
        }
        for part in (0, 1)
    )
    rows = len(targets[TASKS[0]])
    part = np.full(rows, "train", object)
    part[len(train[1][TASKS[0]]) :] = "test"
    rng = np.random.default_rng(seed)
    held = rng.permutation(np.flatnonzero(part == "train"))[: rows // 10]
    part[held] = "validation"
    for name, values in columns.items():
        hole = rng.random(rows) < share
        empty = np.nan if values.dtype.kind == "f" else None
        columns[name] = np.where(hole, empty, values)
    return pandas.DataFrame({**columns, **targets, "part": part})


def boosting(frame, seed: int) -> dict[str, float]:
    """Returns areas under the ROC curve of boosting, one model per task."""
    inputs = frame.drop(columns=[*TASKS, "part"])
    texts = [name for name in inputs if inputs[name].dtype.kind not in "fi"]
    codes = OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=np.nan
    )
    test = frame["part"] == "test"
    inputs = inputs.copy()
    codes.fit(inputs.loc[~test, texts])
    inputs[texts] = codes.transform(inputs[texts])
    found = {}
    for task in TASKS:
        model = HistGradientBoostingClassifier(
            categorical_features=texts, early_stopping=True, random_state=seed
        )
        model.fit(inputs[~test], frame.loc[~test, task])
        scores = model.predict_proba(inputs[test])[:, 1]
        found[task] = roc_auc_score(frame.loc[test, task], scores)
    return found


def network(frame, seed: int, **encoding) -> dict[str, float]:
    """Returns areas under the ROC curve of one mixture of experts."""
    keras.utils.set_random_seed(seed)
    data = mtl_keras.datasets.from_dataframe(
        frame,
        {task: "BinaryClassification" for task in TASKS},
        split="part",
        batch_size=1024,
        seed=seed,
        **encoding,
    )
    steps = EPOCHS * len(data.train)
    model = mtl_keras.build_mmoe(
        data.input_shape,
        data.tasks,
        num_experts=8,
        hidden_units=(32,),
        tower_units=(16,),
        dropout=0.3,
        optimizer=keras.optimizers.AdamW(
            keras.optimizers.schedules.CosineDecay(0.003, steps),
            weight_decay=0.01,
        ),
    )
    best = keras.callbacks.EarlyStopping(
        "val_loss", patience=EPOCHS, restore_best_weights=True
    )
    model.fit(
        data.train,
        validation_data=data.validation,
        shuffle=False,
        epochs=EPOCHS,
        callbacks=[best],
        verbose=0,
    )
    x, y = data.arrays("test")
    scores = model.predict(x, batch_size=4096, verbose=0)
    return {
        task: roc_auc_score(y[task].ravel(), scores[task].ravel())
        for task in TASKS
    }


ARMS = {
    "gradient boosting": boosting,
    "network, default": network,
    "network, piecewise linear": lambda frame, seed: network(
        frame, seed, numbers="piecewise_linear", num_bins=64, min_count=10
    ),
}


def main():
    """Writes the areas of all arms and seeds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--holes", type=float, default=0.2)
    arguments = parser.parse_args()
    rows = []
    for seed in range(arguments.seeds):
        frame = load(arguments.path, arguments.holes, seed)
        for arm, run in ARMS.items():
            start = time.perf_counter()
            areas = run(frame, seed)
            seconds = time.perf_counter() - start
            rows.append(
                {
                    "arm": arm,
                    "seed": seed,
                    "holes": arguments.holes,
                    **{task: f"{area:.4f}" for task, area in areas.items()},
                    "seconds": f"{seconds:.1f}",
                    "machine": measure.machine(),
                }
            )
            print(rows[-1], flush=True)
    measure.write("missing_inputs", rows)


if __name__ == "__main__":
    main()
