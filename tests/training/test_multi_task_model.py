"""The model class: compiling, saving and the features of plain Keras."""

import copy

import keras
import numpy as np
import pytest
import tensorflow as tf
from factory_harness import build_small, random_data

import mtl_keras
from mtl_keras import Classification, MultiTaskModel, Regression


@pytest.fixture
def model():
    """Returns a small model of a classification and a regression."""
    return build()


@pytest.fixture(scope="module")
def refusing():
    """Returns one for all arguments that are refused."""
    return build()


def build():
    """Builds a small model, whose few steps are taken eagerly."""
    model = mtl_keras.build_mlp(
        (5,),
        [Classification("kind", 3), Regression("size", loss_weight=0.5)],
        trunk_width=8,
    )
    model.compile("sgd", run_eagerly=True)
    return model


def plain_twin(model, loss_weights):
    """Returns the same network, losses and metrics in plain Keras."""
    twin = keras.Model(
        model.inputs, dict(zip(model.output_names, model.outputs, strict=True))
    )
    twin = keras.models.clone_model(twin)
    assert type(twin) is not MultiTaskModel
    twin.set_weights(model.get_weights())
    twin.compile(
        model.optimizer.from_config(model.optimizer.get_config()),
        loss={task.name: task.loss for task in model.tasks},
        loss_weights=loss_weights,
        metrics={task.name: task.make_metrics() for task in model.tasks},
        run_eagerly=model.run_eagerly,
    )
    return twin


def test_fit_gives_the_numbers_of_plain_keras(engine_factory, rng):
    model = build_small(engine_factory)
    names = [task.name for task in model.tasks]
    weights = {name: 0.3 + i for i, name in enumerate(names)}
    model.loss_weights.update(weights)
    twin = plain_twin(model, weights)
    x, y = random_data(model, 16, rng)
    # One batch an epoch: Keras's losses are means over batches.
    histories = [
        m.fit(x, y, batch_size=16, epochs=3, shuffle=False, verbose=0).history
        for m in (model, twin)
    ]
    assert histories[0].keys() == histories[1].keys()
    for key, values in histories[1].items():
        np.testing.assert_allclose(histories[0][key], values, rtol=1e-5)
    for mine, theirs in zip(
        model.get_weights(), twin.get_weights(), strict=True
    ):
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-6)


def operations(model, x, y):
    """Counts the operations of the traced training step by type."""
    model.train_on_batch(x, y)
    model.make_train_function()
    step = tf.function(model.train_step).get_concrete_function((x, y))
    counts = {}
    for operation in step.graph.get_operations():
        counts[operation.type] = counts.get(operation.type, 0) + 1
    return counts


def test_the_weights_are_those_of_plain_keras(model):
    twin = plain_twin(model, {"kind": 1.0, "size": 0.5})
    for name in ("weights", "trainable_variables", "non_trainable_variables"):
        assert [v.shape for v in getattr(model, name)] == [
            v.shape for v in getattr(twin, name)
        ]
    assert model.count_params() == twin.count_params()


def test_compile_takes_losses_metrics_and_weights_from_the_tasks(model, rng):
    x, y = random_data(model, 6, rng)
    logs = model.evaluate(x, y, return_dict=True, verbose=0)
    assert logs["loss"] == pytest.approx(
        logs["kind_loss"] + 0.5 * logs["size_loss"], rel=1e-5
    )
    assert {"kind_accuracy", "size_rmse", "size_mae"} <= set(logs)


def test_compile_can_override_some_tasks(model, rng):
    model.compile(
        "adam",
        loss={"size": "mae"},
        metrics={"kind": [], "size": [keras.metrics.MeanSquaredError("m")]},
        loss_weights={"kind": 2.0},
        run_eagerly=True,
    )
    x, y = random_data(model, 6, rng)
    logs = model.evaluate(x, y, return_dict=True, verbose=0)
    assert set(logs) == {"loss", "kind_loss", "size_loss", "size_m"}
    error = np.abs(model.predict(x, verbose=0)["size"][:, 0] - y["size"])
    assert logs["size_loss"] == pytest.approx(error.mean(), rel=1e-5)
    assert dict(model.loss_weights) == {"kind": 2.0, "size": 0.5}


@pytest.mark.filterwarnings("ignore:Skipping variable loading")
def test_overrides_survive_saving(model, rng, tmp_path):
    model.compile(
        "adam", {"size": "mae"}, metrics={"kind": []}, run_eagerly=True
    )
    x, y = random_data(model, 6, rng)
    expected = model.evaluate(x, y, return_dict=True, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = mtl_keras.load_model(tmp_path / "model.keras")
    found = loaded.evaluate(x, y, return_dict=True, verbose=0)
    assert found == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"loss": {"knd": "mse"}}, ValueError, "Did you mean 'kind'"),
        ({"loss": ["mse", "mse"]}, TypeError, "loss is a list"),
        ({"loss": "mse"}, TypeError, "loss is a str"),
        ({"metrics": {"nobody": []}}, ValueError, "metrics names 'nobody'"),
        ({"weighted_metrics": {"no": []}}, ValueError, "weighted_metrics"),
        ({"loss_weights": [1, 2]}, TypeError, "A list is not supported"),
        ({"loss_weights": {"kinds": 1}}, ValueError, "Did you mean 'kind'"),
        ({"loss_weights": {"kind": -1}}, ValueError, "loss weight -1.0"),
        ({"loss_weights": {"kind": np.nan}}, ValueError, "loss weight nan"),
        ({"loss_weights": {"kind": "x"}}, TypeError, "'x' is not a number"),
        ({"loss_weights": {"kind": 0, "size": 0}}, ValueError, "all zero"),
    ],
)
def test_wrong_arguments_of_compile(refusing, arguments, error, message):
    with pytest.raises(error, match=message):
        refusing.compile("adam", **arguments)


def test_one_task_is_logged_like_several(rng):
    model = mtl_keras.build_mlp((3,), Regression("size"), l2=0.1)
    model.compile("sgd", run_eagerly=True)
    x, y = random_data(model, 8, rng)
    history = model.fit(x, y, validation_split=0.5, verbose=0).history
    names = {"loss", "size_loss", "size_rmse", "size_mae"}
    assert set(history) == names | {f"val_{name}" for name in names}
    logs = model.evaluate(x, y, return_dict=True, verbose=0)
    assert logs["loss"] > logs["size_loss"]  # by the penalty
    model.compile(loss="mae", metrics=["mse"], run_eagerly=True)
    logs = model.evaluate(x, y["size"], return_dict=True, verbose=0)
    assert set(logs) == {"loss", "size_loss", "size_mse"}


def test_sample_weight_is_keras_own(model, rng):
    x, y = random_data(model, 6, rng)
    weights = {"kind": rng.uniform(size=6), "size": rng.uniform(size=6)}
    twin = plain_twin(model, {"kind": 1.0, "size": 0.5})
    for sample_weight in (weights, weights["kind"]):
        expected = twin.evaluate(
            x, y, sample_weight=sample_weight, return_dict=True, verbose=0
        )
        found = model.evaluate(
            x, y, sample_weight=sample_weight, return_dict=True, verbose=0
        )
        assert found == pytest.approx(expected, rel=1e-5)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Your input ran out of data")
def test_generators_and_datasets_work_as_in_keras(model, rng):
    x, y = random_data(model, 8, rng)
    batches = [
        (x[i : i + 4], {k: v[i : i + 4] for k, v in y.items()}) for i in (0, 4)
    ]
    twin = keras.models.clone_model(model)
    twin.set_weights(model.get_weights())
    model.fit(x, y, batch_size=4, shuffle=False, verbose=0)
    twin.fit((batch for batch in batches), shuffle=False, verbose=0)
    for mine, theirs in zip(
        model.get_weights(), twin.get_weights(), strict=True
    ):
        np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-7)


@pytest.mark.slow
def test_steps_per_execution_sees_every_batch_of_a_stream(model, rng):
    x, y = random_data(model, 12, rng)
    dataset = tf.data.Dataset.from_tensor_slices((x, y)).batch(2)
    weights = model.get_weights()
    results = []
    for steps in (1, 4):
        model.compile("sgd", steps_per_execution=steps)
        model.set_weights(weights)
        model.fit(dataset, epochs=2, shuffle=False, verbose=0)
        assert int(model.optimizer.iterations) == 12
        results.append(model.get_weights())
    for first, second in zip(*results, strict=True):
        np.testing.assert_allclose(first, second, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_run_eagerly(model, rng):
    x, y = random_data(model, 4, rng)
    model.compile("sgd", run_eagerly=True)
    dataset = tf.data.Dataset.from_tensor_slices((x, y)).batch(2)
    history = model.fit(dataset, shuffle=False, verbose=0).history
    assert np.isfinite(history["loss"][0])


def test_jit_compile_auto_is_saved_as_auto(model):
    assert model.get_compile_config()["jit_compile"] == "auto"


def test_copies_and_pickles(model, rng):
    x, _ = random_data(model, 4, rng)
    twin = copy.deepcopy(model)
    assert type(twin) is MultiTaskModel
    np.testing.assert_allclose(
        twin.predict(x, verbose=0)["size"],
        model.predict(x, verbose=0)["size"],
        rtol=1e-6,
    )


def test_summary_names_the_tasks(model, capsys):
    model.summary()
    printed = capsys.readouterr().out
    assert "kind (Dense)" in printed
    assert "size (Dense)" in printed


def test_a_model_of_ones_own(rng):
    inputs = keras.Input((4,))
    shared = keras.layers.Dense(8, activation="relu")(inputs)
    tasks = [Regression("a"), Classification("b", 2)]
    model = MultiTaskModel(
        inputs, {t.name: t.head(shared) for t in tasks}, tasks=tasks
    )
    model.compile(run_eagerly=True)
    x, y = random_data(model, 8, rng)
    assert "b_accuracy" in model.fit(x, y, verbose=0).history


@pytest.mark.parametrize(
    ("outputs", "tasks", "error", "message"),
    [
        ("list", ["a"], TypeError, "outputs is a list"),
        (["a"], ["a", "b"], ValueError, r"outputs are named \['a'\]"),
        (["a"], ["a", "a"], ValueError, "Two tasks are named 'a'"),
        (["a"], [3], TypeError, "tasks contains 3"),
    ],
)
def test_outputs_and_tasks_must_agree(outputs, tasks, error, message):
    inputs = keras.Input((4,))
    tensor = keras.layers.Dense(1, name="a")(inputs)
    outputs = [tensor] if outputs == "list" else {n: tensor for n in outputs}
    tasks = [Regression(t) if isinstance(t, str) else t for t in tasks]
    with pytest.raises(error, match=message):
        MultiTaskModel(inputs, outputs, tasks=tasks)


def test_a_model_without_tasks_says_so():
    inputs = keras.Input((4,))
    model = MultiTaskModel(inputs, {"a": keras.layers.Dense(1)(inputs)})
    with pytest.raises(ValueError, match="has no tasks"):
        model.compile()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Skipping variable loading")
def test_keras_tuner_searches_width_and_weights(rng, tmp_path):
    import keras_tuner

    def build(hp):
        return mtl_keras.build_mlp(
            (4,),
            [Regression("a"), Regression("b")],
            trunk_width=hp.Int("trunk_width", 4, 8),
            loss_weights={"b": hp.Float("loss_weight/b", 0.1, 1.0)},
        )

    tuner = keras_tuner.RandomSearch(
        build,
        objective=keras_tuner.Objective("val_a_rmse", "min"),
        max_trials=2,
        seed=1,
        directory=tmp_path,
    )
    y = {name: rng.normal(size=8) for name in "ab"}
    tuner.search(rng.normal(size=(8, 4)), y, validation_split=0.5, verbose=0)
    best = tuner.get_best_hyperparameters()[0]
    assert 4 <= best.get("trunk_width") <= 8
    assert isinstance(tuner.get_best_models()[0], MultiTaskModel)


def test_outputs_are_made_by_layers_of_the_tasks_names():
    inputs = keras.Input((3,))
    task = mtl_keras.Regression("size")
    output = keras.layers.Dense(1, name="other")(inputs)
    with pytest.raises(ValueError, match=r"Task 'size'.*named 'other'"):
        mtl_keras.MultiTaskModel(inputs, {"size": output}, tasks=[task])
    named = keras.layers.Identity(name="size")(output)
    mtl_keras.MultiTaskModel(inputs, {"size": named}, tasks=[task])
