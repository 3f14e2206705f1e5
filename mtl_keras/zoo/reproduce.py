"""Runs a recipe with all its seeds."""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import tensorflow as tf

from mtl_keras import distribution
from mtl_keras.zoo.data import RecipeData, load_data
from mtl_keras.zoo.read import load_recipe, write_recipe
from mtl_keras.zoo.recipe import Recipe
from mtl_keras.zoo.run_folder import METRICS, RECIPE, prepare_folder
from mtl_keras.zoo.train import check_same_recipe, train, write_metrics


def reproduce(
    recipe: Recipe | str | os.PathLike,
    output: str | os.PathLike,
    *,
    resume: bool = False,
    overwrite: bool = False,
    callbacks: Callable[[int], Sequence[keras.callbacks.Callback]]
    | None = None,
    strategy: str | tf.distribute.Strategy = "none",
    data: RecipeData | None = None,
) -> dict:
    """Trains the model of a recipe with each of its seeds.

    The output folder then holds a folder `seed-<n>` for each run, as `train`
    writes it, and a `metrics.json` over all of them: that of a zoo entry.

    Args:
        recipe: A `Recipe`, the path of one, or the name of a zoo entry.
        output: Folder of the runs.
        resume: Whether to go on with the runs in that folder. Defaults to
            `False`.
        overwrite: Whether to remove older runs from it. Defaults to `False`.
        callbacks: A function that makes the callbacks for a seed, because a
            callback has the state of one run. Defaults to none.
        strategy: See `train`.
        data: See `train`.

    Returns:
        What `metrics.json` holds: as from `train`, with `"mean"`, `"std"`
        (standard deviation of the sample; 0 for one seed) and `"values"` (one
        for each of `"seeds"`) for each test metric and for the seconds.

    Raises:
        FileExistsError: If the folder holds another run.

    Example:

    ```python
    metrics = mtl_keras.zoo.reproduce("mlp_energy", "runs/mlp_energy")
    metrics["test"]["heating"]["rmse"]["mean"]
    ```
    """
    if not isinstance(recipe, Recipe):
        recipe = load_recipe(recipe)
    folder = Path(output)
    # Before the folder is touched: data that is missing ends it here.
    strategy = distribution.strategy(strategy)
    data = load_data(recipe) if data is None else data

    def start() -> bool:
        prepare_folder(folder, overwrite=overwrite, resume=resume)
        check_same_recipe(recipe, folder)
        write_recipe(recipe, folder / RECIPE)
        return True

    distribution.run_on_chief(strategy, start)
    runs = [
        train(
            recipe,
            folder / f"seed-{seed}",
            seed=seed,
            resume=resume,
            callbacks=callbacks(seed) if callbacks else (),
            strategy=strategy,
            data=data,
        )
        for seed in recipe.seeds
    ]
    metrics = summarize(runs)
    if distribution.is_chief(strategy):
        write_metrics(metrics, folder / METRICS)
    return metrics


def summarize(runs: Sequence[dict]) -> dict:
    """Puts the metrics of several runs of a recipe together.

    Args:
        runs: What `train` returned, for each seed.

    Returns:
        See `reproduce`.
    """
    first = runs[0]
    test = {
        task: {
            metric: _spread([run["test"][task][metric] for run in runs])
            for metric in metrics
        }
        for task, metrics in first["test"].items()
    }
    return {
        "recipe": first["recipe"],
        "seeds": [run["seed"] for run in runs],
        "test": test,
        "parameters": first["parameters"],
        "epochs": [run["epochs"] for run in runs],
        "seconds": _spread([run["seconds"] for run in runs]),
        "machine": first["machine"],
        "versions": first["versions"],
    }


def _spread(values: list[float]) -> dict:
    return {
        "mean": statistics.fmean(values),
        "std": statistics.stdev(values) if len(values) > 1 else 0.0,
        "values": values,
    }
