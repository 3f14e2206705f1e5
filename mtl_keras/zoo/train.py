"""Runs a recipe once."""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Sequence
from pathlib import Path

import keras
import tensorflow as tf

from mtl_keras import distribution
from mtl_keras.datasets.streamed_samples import StreamedSamples
from mtl_keras.evaluation import plot_history
from mtl_keras.pretrained import load_model
from mtl_keras.training import (
    BackupAndRestore,
    MultiTaskModel,
    NonFiniteLossError,
)
from mtl_keras.training.backups.atomic_file import write_text_atomically
from mtl_keras.training.data.checks import check_data
from mtl_keras.zoo import provenance
from mtl_keras.zoo.batches import training_arguments, validation_batches
from mtl_keras.zoo.data import RecipeData, load_data
from mtl_keras.zoo.encoding import FEATURE_SPACE, served
from mtl_keras.zoo.evaluation import evaluate_part, plot_part
from mtl_keras.zoo.interruption import ended_by_interruption
from mtl_keras.zoo.model import build_model
from mtl_keras.zoo.read import load_recipe, write_recipe
from mtl_keras.zoo.recipe import Recipe
from mtl_keras.zoo.run_folder import (
    BACKUP,
    HISTORY,
    METRICS,
    RECIPE,
    prepare_folder,
)
from mtl_keras.zoo.run_record import RunRecord


def train(
    recipe: Recipe | str | os.PathLike,
    output: str | os.PathLike,
    *,
    seed: int | None = None,
    resume: bool = False,
    overwrite: bool = False,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    strategy: str | tf.distribute.Strategy = "none",
    data: RecipeData | None = None,
) -> dict:
    """Trains the model of a recipe with one seed.

    The same seed on the same machine gives the same weights, to the bit, on
    the CPU. The output folder then holds `model.keras` (the weights of the
    epoch with the least validation loss), `saved_model/`, `metrics.json`,
    `history.csv`, `history.png` and `predictions.png` (where matplotlib is
    installed), `tensorboard/` and `recipe.toml` as it was run. Of a table, the
    SavedModel takes raw columns, `model.keras` takes them as
    `feature_space.keras` encodes them; of a table of your own, `encoding.json`
    keeps the names of columns and classes.

    An interruption (Ctrl-C) leaves `model.keras` and `history.csv` of the
    complete epochs behind and is raised again; a kill leaves `history.csv`.
    `resume=True` goes on after the last complete epoch, to the weights that it
    would have had without.

    Args:
        recipe: A `Recipe`, the path of one, or the name of a zoo entry.
        output: Folder of the run.
        seed: Seed of the weights, the order of samples and dropout. Defaults
            to the first of the recipe's seeds.
        resume: Whether to go on with the run in that folder. A run that is
            complete is left as it is. Defaults to `False`.
        overwrite: Whether to remove an older run from the folder. Defaults
            to `False`.
        callbacks: Keras callbacks, such as a `LossWeightSchedule`.
        strategy: What the training is spread over, see
            `mtl_keras.distribution.strategy`; the recipe's batch size is that
            of all replicas together. Of several workers, which share the
            output folder, the first one writes. Defaults to `"none"`.
        data: What `load_data(recipe)` returned. Defaults to `None`: it is
            loaded here.

    Returns:
        What `metrics.json` holds: `"test"` and `"validation"`, dicts from
        task name to metrics, `"parameters"`, `"seconds"`, `"epochs"`,
        `"best_epoch"`, `"seed"`, `"machine"`, `"versions"`.

    Raises:
        BackupError: If the backup of the run cannot be written or read.
        FileExistsError: If the folder holds another run.
        NonFiniteLossError: If a loss becomes NaN or infinite.
        ValueError: If the recipe or the data do not fit, or the folder to be
            resumed holds the run of another recipe or seed.

    Example:

    ```python
    metrics = mtl_keras.zoo.train("cnn_cls_seg_digit_scenes", "runs/first")
    metrics["test"]["classification"]["accuracy"]
    ```
    """
    if not isinstance(recipe, Recipe):
        recipe = load_recipe(recipe)
    seed = recipe.seeds[0] if seed is None else seed
    recipe = recipe.model_copy(update={"seeds": (seed,)})
    folder = Path(output)
    strategy = distribution.strategy(strategy)
    # Before the folder is touched: data that is missing ends it here.
    data = load_data(recipe) if data is None else data

    def start() -> bool:
        prepare_folder(folder, overwrite=overwrite, resume=resume)
        check_same_recipe(recipe, folder)
        complete = (folder / METRICS).is_file()
        if not complete:
            write_recipe(recipe, folder / RECIPE)
        return complete

    if distribution.run_on_chief(strategy, start):
        return json.loads((folder / METRICS).read_text(encoding="utf-8"))
    keras.utils.set_random_seed(seed)
    with strategy.scope():
        model = build_model(recipe, data)
    best = keras.callbacks.EarlyStopping(
        "val_loss",
        mode="min",
        patience=recipe.fit.patience or recipe.fit.epochs,
        restore_best_weights=True,
    )
    record = RunRecord(folder / HISTORY)
    try:
        history = _fit(
            model, recipe, data, seed, folder, [*callbacks, best, record]
        )
    except (KeyboardInterrupt, NonFiniteLossError):
        _keep(model, best, folder)
        raise
    # The callback does so only where there was an epoch left to train.
    model.set_weights(best.best_weights)
    metrics = {
        "recipe": recipe.name,
        "seed": seed,
        **_measure(model, recipe, data),
        "epochs": len(history.epoch),
        "best_epoch": best.best_epoch + 1,
        "seconds": round(record.seconds, 2),
        "machine": provenance.machine(),
        "versions": provenance.versions(),
    }
    if distribution.is_chief(strategy):
        _write(model, data, history, metrics, folder)
    return metrics


def check_same_recipe(recipe: Recipe, folder: Path) -> None:
    """Raises a `ValueError` if a folder holds a run of another recipe.

    Args:
        recipe: The recipe, with the seeds of the run.
        folder: Folder of a run, or of one that has not begun.
    """
    path = folder / RECIPE
    if path.is_file() and load_recipe(path) != recipe:
        raise ValueError(
            f"'{path}' is another recipe, or was run with other arguments or "
            "another seed. Resume with the same, or choose another output."
        )


def _fit(
    model, recipe, data, seed, folder, callbacks
) -> keras.callbacks.History:
    # `fit` checks arrays whole, and of streams the first batch alone.
    parts = [data.validation, *([data.train] if data.sets else [])]
    for part in parts:
        if not isinstance(part, StreamedSamples):
            check_data(model, *part, None)
    with ended_by_interruption() as interruption:
        return model.fit(
            **training_arguments(recipe, data, seed),
            epochs=recipe.fit.epochs,
            validation_data=validation_batches(
                data.validation, recipe.fit.batch_size
            ),
            verbose=0,
            callbacks=[
                interruption,
                *callbacks,
                keras.callbacks.TensorBoard(
                    str(folder / "tensorboard"), write_graph=False
                ),
                # What follows takes a while; a run that is stopped there need
                # not train.
                BackupAndRestore(
                    folder / BACKUP, delete_checkpoint=False, seed=seed
                ),
            ],
        )


def _keep(
    model: MultiTaskModel, best: keras.callbacks.EarlyStopping, folder: Path
) -> None:
    """Saves what an unfinished run has learned so far."""
    if best.best_weights is not None:
        model.set_weights(best.best_weights)
        _save(model, folder)


def _save(model: MultiTaskModel, folder: Path) -> None:
    temporary = folder / "model.partial.keras"
    model.save(temporary)
    if distribution.is_chief(model.distribute_strategy):
        os.replace(temporary, folder / "model.keras")


def _measure(model: MultiTaskModel, recipe: Recipe, data: RecipeData) -> dict:
    size = recipe.fit.batch_size
    return {
        "test": evaluate_part(model, data.test, size),
        "validation": evaluate_part(model, data.validation, size),
        "parameters": model.count_params(),
    }


def _write(
    model: MultiTaskModel,
    data: RecipeData,
    history: keras.callbacks.History,
    metrics: dict,
    folder: Path,
) -> None:
    _save(model, folder)
    if data.feature_space is not None:
        data.feature_space.save(folder / FEATURE_SPACE)
    if data.encoding is not None:
        data.encoding.save(folder)
    exported = served(model, folder)
    exported.export(str(folder / "saved_model"), verbose=False)
    if importlib.util.find_spec("matplotlib"):
        plot_history(history).savefig(folder / "history.png")
        if distribution.has_several_workers(model.distribute_strategy):
            # The others do not plot, and this one must not wait for them.
            model = load_model(folder / "model.keras")
        figure = plot_part(model, data.test)
        figure.savefig(folder / "predictions.png")
    # Last, because it says that the run is complete.
    write_metrics(metrics, folder / METRICS)
    (folder / BACKUP).unlink(missing_ok=True)


def write_metrics(metrics: dict, path: Path) -> None:
    """Writes metrics as JSON, for people to read as well.

    Args:
        metrics: The metrics.
        path: Path of the file.
    """
    text = json.dumps(metrics, indent=2, ensure_ascii=False)
    write_text_atomically(path, text + "\n")
