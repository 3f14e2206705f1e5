"""Measures how well a trained trunk serves a task that it never saw.

A trunk learns from 1,400 handwritten digits whether the digit is even and
whether it is at least five. A new task, the digit itself, is then learned from
few labels in four ways: by a head on the frozen trunk, by fine-tuning the
trunk, jointly with the two tasks and all their labels, and from scratch.
Nothing is chosen on test data: all ways have one optimizer and one number of
steps.

Run: python benchmarks/studies/transfer.py
"""

import os
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import keras
import measure
import numpy as np
from sklearn.datasets import load_digits

import mtl_keras

LABELS = (20, 50, 200)
SEEDS = range(5)
# 70 steps per epoch, for any number of labels.
SAMPLES = 1400
EPOCHS = 9
BATCH_SIZE = 20
TASKS = [
    mtl_keras.BinaryClassification("even"),
    mtl_keras.BinaryClassification("five_or_more"),
]
DIGIT = mtl_keras.Classification("digit", 10)
WAYS = ("frozen", "fine_tuned", "joint", "scratch")


def load():
    """Loads digits and their properties; tests on every fifth of a class."""
    x, digit = load_digits(return_X_y=True)
    place = np.zeros(len(digit), int)
    for each in range(10):
        place[digit == each] = np.arange((digit == each).sum())
    test = place % 5 == 0
    y = {"even": digit % 2 == 0, "five_or_more": digit >= 5, "digit": digit}
    x = (x / 16).astype("float32")
    parts = [
        (x[part], {k: v[part].astype(int) for k, v in y.items()})
        for part in (~test, test)
    ]
    return parts


def few(digit, count, rng):
    """Keeps `count` labels, equally many of each class; -1 elsewhere."""
    labels = np.full(len(digit), -1)
    for each in range(10):
        chosen = rng.permutation(np.flatnonzero(digit == each))[: count // 10]
        labels[chosen] = each
    return labels


def fit(model, x, y):
    """Trains for a number of steps, for any number of samples."""
    # Repeats few samples within an epoch, because an epoch has a fixed cost.
    places = np.tile(np.arange(len(x)), -(-SAMPLES // len(x)))[:SAMPLES]
    targets = {k: None if v is None else v[places] for k, v in y.items()}
    model.fit(
        x[places], targets, batch_size=BATCH_SIZE, epochs=EPOCHS, verbose=0
    )


def accuracy(model, x, digit):
    """Returns the share of digits that the model predicts correctly."""
    found = model.predict(x, verbose=0)["digit"].argmax(axis=-1)
    return float((found == digit).mean())


def network(tasks):
    """Returns the network of all ways."""
    return mtl_keras.build_mlp(
        (64,), tasks, hidden_units=(64, 32), optimizer=optimizer()
    )


def optimizer():
    """Returns the optimizer of all ways."""
    return keras.optimizers.Adam(0.002)


def learn(way, trunk, x, y, labels):
    """Learns the digit in one way; returns the model."""
    labelled = labels >= 0
    if way == "scratch":
        model = network([DIGIT])
        fit(model, x[labelled], {"digit": labels[labelled]})
        return model
    model = mtl_keras.add_task(trunk, DIGIT, trunk=way)
    if way == "joint":
        fit(model, x, {**y, "digit": labels})
        return model
    others = dict.fromkeys(y) if way == "frozen" else {}
    fit(model, x[labelled], {**others, "digit": labels[labelled]})
    return model


def main():
    """Measures all ways and writes a row for each number of labels."""
    (x, y), (x_test, y_test) = load()
    digit = y.pop("digit")
    found = {(count, way): [] for count in LABELS for way in WAYS}
    for seed in SEEDS:
        keras.utils.set_random_seed(seed)
        rng = np.random.default_rng(seed)
        trunk = network(TASKS)
        fit(trunk, x, y)
        for count in LABELS:
            labels = few(digit, count, rng)
            for way in WAYS:
                model = learn(way, trunk, x, y, labels)
                share = accuracy(model, x_test, y_test["digit"])
                found[count, way].append(share)
                print(seed, count, way, f"{share:.3f}", flush=True)
        keras.backend.clear_session()
    rows = [
        {
            "labels": count,
            "way": way,
            "test_accuracy": f"{np.mean(shares):.3f}",
            "standard_deviation": f"{np.std(shares, ddof=1):.3f}",
            "seeds": len(shares),
            "machine": measure.machine(),
        }
        for (count, way), shares in found.items()
    ]
    measure.write("transfer", rows)


if __name__ == "__main__":
    main()
