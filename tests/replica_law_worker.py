"""Trains cases of the law: `replica_law_worker.py FILE REPLICAS [CASE ...]`.

REPLICAS is a number, or "none" for no strategy. With TF_CONFIG it is one of
several processes, and REPLICAS is "workers".
"""

import gc
import json
import os
import sys
import traceback
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

from mtl_keras import distribution


def main():
    file, replicas, *names = sys.argv[1:]
    # Before anything is computed, so before the cases are imported.
    if replicas == "workers":
        strategy = distribution.strategy("multi_worker")
        index = json.loads(os.environ["TF_CONFIG"])["task"]["index"]
        file = Path(file).with_suffix(f".{index}.npz")
    elif replicas == "none":
        strategy = distribution.strategy("none")
    else:
        strategy = distribution.strategy("mirrored", replicas=int(replicas))
    from replica_law import train
    from replica_law_cases import CASES

    found = {}
    for name in names or CASES:
        try:
            results = train(CASES[name], strategy)
        except Exception:
            if replicas == "workers":  # the other processes would wait
                raise
            # Only this case fails; the others take minutes.
            results = {"error": np.asarray(traceback.format_exc())}
        found |= {f"{name}/{key}": array for key, array in results.items()}
        keras.backend.clear_session()
        # TensorFlow keeps gigabytes of traced graphs: collecting garbage in
        # them after each case would take most of the time.
        gc.freeze()
        print("done", name, flush=True)
    np.savez(file, **found)


if __name__ == "__main__":
    main()
