"""Measures the time of summing the gradients of eight tasks over two replicas.

They are summed as one list, which TensorFlow packs into one vector; as one
vector that is packed before; in packs of some size; and one by one. On logical
CPU devices, a sum costs copies and latency, but no transfer.

Run: python benchmarks/studies/all_reduce_packs.py
"""

import os
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import measure
import tensorflow as tf

from mtl_keras import distribution

TASKS, LAYERS, BLOCKS, REPEATS = 8, 10, 15, 5
WIDTHS = {"wide layers": 256, "narrow layers": 16}
PACKS = {"packs of 4 MiB": 2**22, "packs of 256 KiB": 2**18}


def sum_list(replica, tensors, size=0):
    """Sums all tensors in one call."""
    options = tf.distribute.experimental.CommunicationOptions(
        bytes_per_pack=size
    )
    return replica.all_reduce("sum", tensors, options)


def sum_vector(replica, tensors):
    """Sums all tensors as one vector."""
    vector = tf.concat([tf.reshape(tensor, (-1,)) for tensor in tensors], 0)
    total = replica.all_reduce("sum", vector)
    parts = tf.split(total, [tensor.shape.num_elements() for tensor in tensors])
    return [
        tf.reshape(part, tensor.shape)
        for part, tensor in zip(parts, tensors, strict=True)
    ]


def sum_one_by_one(replica, tensors):
    """Sums the tensors in one call each."""
    return [replica.all_reduce("sum", tensor) for tensor in tensors]


def sum_in_packs(size):
    """Sums all tensors in one call, which TensorFlow divides into packs."""
    return lambda replica, tensors: sum_list(replica, tensors, size)


ARMS = {
    "one list": sum_list,
    "control": sum_list,
    "one vector": sum_vector,
    **{name: sum_in_packs(size) for name, size in PACKS.items()},
    "one by one": sum_one_by_one,
}


def make_block(strategy, arm, width):
    """Returns a function that sums the gradients of all tasks repeatedly."""
    shapes = [
        shape for _ in range(LAYERS) for shape in ((width,) * 2, (width,))
    ]

    def sum_on_replica():
        replica = tf.distribute.get_replica_context()
        # Not constants, which TensorFlow would sum while tracing.
        tensors = [
            tf.random.stateless_uniform(shape, (0, place))
            for place, shape in enumerate(shapes * TASKS)
        ]
        return tf.add_n([tf.reduce_sum(t) for t in arm(replica, tensors)])

    @tf.function
    def step():
        return strategy.run(sum_on_replica)

    def block():
        for _ in range(REPEATS):
            strategy.experimental_local_results(step())[0].numpy()

    return block


def main():
    """Times all and writes the table."""
    strategy = distribution.strategy("mirrored", 2)
    rows = []
    for kind, width in WIDTHS.items():
        blocks = {
            name: make_block(strategy, arm, width) for name, arm in ARMS.items()
        }
        seconds = measure.alternate(blocks, BLOCKS)
        numbers = TASKS * LAYERS * (width * width + width)
        for name, times in seconds.items():
            middle, low, high = measure.ratio(times, seconds["one list"])
            rows.append(
                {
                    "shared": kind,
                    "tensors": 2 * TASKS * LAYERS,
                    "megabytes": f"{4e-6 * numbers:.2f}",
                    "way": name,
                    "milliseconds": f"{1e3 * min(times) / REPEATS:.2f}",
                    "over_one_list": f"{middle:.3f}",
                    "low": f"{low:.3f}",
                    "high": f"{high:.3f}",
                    "machine": measure.machine(),
                }
            )
    measure.write("all_reduce_packs", rows)


if __name__ == "__main__":
    main()
