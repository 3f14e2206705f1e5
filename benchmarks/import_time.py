"""Measures the time of `import mtl_keras` beyond Keras and TensorFlow.

Run: python benchmarks/import_time.py
"""

import os
import subprocess
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import measure

BLOCKS = 15


def run(code):
    """Runs code in a fresh interpreter."""
    subprocess.run(
        [sys.executable, "-c", code], check=True, stderr=subprocess.DEVNULL
    )


def main():
    """Times the imports in turn, each in a process of its own."""
    seconds = measure.alternate(
        {
            "keras": lambda: run("import tensorflow, keras"),
            "control": lambda: run("import tensorflow, keras"),
            "mtl_keras": lambda: run("import tensorflow, keras, mtl_keras"),
        },
        BLOCKS,
        warm_up=1,
    )
    rows = []
    for name in ("control", "mtl_keras"):
        median, low, high = measure.ratio(seconds[name], seconds["keras"])
        rows.append(
            {
                "import": name,
                "over_keras": f"{median:.3f}",
                "interval_low": f"{low:.3f}",
                "interval_high": f"{high:.3f}",
                "keras_seconds": f"{sorted(seconds['keras'])[BLOCKS // 2]:.2f}",
                "blocks": BLOCKS,
                "machine": measure.machine(),
            }
        )
    measure.write("import_time", rows)


if __name__ == "__main__":
    main()
