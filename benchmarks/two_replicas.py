"""Measures the cost of a second replica, against plain Keras.

Two logical CPU devices share the cores, so two replicas do the work of one
at the same global batch. The additional time is the cost of two replicas.
Blocks of `fit` of four models alternate: one and two replicas, by a factory
and by hand in plain Keras (with batch normalization synchronized as well).

Run: python benchmarks/two_replicas.py
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import measure
import numpy as np
import plain_keras

import mtl_keras
from mtl_keras import distribution

BLOCKS = 20


def compare(name, build, build_plain, data, two) -> list[dict]:
    """Alternates the four models and returns a row for each kind."""
    x, y, batch_size, epochs = data()
    models = {
        "plain_1": build_plain(),
        "ours_1": build(),
        "plain_2": in_scope(build_plain, two),
        "ours_2": distribution.build(build, two),
    }
    arms = {
        arm: lambda model=model: model.fit(
            x, y, batch_size=batch_size, epochs=epochs, verbose=0
        )
        for arm, model in models.items()
    }
    seconds = measure.alternate(arms, BLOCKS)
    overhead = {
        kind: np.divide(seconds[f"{kind}_2"], seconds[f"{kind}_1"])
        for kind in ("plain", "ours")
    }
    rows = []
    for kind, ratios in overhead.items():
        median, low, high = measure.ratio(ratios, np.ones(BLOCKS))
        against = measure.ratio(ratios, overhead["plain"])
        rows.append(
            {
                "model": name,
                "arm": kind,
                "two_over_one": f"{median:.3f}",
                "interval_low": f"{low:.3f}",
                "interval_high": f"{high:.3f}",
                "over_plain": f"{against[0]:.3f}",
                "over_plain_low": f"{against[1]:.3f}",
                "over_plain_high": f"{against[2]:.3f}",
                "one_seconds": f"{np.median(seconds[f'{kind}_1']):.3f}",
                "blocks": BLOCKS,
                "machine": measure.machine(),
            }
        )
    return rows


def in_scope(build, strategy):
    """Builds a model for the replicas of a strategy."""
    with strategy.scope():
        return build()


def main():
    """Compares both factories."""
    two = distribution.strategy("mirrored", replicas=2)
    measure.write(
        "two_replicas",
        [
            *compare(
                "build_mlp",
                mtl_keras.build_mlp,
                plain_keras.plain_mlp,
                plain_keras.digits,
                two,
            ),
            *compare(
                "build_cnn_cls_seg",
                mtl_keras.build_cnn_cls_seg,
                lambda: plain_keras.plain_cnn_cls_seg(synchronized=True),
                plain_keras.scenes,
                two,
            ),
        ],
    )


if __name__ == "__main__":
    main()
