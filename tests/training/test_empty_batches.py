"""A batch without labels changes nothing, is counted and warns once."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from factory_harness import mostly_slow, random_inputs

import mtl_keras
from mtl_keras.tasks import Classification, Regression


def build(optimizer=None):
    """Returns a model with every kind of state that a step can change."""
    model = mtl_keras.build_mlp(
        (4,),
        [Classification("kind", 3), Regression("size")],
        hidden_units=(5,),
        normalization="batch",
        dropout=0.5,
    )
    model.compile(
        optimizer
        or keras.optimizers.SGD(
            keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5),
            momentum=0.9,
            weight_decay=0.1,
        )
    )
    return model


def state(model):
    """Returns the state of training, except metrics and dropout seeds."""
    variables = [*model.weights, *model.optimizer.variables]
    return [
        (variable.name, variable.numpy().copy())
        for variable in variables
        if "seed_generator" not in variable.name
    ]


def assert_same(before, after):
    """Checks that two states are equal to the bit."""
    for (name, value), (_, other) in zip(before, after, strict=True):
        np.testing.assert_array_equal(value, other, err_msg=name)


def empty(count):
    """Returns targets of which every label is missing."""
    return {"kind": np.full(count, -1), "size": np.full(count, np.nan)}


def full(count, rng):
    """Returns targets of which every label is there."""
    return {"kind": rng.integers(3, size=count), "size": rng.normal(size=count)}


def stream(parts, rng, model):
    """Batches of four, with or without labels."""
    x = random_inputs(model, 4 * len(parts), rng)
    y = [full(4, rng) if part else empty(4) for part in parts]
    y = {k: np.concatenate([part[k] for part in y]) for k in y[0]}
    return tf.data.Dataset.from_tensor_slices((x, y)).batch(4)


@pytest.mark.filterwarnings("ignore:1 batches had no label")
@pytest.mark.parametrize("targets", mostly_slow(["labels", "none"], ()))
def test_train_on_batch_changes_nothing(targets, rng):
    model = build()
    x = random_inputs(model, 4, rng)
    model.train_on_batch(x, full(4, rng))
    before = state(model)
    assert ("iteration", 1) in before
    y = empty(4) if targets == "labels" else {"kind": None, "size": None}
    logs = model.train_on_batch(x, y, return_dict=True)
    assert_same(before, state(model))
    assert logs["loss"] == 0


def test_fit_skips_counts_and_says_it_once(rng):
    model = build()
    data = stream([True, False, True, False], rng, model)
    with pytest.warns(UserWarning, match="4 batches had no label") as said:
        model.fit(data, epochs=2, shuffle=False, verbose=0)
    assert len(said) == 1
    assert model.skipped_batches == 4
    assert model.optimizer.iterations.numpy() == 4
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(stream([True], rng, model), shuffle=False, verbose=0)
    assert model.skipped_batches == 0


@pytest.mark.filterwarnings("ignore:2 batches had no label")
@pytest.mark.parametrize(
    ("steps_per_execution", "accumulation"),
    [
        pytest.param(1, None, marks=pytest.mark.slow),
        pytest.param(3, 2, marks=pytest.mark.slow),
        pytest.param(1, 2, marks=pytest.mark.slow),
        pytest.param(3, None, marks=pytest.mark.slow),
    ],
)
def test_the_same_weights_as_without_the_empty_batches(
    steps_per_execution, accumulation, rng
):
    results = []
    for parts in ([True, False, False, True], [True, True]):
        keras.utils.set_random_seed(1)
        model = build(
            keras.optimizers.Adam(gradient_accumulation_steps=accumulation)
        )
        model.compile(model.optimizer, steps_per_execution=steps_per_execution)
        x, y = labelled_batches(np.random.default_rng(0), parts)
        data = tf.data.Dataset.from_tensor_slices((x, y)).batch(4)
        model.fit(data, shuffle=False, verbose=0)
        results.append(state(model))
    assert_same(*results)


def labelled_batches(rng, parts):
    """Returns the same labelled batches, with empty ones put in between."""
    x, y = [], []
    for part in parts:
        x.append(rng.normal(size=(4, 4)) if part else np.ones((4, 4)))
        y.append(full(4, rng) if part else empty(4))
    return (
        np.concatenate(x).astype("float32"),
        {k: np.concatenate([of_batch[k] for of_batch in y]) for k in y[0]},
    )


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:1 batches had no label")
def test_it_is_decided_for_all_replicas_together(two_replicas, rng):
    with two_replicas.scope():
        model = build()
    x = random_inputs(model, 12, rng)
    y = full(12, rng)
    # The second replica has no label in the first batch: it trains all the
    # same. In the second batch neither has one.
    for name, missing in (("kind", -1), ("size", np.nan)):
        y[name][[2, 3, 4, 5, 6, 7]] = missing
    data = tf.data.Dataset.from_tensor_slices((x, y)).batch(4)
    model.fit(data.take(1), shuffle=False, verbose=0)
    assert model.optimizer.iterations.numpy() == 1
    assert model.skipped_batches == 0
    model.fit(data, shuffle=False, verbose=0)
    assert model.optimizer.iterations.numpy() == 3
    assert model.skipped_batches == 1


@pytest.mark.slow
def test_run_eagerly(rng):
    model = build()
    model.compile("sgd", run_eagerly=True)
    with pytest.warns(UserWarning, match="1 batches had no label"):
        model.fit(stream([True, False], rng, model), shuffle=False, verbose=0)
    assert model.optimizer.iterations.numpy() == 1
