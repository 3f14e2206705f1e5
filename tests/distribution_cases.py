"""Trainings with equal results on one replica, several replicas and hosts.

Each case takes a strategy and a folder, and returns a dict of arrays. pytest
runs them in its process, `distribution_worker.py` in several processes.
"""

import keras
import numpy as np
import tensorflow as tf

import mtl_keras
from mtl_keras import distribution


def some_arrays(count, *, missing=False):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(count, 6)).astype("float32")
    grade = rng.integers(3, size=count)
    price = rng.normal(size=count).astype("float32")
    if missing:  # the first replica has no label of one task in batch 1
        grade[:4] = -1
        grade[rng.random(count) < 0.3] = -1
        price[rng.random(count) < 0.5] = np.nan
    return x, {"grade": grade, "price": price}


def some_mlp(strategy, **arguments):
    keras.utils.set_random_seed(3)
    return distribution.build(
        mtl_keras.build_mlp,
        strategy,
        input_shape=(6,),
        tasks=[
            mtl_keras.Classification("grade", 3),
            mtl_keras.Regression("price"),
        ],
        hidden_units=(8,),
        **{"optimizer": "adam", **arguments},
    )


def to_arrays(logs):
    return {name: np.asarray(value) for name, value in logs.items()}


def weights_by_number(model):
    arrays = model.get_weights()
    return {f"weight {i}": array for i, array in enumerate(arrays)}


def select_weights(results):
    """Returns the weights among the results of a case."""
    return {k: v for k, v in results.items() if k.startswith("weight ")}


def images(strategy, folder):
    """Trains convolutions with normalization; the last batch has one sample."""
    keras.utils.set_random_seed(2)
    model = distribution.build(
        mtl_keras.build_cnn_cls_seg,
        strategy,
        input_shape=(8, 8, 3),
        num_classes=3,
        filters=(4, 8),
        optimizer="sgd",
    )
    rng = np.random.default_rng(0)
    x = rng.random((9, 8, 8, 3), "float32")
    y = {
        "classification": rng.integers(3, size=9),
        "segmentation": rng.integers(2, size=(9, 8, 8)),
    }
    model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    logs = model.evaluate(x, y, batch_size=4, return_dict=True, verbose=0)
    stream_outputs = model.predict(
        tf.data.Dataset.from_tensor_slices(x).batch(5), verbose=0
    )
    return {
        **weights_by_number(model),
        **to_arrays(logs),
        **model.predict(x, batch_size=4, verbose=0),
        **{f"{name} of stream": out for name, out in stream_outputs.items()},
    }


def missing_labels(strategy, folder):
    """Trains and validates on arrays with missing labels."""
    model = some_mlp(strategy)
    data = some_arrays(18, missing=True)
    history = model.fit(
        *data,
        batch_size=8,
        epochs=2,
        shuffle=False,
        verbose=0,
        validation_data=some_arrays(7, missing=True),
    ).history
    return {**weights_by_number(model), **to_arrays(history)}


def stream(strategy, folder):
    """Trains on a dataset that is shuffled by a seed."""
    model = some_mlp(strategy, optimizer="sgd")
    data = tf.data.Dataset.from_tensor_slices(some_arrays(18, missing=True))
    data = data.shuffle(18, seed=5).batch(8)
    history = model.fit(data, epochs=2, verbose=0).history
    return {**weights_by_number(model), **to_arrays(history)}


def mixture(strategy, folder):
    """Trains on a mixture of two data sets, each with labels for one task."""
    x, y = some_arrays(26)
    data_sets = {
        "graded": (x[:15], {"grade": y["grade"][:15]}),
        "priced": (x[15:], {"price": y["price"][15:]}),
    }
    model = some_mlp(strategy, weighting="pcgrad")
    stream = mtl_keras.datasets.mix(data_sets, "joint", batch_size=6, seed=4)
    history = model.fit(stream, epochs=2, verbose=0).history
    return {**weights_by_number(model), **to_arrays(history)}


def executions(strategy, folder):
    """Trains with several steps per execution."""
    model = some_mlp(strategy)
    model.compile(optimizer="sgd", steps_per_execution=3)
    data = some_arrays(40, missing=True)
    model.fit(*data, batch_size=8, epochs=2, shuffle=False, verbose=0)
    return weights_by_number(model)


def by_parameters(strategy, folder):
    """Trains with a gradient method and `gradients="parameters"`."""
    return _weighted(strategy, "parameters")


def by_features(strategy, folder):
    """Trains with a gradient method and `gradients="features"`."""
    return _weighted(strategy, "features")


def _weighted(strategy, gradients):
    model = some_mlp(strategy, weighting="pcgrad")
    model.compile("sgd", weighting="pcgrad", gradients=gradients)
    data = some_arrays(18, missing=True)
    history = model.fit(
        *data, batch_size=8, epochs=2, shuffle=False, verbose=0
    ).history
    return {**weights_by_number(model), **to_arrays(history)}


CASES = (
    images,
    missing_labels,
    stream,
    mixture,
    executions,
    by_parameters,
    by_features,
)
# Cases for two workers; three workers train all of them.
TWO_WORKER_CASES = (images, missing_labels, stream, by_parameters)
