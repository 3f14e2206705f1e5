"""Measures an epoch on sentences, padded to the longest or by length.

The arms are `build_text_cls_tag` with its defaults on sentences drawn at
random, whose tags are padded to 46 tokens, and on the batches of
`batches_by_length`. The sentences are 4,478 of SNIPS, and 4,478 artificial ones
as long as those of ATIS (11 tokens on average, 46 at most). `--quality`
compares the test metrics of SNIPS models with both kinds of batches over seeds
instead.

Run: python benchmarks/studies/batches_by_length.py PATH [--quality]
where PATH is the folder data/snips of https://github.com/MiuLab/SlotGated-SLU.
"""

import os
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import argparse

import keras
import measure
import numpy as np

import mtl_keras
from mtl_keras.datasets import batches_by_length, snips
from mtl_keras.datasets.reading.array_source import ArraySource
from mtl_keras.layers.token_ids import count_words

BLOCKS, STEPS_BY_PART = 60, 14
SENTENCES, STEPS, BATCH = 4478, 46, 32
SEEDS, EPOCHS = range(3), 8


def load_snips(path):
    """Loads sentences of SNIPS, with tags padded to the columns of ATIS."""
    (x, y), _ = snips.load_data(path)
    chosen = np.random.default_rng(0).permutation(len(x))[:SENTENCES]
    slots = np.full((SENTENCES, STEPS), -1, "int32")
    slots[:, : y["slots"].shape[1]] = y["slots"][chosen]
    return x[chosen], {"intent": y["intent"][chosen], "slots": slots}


def as_long_as_atis():
    """Draws sentences of artificial words, 11 on average and 46 at most."""
    rng = np.random.default_rng(0)
    lengths = np.clip(np.rint(rng.gamma(6.5, 11.3 / 6.5, SENTENCES)), 1, STEPS)
    lengths = lengths.astype(int)
    lengths[0] = STEPS
    words = rng.zipf(1.5, (SENTENCES, STEPS)) % 900
    x = [
        " ".join(f"w{word}" for word in row[:length])
        for row, length in zip(words, lengths, strict=True)
    ]
    slots = np.where(np.arange(STEPS) < lengths[:, None], words % 72, -1)
    y = {"intent": words[:, 0] % 7, "slots": slots.astype("int32")}
    return np.array(x, object), y


def built(x, seed=0, **arguments):
    """Returns the library's default model."""
    keras.utils.set_random_seed(seed)
    return mtl_keras.build_text_cls_tag(vocabulary=count_words(x), **arguments)


def make_batches(model, x, y, by_length, seed=0):
    """Makes batches by length, or of sentences drawn at random."""
    if by_length:
        return batches_by_length(x, y, model.tasks, batch_size=BATCH, seed=seed)
    return ArraySource(x, y).batches(np.arange(len(x)), BATCH, seed)


def train_tenth(x, y, by_length):
    """Returns a function that trains for a tenth of an epoch."""
    model = built(x)
    train = model.make_train_function()
    batches = iter(make_batches(model, x, y, by_length).repeat())

    def part():
        for _ in range(STEPS_BY_PART):
            train(batches)

    return part


def measure_epochs(name, x, y):
    """Alternates tenths of epochs of all arms on one set of sentences."""
    arms = {
        "padded": train_tenth(x, y, False),
        "control": train_tenth(x, y, False),
        "by length": train_tenth(x, y, True),
    }
    seconds = measure.alternate(arms, BLOCKS)
    epoch = SENTENCES / BATCH / STEPS_BY_PART
    rows = []
    for arm in ("control", "by length"):
        median, low, high = measure.ratio(seconds[arm], seconds["padded"])
        rows.append(
            {
                "sentences": name,
                "arm": arm,
                "epoch_seconds": f"{epoch * np.median(seconds[arm]):.2f}",
                "over_padded": f"{median:.3f}",
                "interval_low": f"{low:.3f}",
                "interval_high": f"{high:.3f}",
                "blocks": BLOCKS,
                "machine": measure.machine(),
            }
        )
    return rows


def quality(path):
    """Compares test metrics of models of both kinds of batches, by seed."""
    x, y = load_snips(path)
    _, (x_test, y_test) = snips.load_data(path)
    found = {}
    for seed in SEEDS:
        for by_length in (False, True):
            model = built(x, seed, tasks=snips.tasks())
            batches = make_batches(model, x, y, by_length, seed)
            model.fit(batches, shuffle=False, epochs=EPOCHS, verbose=0)
            logs = model.evaluate(x_test, y_test, return_dict=True, verbose=0)
            found[by_length, seed] = logs
    rows = []
    for metric in (
        "intent_accuracy",
        "slots_decoded_span_f1",
        "slots_span_f1",
        "slots_accuracy",
    ):
        by_kind = {
            kind: {seed: found[kind, seed][metric] for seed in SEEDS}
            for kind in (False, True)
        }
        row = {"metric": metric}
        for kind, name in ((False, "padded"), (True, "by_length")):
            values = list(by_kind[kind].values())
            mean, deviation = np.mean(values), np.std(values, ddof=1)
            row[name] = f"{mean:.4f} +- {deviation:.4f}"
        row["difference"] = measure.paired(by_kind[True], by_kind[False], 4)
        row |= {"seeds": len(SEEDS), "epochs": EPOCHS}
        rows.append({**row, "machine": measure.machine()})
    measure.write("batches_by_length_quality", rows)


def main():
    """Measures time, or quality."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path")
    parser.add_argument("--quality", action="store_true")
    arguments = parser.parse_args()
    if arguments.quality:
        quality(arguments.path)
        return
    rows = measure_epochs("SNIPS", *load_snips(arguments.path))
    rows += measure_epochs("as long as ATIS", *as_long_as_atis())
    measure.write("batches_by_length", rows)


if __name__ == "__main__":
    main()
