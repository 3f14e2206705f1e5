"""Keras's callbacks use the directions of the task metrics."""

import keras
import numpy as np
import pytest
from factory_harness import mostly_slow

from mtl_keras import BinaryClassification, MultiTaskModel, Regression
from mtl_keras.training.internal_callbacks import set_monitor_modes


def build(tasks=None, cls=MultiTaskModel):
    tasks = tasks or [
        BinaryClassification("kind", metrics=["auc", "accuracy", "f1"]),
        Regression("size", metrics=["rmse", "mae", "r2"]),
    ]
    inputs = keras.Input((3,))
    model = cls(inputs, {t.name: t.head(inputs) for t in tasks}, tasks=tasks)
    model.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
    return model


@pytest.fixture(scope="module")
def model():
    """Returns one model for callbacks that are only looked at."""
    return build()


class Scripted(MultiTaskModel):
    """Logs numbers of a script in place of those of its data."""

    def fit(self, script, callbacks):
        set_monitor_modes(callbacks, self)
        calls = keras.callbacks.CallbackList(
            callbacks, add_history=True, model=self
        )
        self.stop_training = False
        calls.on_train_begin()
        for epoch, value in enumerate(script):
            calls.on_epoch_begin(epoch)
            calls.on_epoch_end(epoch, dict(value))
            if self.stop_training:
                break
        calls.on_train_end()
        return self.history


@pytest.fixture(scope="module")
def scripted():
    return build(cls=Scripted)


DIRECTIONS = {
    "loss": "min",
    "kind_loss": "min",
    "size_loss": "min",
    "kind_auc": "max",
    "kind_accuracy": "max",
    "kind_f1": "max",
    "size_rmse": "min",
    "size_mae": "min",
    "size_r2": "max",
}
UP, DOWN = [0.1, 0.2, 0.3, 0.4], [0.4, 0.3, 0.2, 0.1]


@pytest.mark.parametrize("prefix", ["", "val_"])
@pytest.mark.parametrize(("name", "direction"), DIRECTIONS.items())
def test_early_stopping_stops_where_it_gets_worse(
    scripted, name, direction, prefix
):
    better, worse = (UP, DOWN) if direction == "max" else (DOWN, UP)
    for values, epochs in ((better, 4), (worse, 2)):
        stop = keras.callbacks.EarlyStopping(prefix + name, patience=1)
        script = [{prefix + name: value} for value in values]
        history = scripted.fit(script, [stop])
        assert len(history.epoch) == epochs


@pytest.mark.parametrize("prefix", ["", "val_"])
@pytest.mark.parametrize(("name", "direction"), DIRECTIONS.items())
def test_the_best_checkpoint_is_kept(
    scripted, name, direction, prefix, tmp_path
):
    values = [0.3, 0.5, 0.1, 0.4]
    path = str(tmp_path / "{epoch}.weights.h5")
    keep = keras.callbacks.ModelCheckpoint(
        path, prefix + name, save_best_only=True, save_weights_only=True
    )
    scripted.fit([{prefix + name: value} for value in values], [keep])
    found = {int(p.name.split(".")[0]) for p in tmp_path.iterdir()}
    assert found == ({1, 2} if direction == "max" else {1, 3})


@pytest.mark.parametrize("prefix", ["", "val_"])
@pytest.mark.parametrize(("name", "direction"), DIRECTIONS.items())
def test_the_learning_rate_falls_where_it_gets_worse(
    scripted, name, direction, prefix
):
    better, worse = (UP, DOWN) if direction == "max" else (DOWN, UP)
    for values, rate in ((better, 0.1), (worse, 0.1 * 0.5**3)):
        scripted.optimizer.learning_rate = 0.1
        reduce = keras.callbacks.ReduceLROnPlateau(
            prefix + name, factor=0.5, patience=1
        )
        scripted.fit([{prefix + name: value} for value in values], [reduce])
        found = float(scripted.optimizer.learning_rate)
        assert found == pytest.approx(rate)


@pytest.mark.parametrize("mode", ["min", "max"])
def test_a_mode_that_was_given_stays(model, mode):
    stop = keras.callbacks.EarlyStopping("val_kind_auc", mode=mode)
    set_monitor_modes([stop], model)
    assert stop.mode == mode


@pytest.mark.parametrize("direction", ["min", "max"])
def test_a_task_says_the_direction_of_its_primary_metric(direction):
    own = keras.metrics.MeanAbsoluteError(name="cost")
    task = Regression(
        "size", metrics=[own], primary_metric="cost", direction=direction
    )
    stop = keras.callbacks.EarlyStopping("val_size_cost")
    set_monitor_modes([stop], build([task]))
    assert stop.mode == direction


def test_nested_callbacks_and_lists(model):
    stop = keras.callbacks.EarlyStopping("val_kind_auc")
    other = keras.callbacks.EarlyStopping("size_mae")
    unknown = keras.callbacks.EarlyStopping("weight/kind")
    set_monitor_modes([[stop], [[other]], unknown], model)
    assert (stop.mode, other.mode) == ("max", "min")
    assert unknown.mode == "auto"
    listed = keras.callbacks.EarlyStopping("val_kind_auc")
    calls = keras.callbacks.CallbackList([listed], model=model)
    set_monitor_modes(calls, model)
    assert listed.mode == "max"


CALLBACKS = {
    "early_stopping": keras.callbacks.EarlyStopping,
    "plateau": keras.callbacks.ReduceLROnPlateau,
    "checkpoint": lambda monitor: keras.callbacks.ModelCheckpoint(
        CHECKPOINT, monitor, save_best_only=True, save_weights_only=True
    ),
}
CHECKPOINT = "best.weights.h5"


@pytest.mark.parametrize("kind", mostly_slow(CALLBACKS, ["checkpoint"]))
@pytest.mark.parametrize(
    "monitor", mostly_slow(["val_kind_auc", "size_rmse"], ["val_kind_auc"])
)
def test_fit_sets_the_direction(kind, monitor, rng, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model, callback = build(), CALLBACKS[kind](monitor)
    x = rng.normal(size=(8, 3)).astype("float32")
    y = {"kind": np.arange(8) % 2, "size": x[:, 0]}
    model.fit(x, y, validation_data=(x, y), callbacks=[callback], verbose=0)
    upwards = monitor.endswith("auc")
    assert callback.mode == ("max" if upwards else "min")
    assert bool(callback.monitor_op(2.0, 1.0)) == upwards
    assert (tmp_path / CHECKPOINT).exists() == (kind == "checkpoint")


def test_tasks_that_are_computed_together_have_directions():
    tasks = [BinaryClassification(f"kind{i}") for i in range(9)]
    model = build(tasks)
    assert model.compiled_parts.losses.groups
    stop = keras.callbacks.EarlyStopping("val_kind4_auc")
    loss = keras.callbacks.EarlyStopping("kind4_loss")
    set_monitor_modes([stop, loss], model)
    assert (stop.mode, loss.mode) == ("max", "min")


@pytest.mark.parametrize(
    "name",
    [
        "val_size",
        "size_val",
        "loss",
        "auc",
    ],
)
def test_names_that_look_like_prefixes_and_metrics(name):
    model = build([Regression(name, metrics=["r2", "mae"])])
    for prefix in ("", "val_"):
        r2 = keras.callbacks.EarlyStopping(f"{prefix}{name}_r2")
        mae = keras.callbacks.EarlyStopping(f"{prefix}{name}_mae")
        set_monitor_modes([r2, mae], model)
        assert (r2.mode, mae.mode) == ("max", "min"), prefix
