"""Trains the network of a zoo entry on each of its tasks separately.

Run: python benchmarks/studies/single_tasks.py ENTRY [PATH_OF_DATA]
"""

import os
import sys
import tempfile
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import measure

from mtl_keras import zoo
from mtl_keras.zoo.recipe import TaskTable


def main(entry, path=None):
    """Trains the entry's recipe with one task at a time, with all its seeds."""
    recipe = zoo.change_recipe(zoo.load_recipe(entry), data_path=path)
    rows = []
    for task in zoo.load_data(recipe).tasks:
        alone = recipe.model_copy(update={"tasks": (_table(task),)})
        with tempfile.TemporaryDirectory() as folder:
            metrics = zoo.reproduce(alone, f"{folder}/runs")
        rows += [
            {
                "entry": entry,
                "task": task.name,
                "metric": metric,
                "mean": f"{spread['mean']:.5f}",
                "std": f"{spread['std']:.5f}",
                "seeds": len(metrics["seeds"]),
                "parameters": metrics["parameters"],
                "seconds": f"{metrics['seconds']['mean']:.0f}",
                "machine": measure.machine(),
            }
            for metric, spread in metrics["test"][task.name].items()
        ]
    measure.write(f"single_tasks_{entry}", rows)


def _table(task):
    """Returns a task in the form of a recipe."""
    arguments = {
        "num_classes": task.num_classes,
        "class_names": task.class_names,
        "metrics": task.metrics,
    }
    return TaskTable(
        kind=type(task).__name__, name=task.name, arguments=arguments
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
