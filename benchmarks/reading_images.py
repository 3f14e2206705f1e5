"""Measures the time and memory of images with masks, against Keras's reader.

- `epoch`: the time of an epoch over 512 images with masks from `from_folder`,
  relative to the zip of two `keras.utils.image_dataset_from_directory`, which
  read the same files without treating masks (no classes, no checks). Blocks
  alternate; the ratio of processor seconds also holds on a busy machine.
- `first batch`: seconds from the call to the first batch of 2,000 images with
  masks, relative to the same two Keras data sets.
- `memory`: the peak memory while `arrays()` runs, relative to its result; and
  while `from_npz` runs and its first batch is read, relative to the file. Each
  in a separate process, on Linux.

Run: python benchmarks/reading_images.py
"""

import functools
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import measure
import numpy as np
from PIL import Image, ImageFilter

EPOCH, FOLDER = 512, 2000
BLOCKS = 15
PROCESSES = 3
BATCH_SIZE = 32
# File format, size of the files, and size of the samples.
CASES = {
    "png 256x256": ("png", (256, 256), (256, 256)),
    "jpeg 256x256": ("jpg", (256, 256), (256, 256)),
    "jpeg 480x640 to 256x256": ("jpg", (480, 640), (256, 256)),
    "png 64x64": ("png", (64, 64), (64, 64)),
}
FREES_AT_ONCE = {"MALLOC_MMAP_THRESHOLD_": "65536"}


def write_folder(root: Path, suffix: str, size, count: int) -> Path:
    """Writes images that compress like photographs, with masks."""
    rng = np.random.default_rng(0)
    for kind in ("images", "masks"):
        (root / kind).mkdir(parents=True)
    made = []
    for _ in range(16):
        small = rng.integers(0, 256, (size[0] // 16, size[1] // 16, 3), "uint8")
        image = Image.fromarray(small).resize(size[::-1], Image.BICUBIC)
        noise = rng.normal(scale=4, size=(*size, 3))
        pixels = np.clip(np.asarray(image) + noise, 0, 255).astype("uint8")
        grey = image.convert("L").filter(ImageFilter.GaussianBlur(3))
        mask = (np.asarray(grey) > 128) * np.uint8(255)
        made.append((Image.fromarray(pixels), Image.fromarray(mask)))
    for number in range(count):
        image, mask = made[number % len(made)]
        image.save(root / "images" / f"{number:05}.{suffix}")
        mask.save(root / "masks" / f"{number:05}.png")
    return root


def ours(root: Path, size, tasks=None):
    """Returns the data set of `from_folder`."""
    from mtl_keras import datasets

    return datasets.from_folder(
        root,
        tasks,
        masks={"mask": "masks"},
        image_size=size,
        validation=0,
        test=0,
        batch_size=BATCH_SIZE,
    ).train


def keras_data(root: Path, size):
    """Returns the zip of two data sets of Keras."""
    import keras
    import tensorflow as tf

    def read(folder, **arguments):
        return keras.utils.image_dataset_from_directory(
            str(root / folder),
            labels=None,
            image_size=size,
            batch_size=BATCH_SIZE,
            seed=0,
            verbose=False,
            **arguments,
        )

    masks = read("masks", color_mode="grayscale", interpolation="nearest")
    return tf.data.Dataset.zip((read("images"), masks))


def run_epoch(data) -> None:
    """Reads all batches."""
    for _ in data:
        pass


def row(what, case, ratios, seconds, processor=""):
    """Returns a row of results."""
    median, low, high = ratios
    return {
        "what": what,
        "case": case,
        "over_reference": f"{median:.3f}",
        "interval_low": f"{low:.3f}",
        "interval_high": f"{high:.3f}",
        "processor_over_reference": processor,
        "reference": seconds,
        "blocks": BLOCKS if "memory" not in what else PROCESSES,
        "machine": measure.machine(),
    }


def compare_epochs(folder: Path) -> list[dict]:
    """Compares the time of an epoch with that of Keras's readers."""
    rows = []
    for case, (suffix, size, wanted) in CASES.items():
        root = write_folder(folder / case, suffix, size, EPOCH)
        data, reference = ours(root, wanted), keras_data(root, wanted)
        arms = {"keras": reference, "control": reference, "ours": data}
        used = {arm: [] for arm in arms}

        def run(arm, arms=arms, used=used):
            start = time.process_time()
            run_epoch(arms[arm])
            used[arm].append(time.process_time() - start)

        seconds = measure.alternate(
            {arm: functools.partial(run, arm) for arm in arms}, BLOCKS
        )
        middle = f"{np.median(seconds['keras']):.3f} s"
        for arm in ("control", "ours"):
            ratios = measure.ratio(seconds[arm], seconds["keras"])
            processor, *_ = measure.ratio(
                used[arm][-BLOCKS:], used["keras"][-BLOCKS:]
            )
            rows.append(
                row(f"epoch, {arm}", case, ratios, middle, f"{processor:.3f}")
            )
    return rows


def compare_first_batches(folder: Path) -> list[dict]:
    """Measures the time from the call to the first batch."""
    from mtl_keras import Segmentation

    size = (256, 256)
    root = write_folder(folder / "first", "jpg", size, FOLDER)
    said = [Segmentation("mask", 1)]
    seconds = measure.alternate(
        {
            "keras": lambda: next(iter(keras_data(root, size))),
            "classes said": lambda: next(iter(ours(root, size, said))),
            "classes counted": lambda: next(iter(ours(root, size))),
        },
        BLOCKS,
    )
    middle = f"{np.median(seconds['keras']):.3f} s"
    case = f"{FOLDER} jpeg 256x256"
    return [
        row(
            f"first batch, {arm}",
            case,
            measure.ratio(seconds[arm], seconds["keras"]),
            middle,
        )
        for arm in ("classes said", "classes counted")
    ]


def held(kind: str) -> int:
    """Reads the present or the peak memory of this process from Linux."""
    with open("/proc/self/status") as file:
        status = dict(line.split(":", 1) for line in file)
    return 1024 * int(status[kind].split()[0])


def peak(function) -> tuple[object, int]:
    """Returns the result of a function, and its peak memory in bytes."""
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # Resets the peak to the present memory.
    before = held("VmRSS")
    result = function()
    return result, held("VmHWM") - before


def relative_memory(case: str, path: str) -> float:
    """Returns the peak memory relative to the result or the file."""
    import keras

    from mtl_keras import datasets

    if case == "arrays() of from_folder":
        splits = datasets.from_folder(
            path, masks={"mask": "masks"}, validation=0, test=0
        )
        returned, most = peak(splits.arrays)
    else:
        read = datasets.from_npz
        (small, large) = sorted(Path(path).iterdir(), key=os.path.getsize)
        arguments = {"tasks": ["mask"], "inputs": "x"}
        next(iter(read(small, **arguments).train))  # loads what is needed
        splits, most = peak(lambda: _first_batch(read(large, **arguments)))
        if case == "from_npz":
            return most / large.stat().st_size
        returned, most = peak(splits.arrays)
    size = sum(array.nbytes for array in keras.tree.flatten(returned))
    return most / size


def _first_batch(splits):
    next(iter(splits.train))
    return splits


def compare_memory(folder: Path) -> list[dict]:
    """Compares the peak memory, each case in a separate process."""
    root = write_folder(folder / "memory", "jpg", (256, 256), EPOCH)
    (folder / "npz").mkdir()
    rng = np.random.default_rng(0)
    for name, count in (("small", 32), ("large", 2048)):
        x = rng.integers(0, 256, (count, 128, 128, 3), "uint8")
        mask = (x[..., 0] > 128) * np.uint8(255)
        np.savez(folder / "npz" / f"{name}.npz", x=x, mask=mask)
    rows = []
    for case, path in {
        "arrays() of from_folder": root,
        "from_npz": folder / "npz",
        "arrays() of from_npz": folder / "npz",
    }.items():
        found = [
            float(
                subprocess.run(
                    [sys.executable, __file__, json.dumps([case, str(path)])],
                    check=True,
                    capture_output=True,
                    text=True,
                    env={**os.environ, **FREES_AT_ONCE},
                ).stdout.split()[-1]
            )
            for _ in range(PROCESSES)
        ]
        ratios = (np.median(found), min(found), max(found))
        reference = "the file" if case == "from_npz" else "what is returned"
        rows.append(row("memory", case, ratios, reference))
    return rows


def main():
    """Compares all of it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        measure.write(
            "reading_images",
            [
                *compare_epochs(folder),
                *compare_first_batches(folder),
                *compare_memory(folder),
            ],
        )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(relative_memory(*json.loads(sys.argv[1])))
    else:
        main()
