"""A step sends the bytes that docs/scaling.md derives."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from collectives import step_collectives
from factory_harness import build_small, random_data
from reductions import reductions, ring_bytes
from worker_processes import run_workers

import mtl_keras
from mtl_keras import distribution

TESTS = Path(__file__).parents[1]
INPUTS, UNITS = 5, (16, 8)
SHARED = 5 * 16 + 16 + 16 * 8 + 8


def some_model(strategy, tasks, **arguments):
    return distribution.build(
        mtl_keras.build_mlp,
        strategy,
        input_shape=(INPUTS,),
        tasks=[mtl_keras.Classification(f"t{i}", 3) for i in range(tasks)],
        hidden_units=UNITS,
        optimizer="sgd",
        **arguments,
    )


def own(tasks):
    return tasks * (8 * 3 + 3)


def some_data(model, rng):
    x = rng.normal(size=(8, INPUTS)).astype("float32")
    return x, {task.name: rng.integers(3, size=8) for task in model.tasks}


def sizes(model, rng):
    """Returns the size of each reduction, largest first; all are float32."""
    found = step_collectives(model, *some_data(model, rng))
    assert {one.kind for one in found} == {"CollectiveReduceV2"}
    assert {one.dtype for one in found} == {"float32"}
    return sorted((one.elements for one in found), reverse=True)


WEIGHTINGS = [
    (None, "plain", {}),
    ("uncertainty", "plain", {}),
    ("pcgrad", "parameters", {}),
    ("pcgrad", "features", {"gradients": "features"}),
    ("graddrop", "parameters", {}),
]
WAYS = ("parameters", "features")


def cases():
    """Yields the cases with their names."""
    for weighting, way, arguments in WEIGHTINGS:
        for tasks in (2, 4, 8):
            yield pytest.param(
                *(weighting, way, arguments, tasks),
                id=f"{weighting}-{way}-{tasks}",
            )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("weighting", "way", "arguments", "tasks"), list(cases())
)
def test_sums_of_a_step(two_replicas, rng, weighting, way, arguments, tasks):
    model = some_model(two_replicas, tasks, weighting=weighting, **arguments)
    expected = reductions(way, tasks, SHARED, own(tasks))
    assert sizes(model, rng) == expected


@pytest.mark.slow
def test_losses_after_the_step(two_replicas, rng):
    model = some_model(two_replicas, 4, weighting="famo")
    expected = reductions("plain", 4, SHARED, own(4), looks_again=True)
    assert sizes(model, rng) == expected


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_regularization_has_a_separate_gradient(two_replicas, rng, way):
    model = some_model(
        two_replicas, 2, weighting="pcgrad", gradients=way, l2=0.1
    )
    penalized = sum(
        layer.kernel.shape.num_elements()
        for layer in model.layers
        if getattr(layer, "kernel_regularizer", None) is not None
    )
    assert penalized
    expected = reductions(way, 2, SHARED, own(2), penalized=penalized)
    assert sizes(model, rng) == expected


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_synchronized_normalization(two_replicas, rng, way):
    model = some_model(
        two_replicas,
        2,
        weighting="pcgrad",
        gradients=way,
        normalization="batch",
    )
    learned = sum(int(np.prod(v.shape)) for v in model.trainable_variables)
    expected = reductions(way, 2, learned - own(2), own(2), channels=(16, 8))
    assert sizes(model, rng) == expected


@pytest.mark.slow
def test_masked_normalization_sums_the_count_too(two_replicas, rng):
    model = distribution.build(
        build_small,
        two_replicas,
        name="build_text_cls_tag",
        hidden_units=(13,),
        normalization="batch",
        optimizer="sgd",
    )
    (channels,) = {
        layer.gamma.shape[0]
        for layer in model.layers
        if isinstance(layer, keras.layers.BatchNormalization)
    }
    found = step_collectives(model, *random_data(model, 8, rng))
    # Sums, squares and counts, forwards and backwards.
    of_layer = [one.elements for one in found if one.elements == channels + 1]
    assert len(of_layer) == 6


@pytest.mark.slow
def test_a_loss_of_two_terms_counts_both(two_replicas, rng):
    model = distribution.build(
        mtl_keras.build_cnn_cls_seg,
        two_replicas,
        input_shape=(8, 8, 3),
        filters=(2, 4),
        normalization=None,
        optimizer="sgd",
    )
    x = rng.random((4, 8, 8, 3)).astype("float32")
    y = {
        "classification": rng.integers(2, size=4),
        "segmentation": rng.integers(2, size=(4, 8, 8)),
    }
    found = [one.elements for one in step_collectives(model, x, y)]
    all_parameters = model.count_params()
    assert sorted(found, reverse=True) == reductions(
        "plain", 2, all_parameters, 0, terms=3
    )


@pytest.mark.slow
@pytest.mark.parametrize("weighting", [None, "pcgrad"])
def test_one_sum_for_each_dtype(two_replicas, rng, weighting):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("bfloat16")
    try:
        model = some_model(two_replicas, 2, weighting=weighting)
    finally:
        keras.config.set_dtype_policy(before)
    found = step_collectives(model, *some_data(model, rng))
    halves = [one for one in found if one.dtype == "bfloat16"]
    rows = 1 if weighting is None else 2
    # Heads compute in float32.
    assert [one.elements for one in halves] == [rows * SHARED]
    assert halves[0].size == 2 * rows * SHARED


@pytest.mark.slow
def test_several_workers_average_their_logs_too():
    outputs = run_workers(2, str(TESTS / "bytes_sent_worker.py"))
    of_step = reductions("features", 4, SHARED, own(4))
    # The loss, a loss, an accuracy and a weight of each task; and two numbers
    # by which TensorFlow asks whether all workers have a batch.
    expected = sorted([*of_step, 13, 1, 1], reverse=True)
    for output in outputs:
        (line,) = [ln for ln in output.splitlines() if ln.startswith("sums")]
        assert [int(word) for word in line.split()[1:]] == expected


def test_collectives_are_counted(two_replicas):
    """The counter finds collectives in branches and calls too."""

    class Step:
        distribute_strategy = two_replicas

        def make_train_function(self):
            return lambda iterator: two_replicas.run(self.step)

        def step(self):
            replica = tf.distribute.get_replica_context()
            for size in (3, 5):
                replica.all_reduce("sum", tf.zeros(size))
            replica.all_reduce("sum", [tf.zeros(2), tf.zeros((2, 4))])

    x = np.zeros((2, 1), "float32")
    found = step_collectives(Step(), x, {"t": np.zeros(2)})
    assert [one.elements for one in found] == [3, 5, 10]


@pytest.mark.parametrize("replicas", [2, 3, 8])
def test_bytes_of_a_ring(replicas):
    """Simulates a ring: scatter the sums, then gather them."""
    parts = np.random.default_rng(0).normal(size=(replicas, replicas, 6))
    expected = parts.sum(axis=0)
    held, sent = parts.copy(), 0
    for step in range(2 * (replicas - 1)):
        before = held.copy()
        for number in range(replicas):
            part = (number - step) % replicas
            if step >= replicas - 1:
                part = (number + 1 - (step - replicas + 1)) % replicas
            to = (number + 1) % replicas
            if step < replicas - 1:
                held[to, part] = before[number, part] + parts[to, part]
            else:
                held[to, part] = before[number, part]
            sent += before[number, part].size if number == 0 else 0
    np.testing.assert_allclose(held, np.broadcast_to(expected, held.shape))
    assert sent == ring_bytes(parts[0].size, replicas)
