"""Records `monitor=True` and `weight/<task>` while training on digit scenes.

`build_cnn_cls_seg` classifies a digit and segments its strokes, once under each
method; the logs of each epoch are written as they come, one seed.

Run: python benchmarks/studies/weights_over_time.py
Draw docs/images/weights-over-time.png from the results:
python benchmarks/studies/weights_over_time.py --draw
"""

import argparse
import csv
import os
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import keras
import measure

import mtl_keras
from mtl_keras.datasets import digit_scenes

METHODS = ("pcgrad", "mgda", "uncertainty")
TASKS = ("classification", "segmentation")
EPOCHS = 12
NUM_TRAIN = 2000
PICTURE = (
    Path(__file__).parents[2] / "docs" / "images" / "weights-over-time.png"
)


def train(method, x, y):
    """Returns the logs of a training, a row for each epoch."""
    keras.utils.set_random_seed(0)
    model = mtl_keras.build_cnn_cls_seg(
        x.shape[1:],
        digit_scenes.tasks(),
        filters=(8, 16, 32),
        compile=False,
    )
    weighting = mtl_keras.weighting.get(method)
    model.compile(
        keras.optimizers.Adam(0.002),
        weighting=weighting,
        # A method that reads only losses has no gradients to show.
        monitor=weighting.requires != "losses",
    )
    logs = model.fit(x, y, epochs=EPOCHS, batch_size=32, verbose=2).history
    keys = [key for key in logs if "/" in key or key == "conflicts"]
    keys += [f"{task}_loss" for task in TASKS]
    return [
        {
            "method": method,
            "epoch": epoch + 1,
            "log": key,
            "value": f"{logs[key][epoch]:.5g}",
            "machine": measure.machine(),
        }
        for key in keys
        for epoch in range(EPOCHS)
    ]


def draw():
    """Draws the cosine and the weights, from the written results."""
    import matplotlib.pyplot as plt

    with open(measure.RESULTS / "weights_over_time.csv", newline="") as file:
        values = {}
        for row in csv.DictReader(file):
            run = values.setdefault((row["method"], row["log"]), [])
            run.append(float(row["value"]))
    figure, (left, *others) = plt.subplots(
        1, 1 + len(METHODS), figsize=(9, 2.9), sharex=True, layout="constrained"
    )
    epochs = range(1, EPOCHS + 1)
    for method, style in zip(METHODS, ("o-", "s--"), strict=False):
        cosines = values[method, "cosine/{}/{}".format(*TASKS)]
        left.plot(epochs, cosines, style, color="black", ms=4, label=method)
    left.axhline(0, color="gray", linewidth=0.8)
    left.set_title("cosine of the gradients", fontsize=10)
    left.legend(fontsize=8, frameon=False)
    for axes, method in zip(others, METHODS, strict=True):
        for task, style, color in zip(
            TASKS, ("o-", "s--"), ("#0b5fa5", "#d95f02"), strict=True
        ):
            axes.plot(
                epochs,
                values[method, f"weight/{task}"],
                style,
                color=color,
                ms=4,
                label=task,
            )
        axes.set_title(f"{method}: weights", fontsize=10)
        axes.margins(y=0.15)
        axes.set_ylim(bottom=0)
    others[0].legend(fontsize=8, frameon=False)
    figure.supxlabel("epoch", fontsize=10)
    PICTURE.parent.mkdir(exist_ok=True)
    figure.savefig(PICTURE, dpi=110)


def main():
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draw", action="store_true")
    if parser.parse_args().draw:
        draw()
        return
    (x, y), _ = digit_scenes.load_data(NUM_TRAIN, 1)
    rows = [row for method in METHODS for row in train(method, x, y)]
    measure.write("weights_over_time", rows)


if __name__ == "__main__":
    main()
