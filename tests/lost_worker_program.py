"""One of two workers: `program.py FOLDER VICTIM`; the victim kills itself."""

import json
import os
import signal
import sys
from pathlib import Path

import distribution_cases as cases
import keras
import numpy as np

import mtl_keras
from mtl_keras import distribution
from mtl_keras.distribution.workers import worker_index

STRATEGY = distribution.strategy("auto")
INDEX = worker_index(STRATEGY)


class Kill(keras.callbacks.Callback):
    """Kills this process in the eighth step."""

    def on_train_batch_begin(self, batch, logs=None):
        if self.model.optimizer.iterations == 7:
            os.kill(os.getpid(), signal.SIGKILL)


def main():
    folder, victim = Path(sys.argv[1]), int(sys.argv[2])
    model = cases.some_mlp(STRATEGY)
    # The other workers need not share the chief's disk.
    own = folder if INDEX == 0 else folder / "elsewhere"
    backup = mtl_keras.BackupAndRestore(own / "backup", every_steps=2)
    callbacks = [Kill()] if victim == INDEX else []
    try:
        model.fit(
            *cases.some_arrays(24, missing=True),
            batch_size=4,
            epochs=3,
            verbose=0,
            callbacks=[backup, *callbacks],
        )
    except distribution.LostWorkerError as error:
        print(error, flush=True)
        raise SystemExit(3) from None
    np.savez(folder / f"{INDEX}.npz", **cases.weights_by_number(model))
    print(json.dumps({"restored": backup.restored_from}))


if __name__ == "__main__":
    main()
