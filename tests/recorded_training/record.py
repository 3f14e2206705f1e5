"""Records the weights after three steps: `record.py FOLDER [--source TREE]`.

`--source` names a checkout whose `mtl_keras` is recorded; the cases and the
data are those of this checkout. A case that is already in the folder is
skipped, so an interrupted run continues. `--part K/N` takes every N-th case.
A new process starts after every 40 cases, because TensorFlow keeps the graphs
of all cases.
"""

import argparse
import gc
import os
import sys
import traceback
from pathlib import Path

TESTS = Path(__file__).parents[1]
CASES_PER_PROCESS = 40


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--source", type=Path, default=TESTS.parent)
    parser.add_argument("--part", default="0/1")
    parser.add_argument("--match", default="", help="substring of the names")
    return parser.parse_args()


def prepare_process(source: Path) -> None:
    """Chooses the checkout and makes two logical devices."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    sys.path[:0] = [str(source), str(TESTS), str(Path(__file__).parent)]
    import tensorflow as tf

    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0],
        [tf.config.LogicalDeviceConfiguration()] * 2,
    )


def train(case):
    """Trains a case; returns its weights, its logs and its traces."""
    import keras
    import numpy as np
    from factory_harness import build_small
    from replica_law import make_weighting

    from mtl_keras import distribution

    strategy = distribution.strategy(
        "none" if case.replicas == 1 else "mirrored",
        replicas=None if case.replicas == 1 else case.replicas,
    )
    keras.utils.set_random_seed(7)
    keras.config.set_dtype_policy(case.policy)
    try:
        model = distribution.build(
            build_small, strategy, name=case.factory, **case.factory_arguments
        )
    finally:
        keras.config.set_dtype_policy("float32")
    model.compile(
        case.optimizer,
        weighting=make_weighting(case, model),
        gradients=case.gradients,
        steps_per_execution=case.steps_per_execution,
        **dict(case.compile_arguments),
    )
    traces = count_traces(model)
    history = run_method(case, model)
    found = {
        f"log {name}": np.asarray(values) for name, values in history.items()
    }
    for number, array in enumerate(model.get_weights()):
        found[f"weight {number}"] = array
    if model.weighting is not None:
        for number, variable in enumerate(model.weighting.variables):
            found[f"state {number}"] = variable.numpy()
    found["traces"] = np.asarray(len(traces))
    return found


def count_traces(model) -> list:
    """Counts how often the first layer with weights is traced."""
    import tensorflow as tf

    layer = next(one for one in model.layers if one.trainable_weights)
    traces, call = [], layer.call

    def counted(*args, **kwargs):
        if tf.inside_function():
            traces.append(layer.name)
        return call(*args, **kwargs)

    layer.call = counted
    return traces


def make_data(case, model):
    """Returns 24 samples in the order in which they are drawn."""
    import numpy as np
    from factory_harness import random_data
    from holes import make_holes

    rng = np.random.default_rng(5)
    x, y = random_data(model, 24, rng)
    if case.labels == "missing":
        for task in model.tasks:
            shape = model.task_output_shapes[task.name]
            labels = y[task.name]
            y[task.name] = make_holes(task, labels, shape, rng)
            y[task.name][::8] = labels[::8]  # each batch has a label
    weights = None
    if case.sample_weight:
        weights = {
            task.name: rng.uniform(0.5, 2, 24).astype("float32")
            for task in model.tasks
        }
    return x, y, weights


def run_method(case, model) -> dict:
    """Trains, and returns the history."""
    import tensorflow as tf

    import mtl_keras

    x, y, weights = make_data(case, model)
    if case.method == "fit_full_batch":
        return mtl_keras.fit_full_batch(
            model, x, y, batch_size=8, iterations=3, verbose=0
        ).history
    if case.method == "fit_in_stages":
        names = [task.name for task in model.tasks]
        mtl_keras.fit_in_stages(
            model,
            x,
            y,
            stages=[names[:1], names],
            batch_size=8,
            shuffle=False,
            verbose=0,
        )
        return {}
    arguments = {"verbose": 0, "shuffle": False, "epochs": 1}
    if case.class_weight:
        arguments["class_weight"] = {model.tasks[0].name: {0: 0.5, 1: 2.0}}
    if case.validation:
        arguments["validation_data"] = (x, y)
    if case.weighting == "auto_lambda":
        arguments["held_out_data"] = (x, y)
    if case.data == "arrays":
        return model.fit(
            x, y, sample_weight=weights, batch_size=8, **arguments
        ).history
    batch = (x, y) if weights is None else (x, y, weights)
    dataset = tf.data.Dataset.from_tensor_slices(batch).batch(8)
    return model.fit(dataset, **arguments).history


def main():
    arguments = parse()
    prepare_process(arguments.source.resolve())
    import keras
    import numpy as np
    from cases import CASES

    import mtl_keras

    print("records", Path(mtl_keras.__file__).parent, flush=True)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    part, parts = map(int, arguments.part.split("/"))
    names = [name for name in CASES if arguments.match in name]
    files = {n: arguments.folder / f"{n}.npz" for n in names[part::parts]}
    left = [name for name, file in files.items() if not file.exists()]
    for name in left[:CASES_PER_PROCESS]:
        file = files[name]
        try:
            found = train(CASES[name])
        except Exception:
            found = {"error": np.asarray(traceback.format_exc())}
            print("failed", name, flush=True)
        np.savez(file, **found)
        keras.backend.clear_session()
        gc.freeze()
    if len(left) > CASES_PER_PROCESS:
        os.execv(sys.executable, [sys.executable, *sys.argv])


if __name__ == "__main__":
    main()
