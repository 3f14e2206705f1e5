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
from mtl_keras.distribution.workers import has_several_workers, run_on_chief
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
from mtl_keras.zoo.data import load_data
from mtl_keras.zoo.encoding import add_encoding, save_encoding
from mtl_keras.zoo.evaluation import evaluate_part, plot_part
from mtl_keras.zoo.interruption import ended_by_interruption
from mtl_keras.zoo.model import build_model
from mtl_keras.zoo.read import load_recipe, write_recipe
from mtl_keras.zoo.recipe import Recipe
from mtl_keras.zoo.recipe_data import RecipeData
from mtl_keras.zoo.run_data import RunData, check_same_data
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

    On a CPU, the same seed on the same machine gives exactly the same weights.
    The output folder then has:

    - `model.keras`: the weights of the epoch with the lowest validation loss.
    - `saved_model/`: the exported model. For a table, it takes raw columns,
      while `model.keras` takes columns encoded by `feature_space.keras`.
    - `metrics.json` and `history.csv`.
    - `history.png` and `predictions.png`, if matplotlib is installed.
    - `tensorboard/`.
    - `recipe.toml`: the recipe of the run.
    - `data.json`: the tasks with their classes, and the sizes and hashes of
      the files of the data set.
    - `encoding.json`: the names of columns and classes, for custom tables.

    After an interruption (Ctrl-C), which is raised again, the folder has
    `model.keras` and `history.csv` of the complete epochs; after a kill, it
    has `history.csv`. `resume=True` continues after the last complete epoch,
    with the same final weights as without the interruption.

    Args:
        recipe: A `Recipe`, the path of one, or the name of a zoo entry.
        output: Folder of the run.
        seed: Seed of initial weights, shuffling and dropout. Defaults to the
            first seed of the recipe.
        resume: Whether to resume the run in that folder, which requires the
            same recipe and the same data. A complete run is not changed.
            Defaults to `False`.
        overwrite: Whether to remove an older run from the folder. Defaults
            to `False`.
        callbacks: Keras callbacks, such as a `LossWeightSchedule`.
        strategy: Strategy of the training, see
            `mtl_keras.distribution.strategy`. The batch size of the recipe is
            that of all replicas together. Several workers share the output
            folder, and the first one writes. Defaults to `"none"`.
        data: The result of `load_data(recipe)`. Defaults to loading it.

    Returns:
        The content of `metrics.json`: `"test"` and `"validation"`, dicts from
        task name to metrics, `"parameters"`, `"seconds"`, `"epochs"`,
        `"best_epoch"`, `"seed"`, `"machine"`, `"versions"`.

    Raises:
        BackupError: If the backup of the run cannot be written or read.
        FileExistsError: If the folder holds another run.
        NonFiniteLossError: If a loss becomes NaN or infinite.
        ValueError: If the recipe or the data are invalid, or the folder to
            resume has a run of another recipe or seed, or the data have
            changed since it began.

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
    # Before the folder is changed: this raises an error for missing data.
    data = load_data(recipe) if data is None else data

    def start() -> bool:
        prepare_folder(folder, overwrite=overwrite, resume=resume)
        check_same_recipe(recipe, folder)
        complete = (folder / METRICS).is_file()
        begun = complete or (folder / BACKUP).is_file()
        check_same_data(data, folder, has_begun=begun)
        if not complete:
            write_recipe(recipe, folder / RECIPE)
        if not begun:
            # What the model means, before it has weights.
            save_encoding(data, folder)
            RunData.describe(data).save(folder)
        return complete

    if run_on_chief(strategy, start):
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
        _save_best(model, best, folder)
        raise
    # The callback does this only if an epoch was left to train.
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
    """Checks that a folder has no run of another recipe.

    Args:
        recipe: The recipe, with the seeds of the run.
        folder: Folder of the run.

    Raises:
        ValueError: If it has a run of another recipe.
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
    # `fit` checks arrays completely, but only the first batch of streams.
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
                # Kept until the evaluation is complete, so that a run that is
                # stopped there need not train again.
                BackupAndRestore(
                    folder / BACKUP, delete_checkpoint=False, seed=seed
                ),
            ],
        )


def _save_best(
    model: MultiTaskModel, best: keras.callbacks.EarlyStopping, folder: Path
) -> None:
    """Saves the best weights of an unfinished run."""
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
    exported = add_encoding(model, folder)
    exported.export(str(folder / "saved_model"), verbose=False)
    if importlib.util.find_spec("matplotlib"):
        plot_history(history).savefig(folder / "history.png")
        if has_several_workers(model.distribute_strategy):
            # Only this worker plots, without waiting for the others.
            model = load_model(folder / "model.keras")
        figure = plot_part(model, data.test)
        figure.savefig(folder / "predictions.png")
    # Last, because this file marks a complete run.
    write_metrics(metrics, folder / METRICS)
    (folder / BACKUP).unlink(missing_ok=True)


def write_metrics(metrics: dict, path: Path) -> None:
    """Writes metrics as readable JSON.

    Args:
        metrics: The metrics.
        path: Path of the file.
    """
    text = json.dumps(metrics, indent=2, ensure_ascii=False)
    write_text_atomically(path, text + "\n")
