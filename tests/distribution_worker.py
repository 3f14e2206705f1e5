"""One of several processes that train together: `worker.py FOLDER`.

Writes its results to FOLDER/<index>.npz, where the test reads them.
"""

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import distribution_cases as cases
import keras
import numpy as np
import tensorflow as tf
from small_recipes import QUICK

from mtl_keras import distribution, zoo

# Before anything is computed.
STRATEGY = distribution.strategy("auto")
INDEX = json.loads(os.environ["TF_CONFIG"])["task"]["index"]


def files(folder):
    """Writes all files, with the same calls on each worker."""
    shared = folder / "shared"
    data = cases.some_arrays(18, missing=True)
    model = cases.some_mlp(STRATEGY)
    model.fit(
        *data,
        batch_size=8,
        epochs=2,
        verbose=0,
        callbacks=[
            keras.callbacks.ModelCheckpoint(shared / "{epoch}.keras"),
            keras.callbacks.ModelCheckpoint(
                shared / "step.weights.h5", save_freq=2, save_weights_only=True
            ),
            keras.callbacks.CSVLogger(shared / "history.csv"),
            keras.callbacks.TensorBoard(shared / "tensorboard"),
            keras.callbacks.BackupAndRestore(
                shared / "backup", delete_checkpoint=False
            ),
        ],
    )
    model.save(shared / "saved.keras")
    model.save_weights(shared / "saved.weights.h5")
    model.export(shared / "exported", verbose=False)
    return {**cases.weights_by_number(model), **_digest(model)}


def restored(folder):
    """Resumes from the chief's backup; the other workers have no folder."""
    model = cases.some_mlp(STRATEGY)
    keras.utils.set_random_seed(INDEX)
    with STRATEGY.scope():
        model.set_weights(
            [np.random.normal(size=w.shape) for w in model.get_weights()]
        )
    own = folder / ("shared" if INDEX == 0 else f"none-{INDEX}")
    keras.utils.set_random_seed(3)
    history = model.fit(
        *cases.some_arrays(18, missing=True),
        batch_size=8,
        epochs=3,
        verbose=0,
        callbacks=[keras.callbacks.BackupAndRestore(own / "backup")],
    )
    return {
        "epochs": np.asarray(history.epoch),
        **cases.weights_by_number(model),
    }


def loaded(folder):
    """Loads the chief's files inside the scope."""
    with STRATEGY.scope():
        model = keras.saving.load_model(folder / "shared" / "saved.keras")
    data = cases.some_arrays(18, missing=True)
    logs = model.evaluate(*data, verbose=0, return_dict=True)
    model.fit(*data, batch_size=8, verbose=0)
    return {**cases.to_arrays(logs), **cases.weights_by_number(model)}


def unseeded(folder):
    """Shuffles arrays without a seed, in the same order on each worker."""
    model = cases.some_mlp(STRATEGY, optimizer="sgd")
    tf.random.set_seed(None)
    seen = []
    model.fit(
        *cases.some_arrays(18),
        batch_size=6,
        epochs=2,
        verbose=0,
        callbacks=[
            keras.callbacks.LambdaCallback(
                on_train_batch_end=lambda batch, logs: seen.append(logs["loss"])
            )
        ],
    )
    return {"seen": np.asarray(seen), **cases.weights_by_number(model)}


def errors(folder):
    """Returns the errors for data that differs between workers."""
    found = []
    for shorten in (0, 9):
        model = cases.some_mlp(STRATEGY)
        x, y = cases.some_arrays(18)
        count = 18 - shorten * INDEX
        y = {name: values[:count] for name, values in y.items()}
        if not shorten:
            keras.utils.set_random_seed(INDEX)
        try:
            model.fit(x[:count], y, batch_size=8, verbose=0)
        except ValueError as error:
            found.append(str(error))
    return {"errors": np.asarray(found)}


def recipe(folder):
    """Runs a recipe; the folder is the chief's, the metrics are of all."""
    values = zoo.Recipe.model_validate({**QUICK, "name": "quick"})
    values = zoo.change_recipe(values, epochs=1)
    metrics = zoo.train(values, folder / "run", strategy=STRATEGY)
    again = zoo.train(values, folder / "run", strategy=STRATEGY, resume=True)
    assert again["test"] == metrics["test"]
    losses = [scores["loss"] for scores in metrics["test"].values()]
    return {"losses": np.asarray(losses)}


def _digest(model):
    state = [v.numpy() for v in model.optimizer.variables]
    return {f"optimizer {i}": array for i, array in enumerate(state)}


def main():
    folder = Path(sys.argv[1])
    names = sys.argv[2:]
    found = {"workers": np.asarray(STRATEGY.num_replicas_in_sync)}
    own = (files, restored, loaded, unseeded, errors, recipe)
    for case in (*cases.CASES, *own):
        if names and case.__name__ not in names:
            continue
        arguments = (STRATEGY, folder) if case in cases.CASES else (folder,)
        results = case(*arguments)
        found |= {f"{case.__name__}/{k}": v for k, v in results.items()}
        print("done", case.__name__, flush=True)
    np.savez(folder / f"{INDEX}.npz", **found)


if __name__ == "__main__":
    main()
