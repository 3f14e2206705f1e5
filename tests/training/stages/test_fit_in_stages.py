"""Training in stages: what changes, what does not, and what is restored."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from factory_harness import (
    build_small,
    mostly_slow,
    random_data,
    random_inputs,
)

import mtl_keras
from mtl_keras import MultiTaskModel, Regression, fit_in_stages


@pytest.fixture(scope="module")
def untouched():
    """Returns one model for all that is refused."""
    return build_small("build_hierarchical_mlp")


class Moved(keras.callbacks.Callback):
    """Notes, for each stage, which weights of the whole model it moved."""

    def __init__(self, model):
        super().__init__()
        self.whole, self.paths = model, []

    def on_train_begin(self, logs=None):
        self.before = {w.path: w.numpy() for w in self.whole.weights}

    def on_train_end(self, logs=None):
        self.paths.append(
            {
                w.path
                for w in self.whole.weights
                if (self.before[w.path] != w.numpy()).any()
            }
        )


def hierarchy(eager=True, loss_weights=None, **arguments):
    """Returns a trunk of two levels with normalization, read at both.

    It runs eagerly: each stage would be traced, for a few steps.
    """
    model = build_small(
        "build_hierarchical_mlp", normalization="batch", **arguments
    )
    model.compile(
        keras.optimizers.Adam(0.01),
        loss_weights=loss_weights,
        run_eagerly=eager,
    )
    return model


def paths(model, *parts):
    """Paths of the weights whose layers begin with one of the names."""
    return {w.path for w in model.weights if w.path.startswith(parts)}


def run(model, rng, stages, **arguments):
    """Trains in stages; returns what each moved, and the history."""
    moved = Moved(model)
    x, y = random_data(model, 12, rng)
    history = fit_in_stages(
        model, x, y, stages=stages, callbacks=[moved], verbose=0, **arguments
    )
    return moved.paths, history


def test_a_stage_moves_what_its_tasks_reach_and_nothing_else(rng):
    model = hierarchy(stop_gradient=True)
    (low, high), _ = run(model, rng, ["coarse", "fine"], epochs=2)
    assert low == paths(model, "trunk_1", "coarse")
    # Past the stop, what the low task says is read and not trained.
    assert high == paths(model, "trunk_1", "trunk_2", "fine")


@pytest.mark.slow
def test_a_fed_task_trains_what_it_reads_without_a_stop(rng):
    model = hierarchy(stop_gradient=False)
    (_, high), _ = run(model, rng, ["coarse", "fine"])
    assert high == {w.path for w in model.weights}


@pytest.mark.slow
def test_what_earlier_stages_trained_can_be_frozen(rng):
    model = hierarchy(stop_gradient=False)
    (low, high), _ = run(model, rng, ["coarse", "fine"], frozen=True, epochs=3)
    assert low == paths(model, "trunk_1", "coarse")
    # Statistics of the frozen level included.
    assert high == paths(model, "trunk_2", "fine")


@pytest.mark.slow
def test_several_tasks_in_a_stage_train_together(rng):
    model = hierarchy()
    (low, both), _ = run(model, rng, ["coarse", ["coarse", "fine"]])
    assert low < both == {w.path for w in model.weights}


@pytest.mark.slow
def test_of_a_layer_of_several_tasks_only_the_right_variables_move(rng):
    model = build_small("build_low_rank_mlp")
    (first, second), _ = run(model, rng, ["two_way", "three_way"], frozen=True)
    assert {p for p in first if "trunk" in p} == {
        "trunk_dense_1/basis",
        "trunk_dense_1/factor_0",
        "trunk_dense_1/bias_0",
    }
    assert {p for p in second if "trunk" in p} == {
        "trunk_dense_1/factor_1",
        "trunk_dense_1/bias_1",
    }


class Sliced(keras.layers.Layer):
    """Heads of two tasks in one variable."""

    task_axis = -2

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], 2, 1), name="kernel")

    def call(self, x):
        return [x @ self.kernel[:, 0], x @ self.kernel[:, 1]]


@pytest.mark.slow
def test_slices_of_one_variable_are_trained_stage_by_stage(rng):
    inputs = keras.Input((4,))
    heads = Sliced(name="heads")
    tasks = [Regression("a"), Regression("b")]
    outputs = {
        task.name: keras.layers.Identity(name=task.name)(output)
        for task, output in zip(tasks, heads(inputs), strict=True)
    }
    model = MultiTaskModel(inputs, outputs, tasks=tasks)
    model.compile("adam")
    kernels = []
    x, y = random_data(model, 12, rng)
    note = keras.callbacks.LambdaCallback(
        on_train_begin=lambda logs: kernels.append(heads.kernel.numpy())
    )
    fit_in_stages(
        model,
        x,
        y,
        stages=["a", "b"],
        frozen=True,
        callbacks=[note],
        epochs=2,
        verbose=0,
    )
    first, second, third = *kernels, heads.kernel.numpy()
    assert (first[:, 0] != second[:, 0]).all()
    np.testing.assert_array_equal(first[:, 1], second[:, 1])
    np.testing.assert_array_equal(second[:, 0], third[:, 0])
    assert (second[:, 1] != third[:, 1]).all()


def test_what_the_user_froze_stays_frozen(rng):
    model = build_small("build_mlp", normalization="batch")
    model.get_layer("trunk_dense_1").trainable = False
    (first,), _ = run(model, rng, ["left"])
    assert not any(path.startswith("trunk_dense_1") for path in first)
    assert not model.get_layer("trunk_dense_1").trainable
    assert model.get_layer("left").trainable


@pytest.mark.slow
def test_nested_trunks_are_frozen_whole(rng):
    inputs = keras.Input((4,))
    normed = keras.layers.BatchNormalization()(keras.layers.Dense(3)(inputs))
    trunk = keras.Model(inputs, normed, name="trunk")
    outer = keras.Input((4,))
    tasks = [Regression("a"), Regression("b")]
    features = trunk(outer)
    outputs = {task.name: task.head(features) for task in tasks}
    model = MultiTaskModel(outer, outputs, tasks=tasks)
    model.compile("adam")
    (_, second), _ = run(model, rng, ["a", "b"], frozen=True)
    assert second == {w.path for w in model.get_layer("b").weights}


def test_it_equals_training_the_task_alone(rng):
    model = build_small("build_mlp", optimizer="sgd")
    x, y = random_data(model, 12, rng)
    (alone,) = (t for t in model.tasks if t.name == "left")
    twin = MultiTaskModel(
        model.input, {"left": model.output["left"]}, tasks=[alone]
    )
    twin = keras.models.clone_model(twin)
    twin = MultiTaskModel(
        twin.input, {"left": twin.output["left"]}, tasks=[alone]
    )
    names = [layer.name for layer in twin.layers if layer.weights]
    for name in names:
        twin.get_layer(name).set_weights(model.get_layer(name).get_weights())
    twin.compile("sgd")
    settings = {"batch_size": 4, "shuffle": False, "verbose": 0}
    expected = twin.fit(x, {"left": y["left"]}, epochs=3, **settings).history
    found = fit_in_stages(
        model, x, y, stages=["left"], epochs=3, **settings
    ).history
    for key, values in expected.items():
        np.testing.assert_allclose(found[key], values, rtol=1e-6)
    for name in names:
        for mine, theirs in zip(
            twin.get_layer(name).get_weights(),
            model.get_layer(name).get_weights(),
            strict=True,
        ):
            np.testing.assert_allclose(theirs, mine, rtol=1e-6)


@pytest.mark.slow
def test_the_history_is_of_all_stages(rng):
    model = hierarchy(eager=False)
    seen = []
    epochs = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append(epoch)
    )
    x, y = random_data(model, 12, rng)
    history = fit_in_stages(
        model,
        x,
        y,
        stages=["coarse", "fine"],
        epochs=[2, 3],
        callbacks=[epochs],
        validation_data=(x, y),
        verbose=0,
    )
    assert history.epoch == seen == [0, 1, 2, 3, 4]
    assert {len(values) for values in history.history.values()} == {5}
    nan = {
        key: [math.isnan(value) for value in values]
        for key, values in history.history.items()
    }
    assert nan["loss"] == nan["val_loss"] == [False] * 5
    for key in ("coarse_loss", "coarse_accuracy", "val_coarse_loss"):
        assert nan[key] == [False] * 2 + [True] * 3
    for key in ("fine_loss", "fine_accuracy", "val_fine_accuracy"):
        assert nan[key] == [True] * 2 + [False] * 3
    assert history.model is model


@pytest.mark.slow
def test_epochs_are_counted_on_from_a_stage_that_stopped_early(rng):
    class StopAtOnce(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 0

    model = hierarchy()
    x, y = random_data(model, 12, rng)
    history = fit_in_stages(
        model,
        x,
        y,
        stages=["coarse", "fine"],
        epochs=4,
        callbacks=[StopAtOnce()],
        verbose=0,
    )
    assert history.epoch == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("fails", mostly_slow([False, True], [True]))
def test_flags_weights_and_optimizer_are_put_back(rng, fails):
    model = hierarchy(loss_weights={"coarse": 0.3})
    x, y = random_data(model, 12, rng)
    model.fit(x, y, verbose=0)
    model.get_layer("trunk_1_dense_1").trainable = False
    layers = [layer.trainable for layer in model.layers]
    variables = [v.trainable for v in model.variables]
    state = [v.numpy() for v in model.optimizer.variables]

    class Fails(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if fails and epoch == 1:
                raise KeyboardInterrupt

    def train():
        fit_in_stages(
            model,
            x,
            y,
            stages=["coarse", "fine"],
            frozen=True,
            callbacks=[Fails()],
            verbose=0,
        )

    if fails:
        with pytest.raises(KeyboardInterrupt):
            train()
    else:
        train()
    assert layers == [layer.trainable for layer in model.layers]
    assert variables == [v.trainable for v in model.variables]
    assert dict(model.loss_weights) == {"coarse": 0.3, "fine": 1.0}
    for old, now in zip(state, model.optimizer.variables, strict=True):
        np.testing.assert_array_equal(old, now.numpy())
    # And it trains as a whole again.
    model.get_layer("trunk_1_dense_1").trainable = True
    model.compile("adam")
    before = model.get_weights()
    model.fit(x, y, verbose=0)
    for old, now in zip(before, model.get_weights(), strict=True):
        assert (old != now).any()


@pytest.mark.slow
def test_a_weighting_is_left_out_where_it_has_nothing_to_weigh(rng):
    model = build_small("build_mlp", weighting="pcgrad")
    x, y = random_data(model, 12, rng)
    stages = ["left", ["left", "right"]]
    history = fit_in_stages(model, x, y, stages=stages, verbose=0).history
    assert [math.isnan(v) for v in history["weight/left"]] == [True, False]
    # With the trunk frozen, the tasks meet in no parameter.
    model.get_layer("trunk_dense_1").trainable = False
    frozen = fit_in_stages(
        model, x, y, stages=[["left", "right"]], verbose=0
    ).history
    assert "weight/left" not in frozen


@pytest.mark.slow
def test_streams_missing_labels_and_weights(rng):
    model = hierarchy()
    x, y = random_data(model, 12, rng)
    y["fine"][::2] = -1
    weights = {"coarse": np.ones(12), "fine": np.zeros(12)}
    stream = tf.data.Dataset.from_tensor_slices((x, y, weights)).batch(4)
    history = fit_in_stages(
        model, stream, stages=["coarse", "fine"], verbose=0
    ).history
    assert history["coarse_loss"][0] > 0
    assert history["fine_loss"][1] == 0
    again = fit_in_stages(
        model,
        x,
        {"fine": y["fine"]},
        stages=["fine"],
        class_weight={"fine": {0: 2.0}},
        verbose=0,
    ).history
    assert np.isfinite(again["fine_loss"]).all()


@pytest.mark.slow
def test_two_replicas_train_stages_as_one_does(rng, two_replicas):
    model = build_small("build_hierarchical_mlp", optimizer="sgd")
    with two_replicas.scope():
        twin = build_small("build_hierarchical_mlp", optimizer="sgd")
    twin.set_weights(model.get_weights())
    x, y = random_data(model, 16, rng)
    for each in (model, twin):
        fit_in_stages(
            each,
            x,
            y,
            stages=["coarse", "fine"],
            frozen=True,
            batch_size=8,
            shuffle=False,
            verbose=0,
        )
    for mine, theirs in zip(
        model.get_weights(), twin.get_weights(), strict=True
    ):
        np.testing.assert_allclose(theirs, mine, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"stages": []}, ValueError, "stages is empty"),
        ({"stages": "coarse"}, TypeError, "stages='coarse'; expected a list"),
        ({"stages": ["corse"]}, ValueError, "Did you mean 'coarse'"),
        ({"stages": [[]]}, ValueError, r"stages contains \[\]"),
        ({"stages": [["fine", "fine"]]}, ValueError, "different task names"),
        ({"epochs": [1, 2, 3]}, ValueError, "for 2 stages"),
        ({"epochs": [1, 0]}, ValueError, "epochs contains 0"),
        ({"epochs": 1.5}, ValueError, "epochs contains 1.5"),
        ({"stages": ["fine", 3]}, TypeError, "stages contains 3 of type int"),
        ({"initial_epoch": 2}, TypeError, "initial_epoch is not supported"),
        ({"y": {"coarse": None}}, ValueError, "Task 'fine' has no targets"),
        ({"y": {"corse": None}}, ValueError, "Targets name 'corse'"),
        (
            {"stages": ["fine", "coarse"], "frozen": True},
            ValueError,
            r"stage of \['coarse'\] has no variables to train",
        ),
        (
            {"callbacks": [keras.callbacks.BackupAndRestore("folder")]},
            TypeError,
            "BackupAndRestore, which does not support stages",
        ),
    ],
)
def test_wrong_arguments_are_refused_before_anything_trains(
    untouched, arguments, error, message, rng
):
    model = untouched
    x, y = random_data(model, 4, rng)
    before = model.get_weights()
    given = {"stages": ["coarse", "fine"], "y": y, "verbose": 0} | arguments
    with pytest.raises(error, match=message):
        fit_in_stages(model, x, **given)
    for old, now in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, now)


def test_wrong_models_are_refused(rng):
    model = build_small("build_mlp", compile=False)
    x = random_inputs(model, 2, rng)
    with pytest.raises(ValueError, match="'mlp' is not compiled"):
        fit_in_stages(model, x, {}, stages=["left"])
    with pytest.raises(TypeError, match="model is a Sequential"):
        fit_in_stages(keras.Sequential(), x, {}, stages=["left"])
    assert mtl_keras.fit_in_stages is fit_in_stages
