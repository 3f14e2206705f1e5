"""Measures the cost of missing labels: a step with a mask or without.

One model is fitted with complete labels, another with a tenth of the labels
missing in each task. Blocks of `fit` alternate; a second model with complete
labels is the control.

Run: python benchmarks/masking.py
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import measure
import numpy as np

import mtl_keras

BLOCKS = 40
SAMPLES, BATCH = 640, 32


def holed(y):
    """Removes the labels of a tenth of the samples of each task."""
    rng = np.random.default_rng(0)
    missing = {}
    for task, targets in y.items():
        targets = targets.astype("int32")
        targets[rng.uniform(size=len(targets)) < 0.1] = -1
        missing[task] = targets
    return missing


def main():
    """Alternates calls of `fit` on complete and on missing labels."""
    (x, y), _ = mtl_keras.datasets.digit_scenes.load_data(SAMPLES, 1)
    complete = {task: targets.astype("int32") for task, targets in y.items()}
    data = {
        "complete": complete,
        "control": complete,
        "missing": holed(y),
    }
    models = {arm: mtl_keras.build_cnn_cls_seg() for arm in data}
    arms = {
        arm: lambda arm=arm: models[arm].fit(
            x, data[arm], batch_size=BATCH, verbose=0
        )
        for arm in data
    }
    seconds = measure.alternate(arms, BLOCKS)
    rows = []
    for arm in ("control", "missing"):
        median, low, high = measure.ratio(seconds[arm], seconds["complete"])
        rows.append(
            {
                "model": "build_cnn_cls_seg",
                "arm": arm,
                "over_complete": f"{median:.3f}",
                "interval_low": f"{low:.3f}",
                "interval_high": f"{high:.3f}",
                "complete_seconds": f"{np.median(seconds['complete']):.3f}",
                "blocks": BLOCKS,
                "machine": measure.machine(),
            }
        )
    measure.write("masking", rows)


if __name__ == "__main__":
    main()
