"""Measures the peak memory of a step with task gradients.

The unit is one gradient of the shared part, whose many parameters make
everything else small. Each arm runs in a separate process, on Linux, which
reports the additional peak memory of a step. oneDNN is off and large blocks of
memory are not pooled, because freed memory would count otherwise.

Run: python benchmarks/weighting.py --part memory
"""

import json
import os
import subprocess
import sys

import measure
import numpy as np

TASKS = 8
UNITS = 3072
PROCESSES, STEPS = 2, 5
FREES_AT_ONCE = {
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "MALLOC_MMAP_THRESHOLD_": "65536",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}
ARMS = {
    "plain": {},
    "control": {},
    "equal": {"weighting": "equal"},
    "mgda, features": {"weighting": "mgda", "gradients": "features"},
    "pcgrad, parameters": {"weighting": "pcgrad"},
    "mgda, parameters": {"weighting": "mgda"},
}
# One layer of `UNITS x UNITS` parameters, or several with as many together.
LAYERS = {"one layer": (UNITS, UNITS), "nine layers": (1024,) * 10}


def build(widths, arguments):
    """Returns a shared part of dense layers and small heads, compiled."""
    import keras

    import mtl_keras

    tasks = [mtl_keras.Classification(f"t{i}", 2) for i in range(TASKS)]
    x = inputs = keras.Input((widths[0],))
    for width in widths[1:]:
        x = keras.layers.Dense(width, "relu")(x)
    model = mtl_keras.MultiTaskModel(
        inputs, {task.name: task.head(x) for task in tasks}, tasks=tasks
    )
    model.compile(keras.optimizers.SGD(1e-3), **arguments)
    return model


def peak(layers: str, arm: str) -> float:
    """Returns the additional peak memory of a step in bytes."""
    import training_steps

    widths = LAYERS[layers]
    model = build(widths, ARMS[arm])
    rng = np.random.default_rng(0)
    x = rng.normal(size=(64, widths[0])).astype("float32")
    y = {task.name: rng.integers(2, size=64) for task in model.tasks}
    step = training_steps.make_block(model, x, y, 16, steps=1)
    step()
    taken = []
    for _ in range(STEPS):
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")  # Resets the peak to the present memory.
        held = memory("VmRSS")
        step()
        taken.append(memory("VmHWM") - held)
    return float(np.median(taken))


def memory(kind: str) -> int:
    """Reads the present or the peak memory of this process from Linux."""
    with open("/proc/self/status") as file:
        status = dict(line.split(":", 1) for line in file)
    return 1024 * int(status[kind].split()[0])


def peak_in_a_process(layers: str, arm: str) -> float:
    """Measures the peak memory in a new process."""
    output = subprocess.run(
        [sys.executable, __file__, json.dumps([layers, arm])],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, **FREES_AT_ONCE},
    ).stdout
    return float(output.split()[-1])


def compare() -> list[dict]:
    """Compares the arms with training without a weighting."""
    gradient = 4 * UNITS**2
    rows = []
    for layers in LAYERS:
        peaks = {
            arm: [peak_in_a_process(layers, arm) for _ in range(PROCESSES)]
            for arm in ARMS
        }
        plain = np.median(peaks["plain"])
        for arm, found in peaks.items():
            over_plain = (np.array(found) - plain) / gradient
            rows.append(
                {
                    "shared": layers,
                    "tasks": TASKS,
                    "arm": arm,
                    "gradients_over_plain": f"{np.median(over_plain):.2f}",
                    "lowest": f"{over_plain.min():.2f}",
                    "highest": f"{over_plain.max():.2f}",
                    "gradient_megabytes": f"{gradient / 1e6:.1f}",
                    "step_megabytes": f"{np.median(found) / 1e6:.1f}",
                    "processes": PROCESSES,
                    "machine": measure.machine(onednn=False),
                }
            )
    return rows


if __name__ == "__main__":
    print(peak(*json.loads(sys.argv[1])))
