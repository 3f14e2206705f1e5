"""Training steps with the oneDNN kernels of TensorFlow and without them.

TensorFlow reads the setting while it is imported, so each arm is a separate
process. Blocks of steps alternate, and the other processes wait meanwhile. A
second process without oneDNN is the control, whose ratio shows the noise. The
script also writes the table of docs/cpu.md.

Run: python benchmarks/onednn.py [--blocks N]
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import measure
import numpy as np

GUIDE = Path(__file__).parents[1] / "docs" / "cpu.md"
BLOCKS = 16
# The setting of each process.
ARMS = {"off": "0", "control": "0", "on": "1"}
# The threads of the previous process spin for a moment before they sleep.
REST = 0.05


def lenet_images(count):
    """Draws images and labels of the shapes that LeNet takes."""
    import lenet

    return images((28, 28, 1), lenet.task_names(count), lenet.BATCH)


def images(shape, names, batch_size):
    """Draws images, and classes for each task."""
    rng = np.random.default_rng(0)
    x = rng.uniform(size=(4 * batch_size, *shape)).astype("float32")
    return x, {name: rng.integers(10, size=len(x)) for name in names}


def lenet_two_tasks():
    """Builds LeNet with two tasks."""
    import lenet

    return lenet.build(2), *lenet_images(2), lenet.BATCH


def lenet_pcgrad():
    """Builds LeNet with eight tasks, whose gradients are projected."""
    import lenet

    model = lenet.build(8, weighting="pcgrad", metrics=lenet.without_metrics(8))
    return model, *lenet_images(8), lenet.BATCH


def cnn():
    """Calls `build_cnn` with its defaults."""
    import mtl_keras

    model = mtl_keras.build_cnn()
    return model, *images((28, 28, 3), model.output_names, 32), 32


def cnn_cls_seg():
    """Calls `build_cnn_cls_seg` with its defaults, on digit scenes."""
    import mtl_keras

    (x, y), _ = mtl_keras.datasets.digit_scenes.load_data(128, 1)
    return mtl_keras.build_cnn_cls_seg(), x, y, 32


def gru():
    """Calls `build_sequence_multi_task` with its defaults, GRUs."""
    import mtl_keras

    rng = np.random.default_rng(0)
    x = rng.normal(size=(128, 100, 40)).astype("float32")
    y = {
        "sequence": rng.integers(10, size=128),
        "step": rng.integers(10, size=(128, 100)),
    }
    return mtl_keras.build_sequence_multi_task(), x, y, 32


def mlp():
    """Calls `build_mlp` with its defaults."""
    import mtl_keras

    model = mtl_keras.build_mlp()
    return model, *images((784,), model.output_names, 128), 128


# Name, function that creates the model and its data, and steps of a block.
CASES = [
    ("LeNet, 2 tasks", lenet_two_tasks, 6),
    ("LeNet, 8 tasks, PCGrad", lenet_pcgrad, 2),
    ("build_cnn", cnn, 12),
    ("build_cnn_cls_seg", cnn_cls_seg, 4),
    ("build_sequence_multi_task (GRU)", gru, 2),
    ("build_mlp", mlp, 120),
]


class Arm:
    """A process that trains with one setting.

    Args:
        setting: Value of `TF_ENABLE_ONEDNN_OPTS`.
    """

    def __init__(self, setting: str):
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--worker"],
            env={**os.environ, "TF_ENABLE_ONEDNN_OPTS": setting},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, request: str) -> str | float:
        """Sends a request and waits for the answer."""
        self._process.stdin.write(request + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("A process ended; its own error is above.")
        return json.loads(line)

    def end(self) -> None:
        """Lets the process end."""
        self._process.stdin.close()
        self._process.wait()


def work() -> None:
    """Answers requests until the input ends."""
    import training_steps

    # Any other output would be taken for an answer.
    answers, sys.stdout = sys.stdout, sys.stderr
    block = None
    for request in map(str.strip, sys.stdin):
        answer = None
        if request == "machine":
            answer = measure.machine()
        elif request == "block":
            start = time.perf_counter()
            block()
            answer = time.perf_counter() - start
        else:
            _, build, steps = CASES[int(request)]
            model, x, y, batch_size = build()
            block = training_steps.make_block(model, x, y, batch_size, steps)
            answer = batch_size
        print(json.dumps(answer), file=answers, flush=True)


def compare(index: int, arms: dict[str, Arm], blocks: int) -> list[dict]:
    """Alternates blocks of a case and returns a row for each arm."""
    name, _, steps = CASES[index]
    (batch_size,) = {arm.ask(str(index)) for arm in arms.values()}
    seconds = {arm: [] for arm in arms}

    def block(arm):
        time.sleep(REST)
        seconds[arm].append(arms[arm].ask("block"))

    measure.alternate({arm: lambda arm=arm: block(arm) for arm in arms}, blocks)
    rows = []
    for arm, process in arms.items():
        found, off = seconds[arm][-blocks:], seconds["off"][-blocks:]
        median, low, high = measure.ratio(found, off)
        rows.append(
            {
                "model": name,
                "arm": arm,
                "over_off": f"{median:.3f}",
                "interval_low": f"{low:.3f}",
                "interval_high": f"{high:.3f}",
                "step_ms": f"{1000 * np.median(found) / steps:.2f}",
                "batch_size": batch_size,
                "steps_a_block": steps,
                "blocks": blocks,
                "machine": process.ask("machine"),
            }
        )
    return rows


def write_guide(rows: list[dict]) -> None:
    """Replaces the table in the guide, and the machine above it."""
    lines = [
        "| Training step | Batch | Off, ms | On, ms | On over off | 95 % "
        "interval | Control |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, *_ in CASES:
        of = {row["arm"]: row for row in rows if row["model"] == name}
        on = of["on"]
        lines.append(
            f"| {name} | {on['batch_size']} | {of['off']['step_ms']} | "
            f"{on['step_ms']} | {on['over_off']} | {on['interval_low']} to "
            f"{on['interval_high']} | {of['control']['over_off']} |"
        )
    machine = rows[0]["machine"].replace(", oneDNN off", "")
    table = "\n".join([f"> {machine}", "", *lines, ""])
    text = GUIDE.read_text()
    pattern = re.compile(r"^> .*?(?=^[^>|\n])", re.DOTALL | re.MULTILINE)
    GUIDE.write_text(pattern.sub(lambda _: table + "\n", text, count=1))


def main():
    """Compares both settings in all cases."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blocks", type=int, default=BLOCKS)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        work()
        return
    arms = {name: Arm(setting) for name, setting in ARMS.items()}
    rows = []
    for index in range(len(CASES)):
        rows += compare(index, arms, arguments.blocks)
    for arm in arms.values():
        arm.end()
    measure.write("onednn", rows)
    write_guide(rows)


if __name__ == "__main__":
    main()
