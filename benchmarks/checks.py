"""Measures the time of the checks of arrays, against an epoch of training.

Run: python benchmarks/checks.py
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import measure

import mtl_keras
from mtl_keras.training.data.checks import check_data

BLOCKS = 10


def main():
    """Times the check of the 6,000 digit scenes and an epoch on them."""
    (x, y), _ = mtl_keras.datasets.digit_scenes.load_data()
    model = mtl_keras.build_cnn_cls_seg()
    seconds = measure.alternate(
        {
            "check": lambda: check_data(model, x, y),
            "epoch": lambda: model.fit(x, y, batch_size=64, verbose=0),
        },
        BLOCKS,
        warm_up=1,
    )
    median, low, high = measure.ratio(seconds["check"], seconds["epoch"])
    measure.write(
        "checks",
        [
            {
                "check_over_epoch": f"{median:.4f}",
                "interval_low": f"{low:.4f}",
                "interval_high": f"{high:.4f}",
                "check_seconds": f"{sorted(seconds['check'])[5]:.4f}",
                "epoch_seconds": f"{sorted(seconds['epoch'])[5]:.2f}",
                "blocks": BLOCKS,
                "machine": measure.machine(),
            }
        ],
    )


if __name__ == "__main__":
    main()
