"""Models with custom losses and metrics, saved and loaded again."""

import pathlib
import warnings

import keras
import numpy as np
import pytest
from factory_harness import mostly_slow

from mtl_keras import MultiTaskModel, Regression, load_model

X = np.random.default_rng(0).normal(size=(6, 3)).astype("float32")
Y = {"size": X[:, 0]}


# In functions, so that Keras does not find them in a module by their names.


def make_function():
    def own_error(y_true, y_pred):
        return keras.ops.mean(keras.ops.abs(y_true - y_pred), axis=-1)

    return own_error


def make_loss():
    class OwnLoss(keras.losses.Loss):
        def __init__(self, scale=2.0, name="own_loss", **kwargs):
            super().__init__(name=name, **kwargs)
            self.scale = scale

        def call(self, y_true, y_pred):
            return self.scale * keras.ops.mean(abs(y_true - y_pred), axis=-1)

        def get_config(self):
            return {**super().get_config(), "scale": self.scale}

    return OwnLoss


def make_metric():
    class OwnMetric(keras.metrics.MeanAbsoluteError):
        pass

    return OwnMetric


def build(task, **options):
    inputs = keras.Input((3,))
    model = MultiTaskModel(inputs, {"size": task.head(inputs)}, tasks=[task])
    model.compile(keras.optimizers.SGD(0.1), run_eagerly=True, **options)
    return model


def in_task_metric(metric):
    return build(Regression("size", metrics=["mae", metric(name="own")]))


# A custom object, a model with it, and whether its task holds it.
CASES = {
    "task_function": (
        make_function,
        lambda f: build(Regression("size", loss=f)),
        True,
    ),
    "task_loss": (
        make_loss,
        lambda c: build(Regression("size", loss=c(3.0))),
        True,
    ),
    "task_metric": (make_metric, in_task_metric, True),
    "compile_function": (
        make_function,
        lambda f: build(Regression("size"), loss={"size": f}),
        False,
    ),
    "compile_loss": (
        make_loss,
        lambda c: build(Regression("size"), loss={"size": c(3.0)}),
        False,
    ),
    "compile_metric_function": (
        make_function,
        lambda f: build(Regression("size"), metrics={"size": [f]}),
        False,
    ),
    "compile_metric": (
        make_metric,
        lambda c: build(
            Regression("size"), metrics={"size": ["mae", c(name="own")]}
        ),
        False,
    ),
    "compile_weighted_metric": (
        make_metric,
        lambda c: build(
            Regression("size"), weighted_metrics={"size": c(name="own")}
        ),
        False,
    ),
}
IN_TASKS = [name for name, (_, _, in_task) in CASES.items() if in_task]


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Returns each model, the custom object and the file, by case."""
    folder = tmp_path_factory.mktemp("models")
    found = {}
    for name, (make, build_model, _) in CASES.items():
        own = make()
        model, path = build_model(own), folder / f"{name}.keras"
        model.save(path)
        found[name] = (model, own, path)
    return found


def predicted(model):
    return model(X)["size"].numpy()


def evaluated(model):
    return model.evaluate(X, Y, return_dict=True, verbose=0)


@pytest.mark.parametrize(
    "load",
    [
        keras.models.load_model,
        pytest.param(load_model, marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("case", CASES)
def test_without_compiling_no_object_need_be_known(saved, case, load):
    model, _, path = saved[case]
    again = load(path, compile=False)
    np.testing.assert_array_equal(predicted(again), predicted(model))
    assert [task.name for task in again.tasks] == ["size"]


@pytest.mark.parametrize("case", CASES)
def test_an_error_names_the_object_and_the_ways_out(saved, case):
    _, own, path = saved[case]
    name = own.__name__
    with pytest.raises(TypeError, match=f"needs '{name}'") as error:
        load_model(path)
    for part in (
        str(path),
        f"custom_objects={{{name!r}: {name}}}",
        "register_keras_serializable",
        "compile=False",
    ):
        assert part in str(error.value)
    with pytest.raises(TypeError, match=name):
        keras.models.load_model(path)


@pytest.mark.parametrize(
    "load",
    [
        load_model,
        pytest.param(keras.models.load_model, marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize(
    "case",
    mostly_slow(CASES, ["task_loss", "compile_function", "compile_metric"]),
)
def test_custom_objects_load_the_compiled_model(saved, case, load):
    model, own, path = saved[case]
    again = load(path, custom_objects={own.__name__: own})
    again.run_eagerly = True
    logs = evaluated(again)
    assert logs == pytest.approx(evaluated(model), rel=1e-6)
    own_logs = {"size_own", f"size_{own.__name__}"} & set(logs)
    assert bool(own_logs) == ("metric" in case)
    again.fit(X, Y, verbose=0)


def test_a_scope_of_custom_objects_is_enough(saved):
    model, own, path = saved["task_function"]
    with keras.saving.custom_object_scope({own.__name__: own}):
        again = load_model(path)
    again.run_eagerly = True
    assert evaluated(again) == pytest.approx(evaluated(model), rel=1e-6)


@pytest.mark.parametrize("case", IN_TASKS)
def test_a_model_that_was_only_loaded_to_predict_is_saved_whole(
    saved, case, tmp_path
):
    """Saving again keeps the state that could not be loaded."""
    model, own, path = saved[case]
    load_model(path, compile=False).save(tmp_path / "again.keras")
    name = own.__name__
    again = load_model(tmp_path / "again.keras", compile=False)
    np.testing.assert_array_equal(predicted(again), predicted(model))
    with pytest.raises(TypeError, match="'size'") as error:
        again.compile("sgd")
    assert name in str(error.value)
    assert "custom_objects" in str(error.value)
    again = load_model(tmp_path / "again.keras", custom_objects={name: own})
    again.compile("sgd", run_eagerly=True)
    assert evaluated(again) == pytest.approx(evaluated(model), rel=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("case", IN_TASKS)
def test_a_missing_object_may_be_replaced_when_compiling(saved, case):
    model, _, path = saved[case]
    again = load_model(path, compile=False)
    again.compile(
        "sgd", loss={"size": "mse"}, metrics={"size": []}, run_eagerly=True
    )
    expected = np.mean((predicted(model)[:, 0] - Y["size"]) ** 2)
    assert evaluated(again)["size_loss"] == pytest.approx(expected, rel=1e-5)


def test_registered_objects_load_by_themselves(tmp_path):
    own = keras.saving.register_keras_serializable("test_pretrained")(
        make_loss()
    )
    model = build(Regression("size", loss=own(4.0)))
    model.save(tmp_path / "model.keras")
    again = load_model(tmp_path / "model.keras")
    again.run_eagerly = True
    assert evaluated(again) == pytest.approx(evaluated(model), rel=1e-6)
    del keras.saving.get_custom_objects()["test_pretrained>OwnLoss"]
    again = load_model(tmp_path / "model.keras", compile=False)
    np.testing.assert_array_equal(predicted(again), predicted(model))


@pytest.mark.parametrize("suffix", ["h5", "hdf5"])
@pytest.mark.parametrize("kind", [str, pathlib.Path])
def test_the_old_format_is_refused_and_nothing_is_written(
    saved, suffix, kind, tmp_path
):
    model = saved["task_loss"][0]
    path = tmp_path / f"model.{suffix}"
    with pytest.raises(ValueError, match=r"HDF5.*\.keras") as error:
        model.save(kind(path))
    assert "save_weights" in str(error.value)
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def unsafe(tmp_path_factory):
    """Returns files with Python code: in a layer, and in a loss."""
    folder = tmp_path_factory.mktemp("unsafe")
    inputs = keras.Input((3,))
    hidden = keras.layers.Lambda(lambda x: 2 * x)(inputs)
    task = Regression("size")
    layer = MultiTaskModel(inputs, {"size": task.head(hidden)}, tasks=[task])
    layer.compile("sgd", run_eagerly=True)
    loss = build(Regression("size", loss=lambda t, p: (t - p) ** 2))
    models = {"layer": layer, "loss": loss}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras tells of both
        for name, model in models.items():
            model.save(folder / f"{name}.keras")
    return models, folder


@pytest.mark.parametrize("where", ["layer", "loss"])
def test_safe_mode_runs_no_code_and_says_so(unsafe, where):
    _, folder = unsafe
    with pytest.raises(ValueError, match="safe_mode=False") as error:
        load_model(folder / f"{where}.keras")
    assert f"{where}.keras" in str(error.value)


@pytest.mark.parametrize("where", ["layer", "loss"])
def test_without_safe_mode_code_runs(unsafe, where):
    models, folder = unsafe
    again = load_model(folder / f"{where}.keras", safe_mode=False)
    again.run_eagerly = True
    assert evaluated(again) == pytest.approx(evaluated(models[where]), rel=1e-6)


def test_a_loss_of_code_is_not_needed_to_predict(unsafe):
    models, folder = unsafe
    again = load_model(folder / "loss.keras", compile=False)
    np.testing.assert_array_equal(predicted(again), predicted(models["loss"]))


def test_a_file_that_is_not_there_and_one_that_is_damaged(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.keras"):
        load_model(tmp_path / "none.keras")
    (tmp_path / "bad.keras").write_bytes(b"nothing")
    with pytest.raises(ValueError, match=r"bad\.keras"):
        load_model(tmp_path / "bad.keras")
