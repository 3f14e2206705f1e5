"""Picking a strategy, and models created within and outside its scope."""

import json

import factory_harness
import keras
import numpy as np
import pytest
import tensorflow as tf

import mtl_keras
from mtl_keras import distribution


@pytest.fixture
def no_gpus(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if tf.config.get_visible_devices("GPU"):
        pytest.skip("this machine has GPUs")


def test_auto_is_the_default_on_one_device(no_gpus):
    assert distribution.strategy() is tf.distribute.get_strategy()
    assert distribution.strategy("none") is tf.distribute.get_strategy()


@pytest.mark.parametrize("kind", ["auto", "mirrored"])
def test_replicas_are_logical_devices(no_gpus, kind, two_replicas):
    assert distribution.strategy(kind, replicas=2) is two_replicas
    assert two_replicas.num_replicas_in_sync == 2


def test_a_strategy_is_returned_unchanged(two_replicas):
    assert distribution.strategy(two_replicas) is two_replicas
    assert distribution.strategy(two_replicas, replicas=2) is two_replicas
    with pytest.raises(ValueError, match=r"replicas=3, but the strategy has 2"):
        distribution.strategy(two_replicas, replicas=3)


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        (("miror",), ValueError, "'miror'.*'mirrored'"),
        ((None,), TypeError, "None of type NoneType"),
        (("auto", 0), ValueError, "replicas: found 0"),
        (("auto", True), TypeError, "replicas: True is not"),
        (("auto", 2.0), TypeError, r"replicas: 2\.0 is not"),
        (("none", 2), ValueError, "'mirrored' or 'auto'"),
        (("multi_worker",), ValueError, "needs the environment variable"),
        (("mirrored", 3), RuntimeError, r"started with 2 CPU device.*first"),
    ],
)
def test_bad_arguments(no_gpus, arguments, error, text):
    tf.constant(0) + 1  # TensorFlow has started
    with pytest.raises(error, match=text):
        distribution.strategy(*arguments)


def test_one_worker_is_not_a_cluster(no_gpus, monkeypatch):
    cluster = {"cluster": {"worker": ["127.0.0.1:1"]}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(cluster))
    assert distribution.strategy() is tf.distribute.get_strategy()


@pytest.mark.parametrize("text", ["{", "3"])
def test_bad_tf_config(no_gpus, monkeypatch, text):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(ValueError, match=r"TF_CONFIG is .*expected JSON"):
        distribution.strategy()


def test_several_workers_in_a_started_process(no_gpus, monkeypatch):
    tf.constant(0) + 1
    cluster = {
        "cluster": {"worker": ["127.0.0.1:1", "127.0.0.1:2"]},
        "task": {"type": "worker", "index": 0},
    }
    monkeypatch.setenv("TF_CONFIG", json.dumps(cluster))
    with pytest.raises(ValueError, match="one replica under the strategy"):
        distribution.strategy(replicas=2)
    with pytest.raises(RuntimeError, match="already started"):
        distribution.strategy()


def test_build_creates_the_model_in_scope(two_replicas):
    model = distribution.build(mtl_keras.build_mlp, two_replicas)
    assert model.distribute_strategy is two_replicas
    assert distribution.is_chief(two_replicas)


def small():
    return factory_harness.build_small("build_mlp", optimizer="sgd")


def run(model, method, rng):
    x, y = factory_harness.random_data(model, 8, rng)
    arguments = {"x": x, "verbose": 0}
    if method != "predict":
        arguments["y"] = y
    return getattr(model, method)(**arguments)


@pytest.mark.parametrize("method", ["fit", "evaluate", "predict"])
def test_a_model_created_outside_is_refused_in_scope(method, two_replicas, rng):
    model = small()
    model.run_eagerly = True
    with (
        two_replicas.scope(),
        pytest.raises(ValueError, match=r"created outside the scope.*build\("),
    ):
        run(model, method, rng)
    run(model, method, rng)  # outside the scope it still works


def test_an_optimizer_created_outside_is_refused(two_replicas, rng):
    optimizer = keras.optimizers.Adam()
    model = distribution.build(
        mtl_keras.build_mlp, two_replicas, optimizer=optimizer
    )
    with pytest.raises(ValueError, match=r"optimizer .*'adam.*outside"):
        run(model, "fit", rng)


def test_gradient_accumulation_is_refused(two_replicas, rng):
    model = distribution.build(small, two_replicas)
    model.compile(
        {"class_name": "sgd", "config": {"gradient_accumulation_steps": 2}}
    )
    with pytest.raises(ValueError, match=r"steps=2, which .* 2 replicas"):
        run(model, "fit", rng)


def test_a_metric_created_outside_is_refused(two_replicas, rng):
    model = distribution.build(small, two_replicas)
    task = model.tasks[0]
    metric = keras.metrics.SparseCategoricalAccuracy()
    model.compile("sgd", metrics={task.name: [metric]})
    with pytest.raises(ValueError, match=r"metrics .*outside the scope"):
        run(model, "fit", rng)


def test_metrics_compiled_outside_count_all_replicas(two_replicas, rng):
    model = distribution.build(small, two_replicas)
    model.compile("sgd")
    model_of_one = small()
    for one in (model, model_of_one):
        one.run_eagerly = True
    model_of_one.set_weights(model.get_weights())
    data = factory_harness.random_data(model, 8, rng)
    logs = model.evaluate(*data, verbose=0, return_dict=True)
    expected = model_of_one.evaluate(*data, verbose=0, return_dict=True)
    np.testing.assert_allclose(
        list(logs.values()), list(expected.values()), rtol=1e-6
    )


@pytest.mark.slow
def test_a_model_loaded_in_scope_trains(two_replicas, rng, tmp_path):
    model = small()
    model.save(tmp_path / "model.keras")
    with two_replicas.scope():
        loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.distribute_strategy is two_replicas
    loaded.run_eagerly = True
    run(loaded, "fit", rng)


@pytest.mark.slow
def test_devices_are_created_before_tensorflow_starts(forked_programs):
    program = (
        "from mtl_keras import distribution\n"
        "strategy = distribution.strategy('mirrored', replicas=3)\n"
        "assert strategy.num_replicas_in_sync == 3\n"
        "assert distribution.strategy('auto', replicas=3) is strategy\n"
    )
    forked_programs.run(program)
