"""Measures the time of methods on a Gramian, against a whole step.

The Gramians are those of LeNet's first steps. Each method processes all of them
in one graph, so that the cost of a call is counted once.

Run: python benchmarks/weighting.py --part solvers
"""

from collections.abc import Callable

import lenet
import measure
import numpy as np
import tensorflow as tf
import training_steps

import mtl_keras

TASKS = (2, 8, 32)
GRAMIANS = 8
STEPS = 2


class Recorder(mtl_keras.weighting.Weighting):
    """Weights all tasks equally, and stores the Gramian of the step."""

    def build(self, task_names) -> None:
        """Creates a variable for the Gramian. See `Weighting.build`."""
        super().build(task_names)
        self.gramian = self.add_state("gramian", (self.num_tasks,) * 2)

    def weights(self, losses, gramian):
        """Stores the Gramian. See `Weighting.weights`."""
        self.gramian.assign(gramian)
        return tf.ones_like(losses)


def solver_block(name: str, count: int, gramians) -> Callable[[], object]:
    """Returns a function in which a method weights each Gramian once."""
    weighting = mtl_keras.weighting.get(name)
    weighting.build(lenet.task_names(count))
    losses = tf.linspace(1.0, 2.0, count)

    def body(index, total):
        # Depends on the turn, or TensorFlow would compute constant parts once.
        gramian = tf.gather(gramians, index)
        return index + 1, total + weighting.weights(losses, gramian)

    @tf.function
    def solve():
        start = (tf.constant(0), tf.zeros((count,)))
        # One after the other, as in steps.
        return tf.while_loop(
            lambda index, _: index < len(gramians),
            body,
            start,
            parallel_iterations=1,
        )[1]

    return lambda: solve().numpy()


def compare_with_steps(count: int, blocks: int) -> list[dict]:
    """Alternates steps and solvers for a number of tasks."""
    x, y = lenet.data(count)

    def model(**arguments):
        return lenet.build(
            count, metrics=lenet.without_metrics(count), **arguments
        )

    recorder = Recorder()
    recording = model(weighting=recorder, gradients="features")
    steps = {
        arm: training_steps.make_block(timed, x, y, lenet.BATCH, STEPS)
        for arm, timed in (("plain", model()), ("features", recording))
    }
    one = training_steps.make_block(recording, x, y, lenet.BATCH, 1)
    gramians = []
    for _ in range(GRAMIANS):
        one()
        gramians.append(recorder.gramian.numpy())
    methods = [
        row.name
        for row in mtl_keras.weighting.table()
        if row.requires == "gramian"
    ]
    solvers = {
        name: solver_block(name, count, np.array(gramians)) for name in methods
    }
    seconds = measure.alternate({**steps, **solvers}, blocks)
    milliseconds = {
        arm: 1000 * np.median(found) / (STEPS if arm in steps else GRAMIANS)
        for arm, found in seconds.items()
    }
    rows = []
    for name in methods:
        median, low, high = measure.ratio(seconds[name], seconds["features"])
        share = STEPS / GRAMIANS
        rows.append(
            {
                "tasks": count,
                "method": name,
                "solver_ms": f"{milliseconds[name]:.3f}",
                "over_features_step": f"{share * median:.4f}",
                "interval_low": f"{share * low:.4f}",
                "interval_high": f"{share * high:.4f}",
                "features_step_ms": f"{milliseconds['features']:.2f}",
                "plain_step_ms": f"{milliseconds['plain']:.2f}",
                "batch_size": lenet.BATCH,
                "blocks": blocks,
                "machine": measure.machine(),
            }
        )
    return rows


def compare(blocks: int) -> list[dict]:
    """Compares all methods, for few tasks and for many."""
    return [row for count in TASKS for row in compare_with_steps(count, blocks)]
