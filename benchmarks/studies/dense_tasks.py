"""Compares one network for class, mask and depth with one network per task.

Trains the recipe `cnn_multi_task_digit_scenes` with all its seeds, and with
each of its tasks separately: the same encoder, and that task's head or decoder.
The row `constant` is the error of the mean training depth everywhere. Complete
runs are kept in `runs/dense_tasks` and not repeated.

Run: python benchmarks/studies/dense_tasks.py
Train one part of it: python benchmarks/studies/dense_tasks.py ARM SEED
"""

import argparse
import os
import statistics
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import measure
import numpy as np

from mtl_keras import zoo
from mtl_keras.datasets import digit_scenes

RECIPE = "cnn_multi_task_digit_scenes"
RUNS = Path(__file__).parents[2] / "runs" / "dense_tasks"


def select_recipe(arm):
    """Returns the recipe, with all its tasks or with a single one."""
    recipe = zoo.load_recipe(RECIPE)
    if arm == "joint":
        return recipe
    tasks = tuple(task for task in recipe.tasks if task.name == arm)
    return recipe.model_copy(update={"tasks": tasks})


def run(arm, seed):
    """Trains an arm with a seed, unless its run is complete."""
    folder = RUNS / arm / f"seed-{seed}"
    return zoo.train(
        select_recipe(arm), folder, seed=seed, resume=folder.is_dir()
    )


def constant():
    """Returns the error on the test part of the mean of the training depths."""
    (_, train), (_, test) = digit_scenes.load_data(depth=True)
    errors = test["depth"] - np.nanmean(train["depth"])
    return float(np.sqrt(np.nanmean(np.square(errors))))


def row(arm, task, metric, values, parameters):
    """Returns a row of the table."""
    several = len(values) > 1
    return {
        "arm": arm,
        "task": task,
        "metric": metric,
        "mean": f"{statistics.fmean(values):.4f}",
        "std": f"{statistics.stdev(values):.4f}" if several else "",
        "seeds": len(values),
        "parameters": parameters,
        "machine": measure.machine(),
    }


def main():
    """Trains the missing runs, and writes the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("arm", nargs="?")
    parser.add_argument("seed", nargs="?", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.arm is not None:
        run(arguments.arm, arguments.seed)
        return
    recipe = zoo.load_recipe(RECIPE)
    primary = {"classification": "accuracy", "segmentation": "iou"}
    rows = []
    for arm in ("joint", *[task.name for task in recipe.tasks]):
        runs = [run(arm, seed) for seed in recipe.seeds]
        for task in runs[0]["test"]:
            metric = primary.get(task, "rmse")
            values = [one["test"][task][metric] for one in runs]
            rows.append(row(arm, task, metric, values, runs[0]["parameters"]))
    rows.append(row("constant", "depth", "rmse", [constant()], 0))
    measure.write("dense_tasks", rows)


if __name__ == "__main__":
    main()
