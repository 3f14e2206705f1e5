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
from mtl_keras.evaluation import (
    evaluate_by_task,
    plot_history,
    plot_predictions,
)
from mtl_keras.pretrained import load_model
from mtl_keras.training import MultiTaskModel, NonFiniteLossError
from mtl_keras.training.data.checks import check_data
from mtl_keras.zoo import provenance
from mtl_keras.zoo.batches import (
    SeedEpochs,
    recipe_batches,
    steps_per_epoch,
    validation_batches,
)
from mtl_keras.zoo.checkpoint import RunCheckpoint, write_history
from mtl_keras.zoo.data import RecipeData, load_data
from mtl_keras.zoo.encoding import FEATURE_SPACE, served
from mtl_keras.zoo.interruption import ended_by_interruption
from mtl_keras.zoo.model import build_model
from mtl_keras.zoo.read import load_recipe, write_recipe
from mtl_keras.zoo.recipe import Recipe
from mtl_keras.zoo.run_folder import METRICS, RECIPE, prepare_folder


def train(
    recipe: Recipe | str | os.PathLike,
    output: str | os.PathLike,
    *,
    seed: int | None = None,
    resume: bool = False,
    overwrite: bool = False,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    strategy: str | tf.distribute.Strategy = "none",
) -> dict:
    """Trains the model of a recipe with one seed.

    The same seed on the same machine gives the same weights, to the bit, on
    the CPU. The output folder then holds `model.keras` (the weights of the
    epoch with the least validation loss), `saved_model/`, `metrics.json`,
    `history.csv`, `history.png` and `predictions.png` (where matplotlib is
    installed), `tensorboard/` and `recipe.toml` as it was run. Of a table, the
    SavedModel takes raw columns, `model.keras` takes them as
    `feature_space.keras` encodes them.

    An interruption (Ctrl-C) leaves `model.keras` and `history.csv` of the
    complete epochs behind and is raised again; `resume=True` goes on from
    there, to the weights that it would have had without.

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

    Returns:
        What `metrics.json` holds: `"test"` and `"validation"`, dicts from
        task name to metrics, `"parameters"`, `"seconds"`, `"epochs"`,
        `"best_epoch"`, `"seed"`, `"machine"`, `"versions"`.

    Raises:
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
    data = load_data(recipe)

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
    checkpoint = RunCheckpoint(
        folder,
        patience=recipe.fit.patience,
        writes=distribution.is_chief(strategy),
    )
    checkpoint.restore(model)
    distribution.check_agreement(
        strategy,
        {"number of complete epochs": checkpoint.state.epoch},
        f"All need the same folder '{folder}', on a disk that they share.",
    )
    try:
        _fit(model, recipe, data, seed, checkpoint, folder, callbacks)
    except (KeyboardInterrupt, NonFiniteLossError):
        _keep(model, checkpoint, folder)
        raise
    # What follows takes a while; a run that is stopped there need not train.
    checkpoint.write()
    checkpoint.restore_best(model)
    metrics = _measure(model, recipe, data, seed, checkpoint)
    _write(model, data, checkpoint, metrics, folder)
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


def _fit(model, recipe, data, seed, checkpoint, folder, callbacks) -> None:
    fit = recipe.fit
    if checkpoint.state.epoch >= fit.epochs or checkpoint.finished_early:
        return
    for samples in (data.train, data.validation):
        check_data(model, *samples, None)
    epochs = range(checkpoint.state.epoch, fit.epochs)
    batches = recipe_batches(recipe, data, seed, epochs)
    with ended_by_interruption() as interruption:
        model.fit(
            batches,
            epochs=fit.epochs,
            initial_epoch=checkpoint.state.epoch,
            steps_per_epoch=steps_per_epoch(recipe, data),
            validation_data=validation_batches(data.validation),
            shuffle=False,  # the batches are
            verbose=0,
            callbacks=[
                SeedEpochs(seed),
                interruption,
                *callbacks,
                keras.callbacks.TensorBoard(
                    str(folder / "tensorboard"), write_graph=False
                ),
                checkpoint,
            ],
        )


def _keep(model: MultiTaskModel, checkpoint: RunCheckpoint, folder: Path):
    """Saves what an unfinished run has learned so far."""
    checkpoint.write()
    if checkpoint.state.epoch:
        checkpoint.restore_best(model)
        _save(model, folder)


def _save(model: MultiTaskModel, folder: Path) -> None:
    temporary = folder / "model.partial.keras"
    model.save(temporary)
    if distribution.is_chief(model.distribute_strategy):
        os.replace(temporary, folder / "model.keras")


def _measure(model, recipe, data, seed, checkpoint) -> dict:
    options = {"batch_size": recipe.fit.batch_size}
    return {
        "recipe": recipe.name,
        "seed": seed,
        "test": evaluate_by_task(model, *data.test, **options),
        "validation": evaluate_by_task(model, *data.validation, **options),
        "parameters": model.count_params(),
        "epochs": checkpoint.state.epoch,
        "best_epoch": checkpoint.state.best_epoch,
        "seconds": round(checkpoint.state.seconds, 2),
        "machine": provenance.machine(),
        "versions": provenance.versions(),
    }


def _write(
    model: MultiTaskModel,
    data: RecipeData,
    checkpoint: RunCheckpoint,
    metrics: dict,
    folder: Path,
) -> None:
    if not checkpoint.writes:
        return
    _save(model, folder)
    if data.feature_space is not None:
        data.feature_space.save(folder / FEATURE_SPACE)
    exported = served(model, folder)
    exported.export(str(folder / "saved_model"), verbose=False)
    write_history(checkpoint.state.history, folder / "history.csv")
    if importlib.util.find_spec("matplotlib"):
        plot_history(checkpoint.state.history).savefig(folder / "history.png")
        if distribution.has_several_workers(model.distribute_strategy):
            # The others do not plot, and this one must not wait for them.
            model = load_model(folder / "model.keras")
        figure = plot_predictions(model, *data.test)
        figure.savefig(folder / "predictions.png")
    # Last, because it says that the run is complete.
    write_metrics(metrics, folder / METRICS)
    checkpoint.path.unlink(missing_ok=True)


def write_metrics(metrics: dict, path: Path) -> None:
    """Writes metrics as JSON, for people to read as well.

    Args:
        metrics: The metrics.
        path: Path of the file.
    """
    text = json.dumps(metrics, indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
