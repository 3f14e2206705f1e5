"""Compares full-batch methods with Adam, on the network of `models/mlp_energy`.

Each arm starts from the same weights of a seed, trains on the same rows as
the recipe, and keeps the weights of its lowest validation loss. Adam uses the
recipe's learning rates, batch size and epochs.

Run: python benchmarks/studies/full_batch.py PATH_OF_ENB2012.csv
"""

import os
import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import keras
import measure
import numpy as np

import mtl_keras
from mtl_keras.zoo import load_recipe
from mtl_keras.zoo.data import load_data
from mtl_keras.zoo.model import build_model

ITERATIONS = 600
ARMS = ("adam", "CG", "L-BFGS-B")


def fit(arm, model, data, recipe):
    """Trains one arm; returns its history."""
    best = keras.callbacks.EarlyStopping(
        patience=10**9, restore_best_weights=True
    )
    options = {
        "validation_data": data.validation,
        "callbacks": [best],
        "verbose": 0,
    }
    if arm == "adam":
        return model.fit(
            *data.train,
            epochs=recipe.fit.epochs,
            batch_size=recipe.fit.batch_size,
            **options,
        )
    return mtl_keras.fit_full_batch(
        model, *data.train, arm, iterations=ITERATIONS, **options
    )


def row(arm, seed, recipe, data):
    """Trains and tests an arm with one seed."""
    keras.utils.set_random_seed(seed)
    model = build_model(recipe, data)
    start = time.perf_counter()
    history = fit(arm, model, data, recipe)
    seconds = time.perf_counter() - start
    losses = history.history["val_loss"]
    x, y = data.test
    predictions = model.predict(x, verbose=0)
    errors = {load: predictions[load][:, 0] - y[load] for load in y}
    return {
        "arm": arm,
        "seed": seed,
        **{
            f"test_rmse_{load}": f"{np.sqrt(np.mean(error**2)):.3f}"
            for load, error in errors.items()
        },
        "least_validation_loss": f"{min(losses):.3f}",
        "last_training_loss": f"{history.history['loss'][-1]:.4f}",
        "epochs": len(losses),
        "best_epoch": int(np.argmin(losses)) + 1,
        "seconds": f"{seconds:.1f}",
        "machine": measure.machine(),
    }


def main(path):
    """Writes one row for each arm and seed."""
    recipe = load_recipe("mlp_energy")
    arguments = {**recipe.data.arguments, "path": path}
    changed = recipe.data.model_copy(update={"arguments": arguments})
    recipe = recipe.model_copy(update={"data": changed})
    data = load_data(recipe)
    rows = [
        row(arm, seed, recipe, data) for seed in recipe.seeds for arm in ARMS
    ]
    measure.write("full_batch", rows)


if __name__ == "__main__":
    main(sys.argv[1])
