"""Loss weights: reading, assigning, saving, and no retracing."""

from collections.abc import MutableMapping

import keras
import numpy as np
import pytest
from factory_harness import random_data

import mtl_keras
from mtl_keras import LossWeightSchedule, Regression
from mtl_keras.training import LossWeights


@pytest.fixture
def model():
    """Returns a small model of two regressions."""
    return mtl_keras.build_mlp(
        (4,), [Regression("a"), Regression("b")], trunk_width=8
    )


class CountTraces(mtl_keras.MultiTaskModel):
    """Counts how often Keras traces the training step."""

    traces = 0

    def train_step(self, data):
        self.traces += 1
        return super().train_step(data)


def test_changing_a_weight_retraces_nothing(model, rng):
    counted = CountTraces(
        model.inputs,
        dict(zip(model.output_names, model.outputs, strict=True)),
        tasks=model.tasks,
    )
    counted.compile("sgd")
    x, y = random_data(counted, 8, rng)
    counted.fit(x, y, batch_size=4, verbose=0)
    before = counted.traces
    for value in (0.5, 3.0, 0.0):
        counted.loss_weights["b"] = value
        logs = counted.fit(x, y, batch_size=4, verbose=0).history
        expected = logs["a_loss"][0] + value * logs["b_loss"][0]
        assert logs["loss"][0] == pytest.approx(expected, rel=1e-4)
    assert counted.traces == before > 0


def test_it_reads_like_a_dict():
    weights = LossWeights({"a": 1.0, "b": 0.3})
    assert dict(weights) == {"a": 1.0, "b": 0.3}
    assert (list(weights), len(weights)) == (["a", "b"], 2)
    assert "a" in weights
    assert "c" not in weights
    assert list(weights.values()) == [1.0, 0.3]
    assert repr(weights) == "LossWeights({'a': 1.0, 'b': 0.3})"


def test_it_is_a_mutable_mapping():
    weights = LossWeights({"a": 1.0, "b": 0.25})
    assert isinstance(weights, MutableMapping)
    assert {**weights} == weights == {"a": 1.0, "b": 0.25}
    assert weights.get("c") is None
    assert weights.setdefault("a", 5.0) == 1.0
    weights.update([("a", 2.0)], b=0.5)
    assert weights == {"a": 2.0, "b": 0.5}
    with pytest.raises(TypeError, match="expected a dict from task name"):
        weights.update([1.0, 2.0])


def test_a_task_cannot_be_removed():
    weights = LossWeights({"a": 1.0, "b": 0.25})
    for remove in (lambda: weights.pop("b"), weights.popitem, weights.clear):
        with pytest.raises(TypeError, match="Set it to 0"):
            remove()
    with pytest.raises(KeyError, match="No task 'c'"):
        del weights["c"]
    assert weights == {"a": 1.0, "b": 0.25}


def test_a_wrong_update_changes_nothing():
    weights = LossWeights({"a": 1.0, "b": 2.0})
    for wrong in ({"a": 5.0, "b": -1.0}, {"a": 5.0, "c": 1.0}, {"a": np.inf}):
        with pytest.raises(ValueError, match="weight"):
            weights.update(wrong)
        assert dict(weights) == {"a": 1.0, "b": 2.0}
    with pytest.raises(ValueError, match="all zero"):
        weights.update({"a": 0.0, "b": 0.0})
    with pytest.raises(KeyError, match="Did you mean 'abc'"):
        LossWeights({"abc": 1.0})["abd"]


def test_assigning_a_dict_updates_the_variables(model):
    variables = model.loss_weights.variables_by_task
    model.loss_weights = {"b": 0.25}
    assert dict(model.loss_weights) == {"a": 1.0, "b": 0.25}
    assert float(variables["b"]) == 0.25
    with pytest.raises(ValueError, match="names 'c'"):
        model.loss_weights = {"c": 1.0}


@pytest.mark.slow
def test_an_epoch_does_not_reset_them(model, rng):
    x, y = random_data(model, 8, rng)
    model.loss_weights["b"] = 0.25
    model.fit(x, y, epochs=2, verbose=0)
    model.reset_metrics()
    assert model.loss_weights["b"] == 0.25


def test_compiling_anew_starts_from_the_tasks_weights(model):
    weights = model.loss_weights
    weights["b"] = 0.25
    model.compile("sgd")
    assert model.loss_weights is weights
    assert dict(weights) == {"a": 1.0, "b": 1.0}


def test_weights_files_carry_them(model, tmp_path):
    model.loss_weights["b"] = 0.25
    model.save_weights(tmp_path / "model.weights.h5")
    model.loss_weights["b"] = 1.0
    model.load_weights(tmp_path / "model.weights.h5")
    assert model.loss_weights["b"] == 0.25


@pytest.mark.filterwarnings("ignore:Skipping variable loading")
def test_weights_files_of_plain_keras_load(model, rng, tmp_path):
    plain = keras.Model(
        model.inputs, dict(zip(model.output_names, model.outputs, strict=True))
    )
    plain.save_weights(tmp_path / "plain.weights.h5")
    model.loss_weights["b"] = 0.25
    model.load_weights(tmp_path / "plain.weights.h5")
    assert model.loss_weights["b"] == 0.25


@pytest.mark.slow
def test_backup_and_restore_brings_them_back(model, rng, tmp_path):
    x, y = random_data(model, 8, rng)
    backup = keras.callbacks.BackupAndRestore(
        tmp_path / "backup", delete_checkpoint=False
    )
    model.loss_weights["b"] = 0.25
    model.fit(x, y, epochs=2, callbacks=[backup], verbose=0)
    fresh = keras.models.clone_model(model)
    fresh.loss_weights["b"] = 1.0
    backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")
    fresh.fit(x, y, epochs=2, callbacks=[backup], verbose=0)
    assert fresh.loss_weights["b"] == 0.25


@pytest.mark.slow
def test_compiled_outside_the_scope_of_its_strategy(two_replicas, rng):
    with two_replicas.scope():
        model = mtl_keras.build_mlp(
            (4,), [Regression("a"), Regression("b")], compile=False
        )
        optimizer = keras.optimizers.SGD()
    model.compile(optimizer)
    x, y = random_data(model, 8, rng)
    model.loss_weights["b"] = 0.5
    logs = model.fit(x, y, batch_size=8, verbose=0).history
    assert logs["loss"][0] == pytest.approx(
        logs["a_loss"][0] + 0.5 * logs["b_loss"][0], rel=1e-5
    )


def test_schedule_moves_them_by_epoch(model, rng):
    x, y = random_data(model, 8, rng)
    schedule = LossWeightSchedule(lambda epoch: {"b": 0.5**epoch})
    logs = model.fit(x, y, epochs=3, callbacks=[schedule], verbose=0).history
    assert logs["weight/b"] == [1.0, 0.5, 0.25]
    assert logs["weight/a"] == [1.0, 1.0, 1.0]
    for epoch in range(3):
        assert logs["loss"][epoch] == pytest.approx(
            logs["a_loss"][epoch] + 0.5**epoch * logs["b_loss"][epoch], rel=1e-4
        )


@pytest.mark.slow
def test_schedule_may_read_the_current_weights(model, rng):
    x, y = random_data(model, 8, rng)
    schedule = LossWeightSchedule(
        lambda epoch, weights: {"a": weights["a"] + 1.0}
    )
    logs = model.fit(x, y, epochs=2, callbacks=[schedule], verbose=0).history
    assert logs["weight/a"] == [2.0, 3.0]


@pytest.mark.parametrize(
    ("returned", "error", "message"),
    [
        (3.0, TypeError, "returned 3.0 at epoch 0"),
        ({"c": 1.0}, ValueError, "loss_weights names 'c'"),
        ({"a": -1.0}, ValueError, "loss weight -1.0"),
    ],
)
def test_wrong_schedules(model, rng, returned, error, message):
    x, y = random_data(model, 8, rng)
    schedule = LossWeightSchedule(lambda epoch: returned)
    with pytest.raises(error, match=message):
        model.fit(x, y, callbacks=[schedule], verbose=0)
