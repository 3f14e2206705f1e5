"""Trains the zoo's digit scenes entry with new writers in the test part.

Run: python benchmarks/studies/new_writers.py
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


def main():
    """Trains the entry with all its seeds on the harder split."""
    recipe = zoo.load_recipe("cnn_cls_seg_digit_scenes")
    data = recipe.data.model_copy(update={"arguments": {"new_writers": True}})
    recipe = recipe.model_copy(update={"data": data})
    with tempfile.TemporaryDirectory() as folder:
        metrics = zoo.reproduce(recipe, f"{folder}/runs")
    measure.write(
        "new_writers",
        [
            {
                "task": task,
                "metric": metric,
                "mean": f"{spread['mean']:.4f}",
                "std": f"{spread['std']:.4f}",
                "seeds": len(metrics["seeds"]),
                "machine": measure.machine(),
            }
            for task, by_metric in metrics["test"].items()
            for metric, spread in by_metric.items()
        ],
    )


if __name__ == "__main__":
    main()
