"""Measures the time and memory of weightings, against training without one.

Parts:

- `losses`: methods that combine losses, against a step without a weighting;
- `gradients`: `gradients="features"` against the same, and
  `gradients="parameters"` against the backward passes that it consists of;
- `solvers`: the weights that methods compute from a Gramian, against a step;
- `memory`: peak memory of a step;
- `peers`: against TorchJD and PyTorch, which another Python runs.

Run: python benchmarks/weighting.py [--part NAME ...] [--blocks N]
     python benchmarks/weighting.py --part peers --peer-python PATH
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import argparse
import time
from collections.abc import Callable, Mapping

import backward_passes
import lenet
import measure
import numpy as np
import training_steps
import weighting_against_peers
import weighting_memory
import weighting_solvers

import mtl_keras

PARTS = ("losses", "gradients", "solvers", "memory", "peers")
BLOCKS = 30


def loss_methods() -> dict[str, object]:
    """Returns the methods that combine losses, by name."""
    rows = mtl_keras.weighting.table()
    methods = {row.name: row.name for row in rows if row.requires == "losses"}
    # It trains on held-out batches in addition to those of the model.
    del methods["auto_lambda"]
    names = lenet.task_names(2)
    methods["importance"] = mtl_keras.weighting.Importance(
        dict(zip(names, (1.0, 2.0), strict=True))
    )
    return methods


def compare(
    model: str,
    tasks: int,
    arms: Mapping[str, Callable[[], None]],
    reference: str,
    blocks: int,
    steps: int,
) -> list[dict]:
    """Alternates blocks of steps and returns a row for each arm.

    Args:
        model: Name of the model.
        tasks: Number of its tasks.
        arms: Functions that take a block of steps, by name.
        reference: The arm that the others are compared with.
        blocks: Number of blocks of each arm.
        steps: Steps a block.
    """
    used = {arm: [] for arm in arms}

    def block(arm):
        start = time.process_time()
        arms[arm]()
        used[arm].append(time.process_time() - start)

    seconds = measure.alternate(
        {arm: lambda arm=arm: block(arm) for arm in arms}, blocks
    )
    rows = []
    for arm in arms:
        median, low, high = measure.ratio(seconds[arm], seconds[reference])
        # Other programs on the machine disturb this one less.
        processor, *_ = measure.ratio(
            used[arm][-blocks:], used[reference][-blocks:]
        )
        rows.append(
            {
                "model": model,
                "tasks": tasks,
                "arm": arm,
                "reference": reference,
                "over_reference": f"{median:.3f}",
                "interval_low": f"{low:.3f}",
                "interval_high": f"{high:.3f}",
                "processor_over_reference": f"{processor:.3f}",
                "step_ms": f"{1000 * np.median(seconds[arm]) / steps:.2f}",
                "batch_size": lenet.BATCH,
                "blocks": blocks,
                "machine": measure.machine(),
            }
        )
    return rows


def build_cnn(count: int, **arguments):
    """Returns `build_cnn` for the images of LeNet."""
    tasks = [
        mtl_keras.Classification(name, 10) for name in lenet.task_names(count)
    ]
    return mtl_keras.build_cnn((28, 28, 1), tasks, **arguments)


def losses(blocks: int) -> list[dict]:
    """Measures methods that combine losses, on two models of two tasks."""
    x, y = lenet.data(2)
    rows = []
    for model, build, steps in (
        ("LeNet", lenet.build, 10),
        ("build_cnn", build_cnn, 2),
    ):
        weightings = {"plain": None, "control": None, **loss_methods()}
        arms = {
            arm: training_steps.make_block(
                build(2, weighting=weighting), x, y, lenet.BATCH, steps
            )
            for arm, weighting in weightings.items()
        }
        rows += compare(model, 2, arms, "plain", blocks, steps)
    return rows


def gradients(blocks: int) -> list[dict]:
    """Measures both ways to compute a Gramian, for few tasks and for many."""
    rows = []
    for count, steps in ((2, 8), (8, 4)):
        x, y = lenet.data(count)

        def make_block(count=count, x=x, y=y, steps=steps, **arguments):
            model = lenet.build(
                count, metrics=lenet.without_metrics(count), **arguments
            )
            return training_steps.make_block(model, x, y, lenet.BATCH, steps)

        by_hand = "backward passes by hand"
        arms = {
            "plain": make_block(),
            "control": make_block(),
            "mgda, features": make_block(
                weighting="mgda", gradients="features"
            ),
            "pcgrad, features": make_block(
                weighting="pcgrad", gradients="features"
            ),
        }
        rows += compare("LeNet", count, arms, "plain", blocks, steps)
        arms = {
            by_hand: backward_passes.make_block(count, x, y, steps),
            "control": backward_passes.make_block(count, x, y, steps),
            "plain": arms["plain"],
            "mgda, parameters": make_block(weighting="mgda"),
            "pcgrad, parameters": make_block(weighting="pcgrad"),
        }
        rows += compare("LeNet", count, arms, by_hand, blocks, steps)
    return rows


def main():
    """Runs the parts that were asked for; by default all without peers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--blocks", type=int, default=BLOCKS)
    parser.add_argument("--peer-python", metavar="PATH")
    arguments = parser.parse_args()
    blocks = arguments.blocks
    if "losses" in arguments.part:
        measure.write("weighting_losses", losses(blocks))
    if "gradients" in arguments.part:
        measure.write("weighting", gradients(blocks))
    if "solvers" in arguments.part:
        measure.write("weighting_solvers", weighting_solvers.compare(blocks))
    if "memory" in arguments.part:
        measure.write("weighting_memory", weighting_memory.compare())
    if "peers" in arguments.part:
        if arguments.peer_python is None:
            print("Part 'peers' is skipped: it needs --peer-python PATH.")
            return
        measure.write(
            "weighting_peers",
            weighting_against_peers.compare(blocks, arguments.peer_python),
        )


if __name__ == "__main__":
    main()
