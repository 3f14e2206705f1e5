"""Task groups against the same model with separate tasks."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
from factory_harness import mostly_slow, random_data
from holes import make_holes
from single_steps import count_traces, make_train_step

import mtl_keras
from mtl_keras.tasks import (
    BinaryClassification,
    Classification,
    Regression,
    groups,
)

# Alphabetical and given order differ, and kinds lie between each other.
TASKS = (
    Classification("kind_2", 3, metrics=["accuracy", "f1"]),
    BinaryClassification("yes_1"),
    Regression("size_1"),
    Classification("alone", 4),
    Classification("kind_10", 3, metrics=["accuracy", "f1"], loss_weight=0.5),
    BinaryClassification("yes_0", class_names=["no", "yes"]),
    Regression("size_0"),
)
# A group and a task that stands alone.
FEW = (TASKS[0], TASKS[1], TASKS[4])
SAMPLES, BATCH = 14, 6


def build(monkeypatch, together, tasks=TASKS, scope=None, **arguments):
    """Returns a model whose equal tasks are computed together, or not."""
    least = 2 if together else 10**9
    monkeypatch.setattr(groups, "MIN_GROUP_SIZE", least)
    keras.utils.set_random_seed(2)
    make = functools.partial(
        mtl_keras.build_mlp, (6,), list(tasks), hidden_units=(8,), l2=0.01
    )
    if scope is None:
        model = make(compile=False)
        _compile(model, **arguments)
    else:
        with scope:
            model = make(compile=False)
            _compile(model, **arguments)
    assert bool(model.compiled_parts.losses.groups) == together
    return model


def _compile(model, optimizer="adam", **arguments):
    optimizers = {"adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD}
    model.compile(optimizers[optimizer](0.01), **arguments)


def data(model, rng, missing, samples=SAMPLES):
    """Inputs and targets, of which some are missing."""
    x, y = random_data(model, samples, rng)
    if missing:
        for task in model.tasks:
            shape = model.task_output_shapes[task.name]
            targets = y[task.name].copy()
            y[task.name] = make_holes(task, targets, shape, rng)
            y[task.name][:1] = targets[:1]
            if task.name.startswith("yes"):
                y[task.name][1] = 0  # 1 alone would look like a mistake
        y["kind_10"] = y["kind_10"].astype("float64")
        y["kind_10"][BATCH : 2 * BATCH] = np.nan  # a batch without any
        y["yes_1"][BATCH : 2 * BATCH] = -1
    return x, y


def results(model, x, y, epochs=2, **arguments):
    """Logs of training and evaluation, and predictions after them."""
    logs = model.fit(
        x,
        y,
        batch_size=BATCH,
        epochs=epochs,
        shuffle=False,
        validation_data=(x, y),
        verbose=0,
        **arguments,
    ).history
    found = {name: np.array(values) for name, values in logs.items()}
    return found | {f"predicted_{name}": v for name, v in model(x).items()}


def assert_equal_results(found, expected, tolerance=2e-5):
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(
            found[name], values, tolerance, 1e-6, err_msg=name
        )


@pytest.fixture
def assert_same(monkeypatch, rng):
    """Trains a model both ways on the same data, and compares all of it."""

    def check(missing=True, samples=SAMPLES, fit=None, scope=None, **arguments):
        grouped = build(monkeypatch, True, scope=scope, **arguments)
        x, y = data(grouped, rng, missing, samples)
        if fit is not None:
            fit = fit(x, y)
        found = results(grouped, x, y, **(fit or {}))
        single = build(monkeypatch, False, **arguments)
        assert_equal_results(found, results(single, x, y, **(fit or {})))
        return grouped, single

    return check


def test_equal_tasks_are_found_by_themselves(monkeypatch):
    model = build(monkeypatch, True)
    found = [set(group.names) for group in model.compiled_parts.losses.groups]
    assert found == [
        {"kind_2", "kind_10"},
        {"yes_0", "yes_1"},
        {"size_0", "size_1"},
    ]
    assert len(model.weights) == 2 + 3 * 2 + 2
    assert [t.name for t in model.tasks] == [t.name for t in TASKS]
    assert set(model.output_names) == {t.name for t in TASKS}


def test_few_equal_tasks_form_no_group():
    model = mtl_keras.build_mlp(
        (6,),
        [Regression(f"size_{n}") for n in range(groups.MIN_GROUP_SIZE - 1)],
    )
    assert not model.compiled_parts.losses.groups
    assert type(model.get_layer("size_0")) is keras.layers.Dense


def test_users_see_each_output_and_its_layer(monkeypatch):
    model = build(monkeypatch, True)
    found = []
    model.summary(print_fn=found.append, line_length=120)
    lines = [line.strip("│ ") for line in "\n".join(found).splitlines()]
    for task in TASKS:
        assert any(line.startswith(f"{task.name} (") for line in lines)
        assert (
            model.get_layer(task.name).output.shape[-1]
            == (model.task_output_shapes[task.name][0])
        )
    grouped = model.get_layer("kind_2_and_1_more")
    assert grouped.kernel.shape == (8, 2, 3)


@pytest.mark.slow
def test_training_is_the_same(assert_same):
    assert_same(optimizer="sgd")


@pytest.mark.parametrize(
    "tasks", mostly_slow([FEW, TASKS], [FEW]), ids=["few", "all"]
)
def test_eager_training_is_the_same(tasks, assert_same):
    once = {"epochs": 1}
    assert_same(tasks=tasks, samples=12, fit=lambda *_: once, run_eagerly=True)


@pytest.mark.slow
def test_complete_labels_are_logged_equally(assert_same):
    assert_same(missing=False)


@pytest.mark.parametrize(
    ("weighting", "gradients"),
    [
        pytest.param("uncertainty", "parameters", marks=pytest.mark.slow),
        pytest.param("famo", "parameters", marks=pytest.mark.slow),
        pytest.param("pcgrad", "parameters", marks=pytest.mark.slow),
        pytest.param("upgrad", "features", marks=pytest.mark.slow),
        pytest.param("graddrop", "parameters", marks=pytest.mark.slow),
    ],
)
def test_weightings_are_the_same(weighting, gradients, assert_same):
    assert_same(weighting=weighting, gradients=gradients, optimizer="sgd")


@pytest.mark.slow
@pytest.mark.parametrize("weighting", [None, "mgda"])
def test_two_replicas_are_the_same(weighting, two_replicas, assert_same):
    assert_same(scope=two_replicas.scope(), weighting=weighting)


def weights_of_samples(x, y):
    rng = np.random.default_rng(1)
    weights = {name: rng.uniform(0.5, 2, len(x)) for name in y}
    weights["size_0"] = weights["size_0"][:, None]
    return {"sample_weight": weights}


def gather_class_weights(x, y):
    weights = {"kind_2": {0: 2.0, 2: 0.5}, "yes_1": {1: 3.0}}
    return {"class_weight": weights, **weights_of_samples(x, y)}


@pytest.mark.slow
@pytest.mark.parametrize(
    "fit",
    [
        pytest.param(weights_of_samples, marks=pytest.mark.slow),
        gather_class_weights,
    ],
)
def test_weights_of_samples_and_classes_count_the_same(fit, assert_same):
    assert_same(fit=fit)


@pytest.mark.slow
def test_targets_of_several_forms_stay_in_their_group(monkeypatch):
    """One-hot for one task, unsigned for another, no labels for a third."""
    found = {}
    for together in (True, False):
        model, rng = build(monkeypatch, together), np.random.default_rng(0)
        x, y = data(model, rng, missing=True)
        y["kind_10"] = np.eye(3, dtype="float32")[rng.integers(3, size=len(x))]
        y["yes_0"] = np.abs(y["yes_0"]).astype("uint8")[:, None]
        y["size_1"] = None
        found[together] = results(model, x, y)
    assert_equal_results(found[True], found[False])


def test_gradients_of_the_heads_are_the_same(monkeypatch):
    steps = {}
    for together in (True, False):
        model = build(monkeypatch, together, FEW, weighting="pcgrad")
        x, y = data(model, np.random.default_rng(0), missing=True)
        batch = (tf.constant(x), y)
        found = make_train_step(model, batch).compute_update(batch)
        steps[together] = (model, found.update)
    grouped, update = steps[True]
    single, expected = steps[False]
    np.testing.assert_allclose(update.gramian, expected.gramian, rtol=1e-4)
    for group in grouped.compiled_parts.losses.groups:
        layer = grouped.get_layer(f"{group.names[0]}_and_1_more")
        for task, name in enumerate(group.names):
            for own, of_group in zip(
                single.get_layer(name).weights, layer.weights, strict=True
            ):
                gradient = update.gradients[id(of_group)]
                np.testing.assert_allclose(
                    np.take(gradient, task, axis=layer.task_axis),
                    expected.gradients[id(own)],
                    rtol=1e-4,
                    atol=1e-6,
                )


@pytest.mark.slow
@pytest.mark.parametrize("missing", mostly_slow([False, True], [True]))
@pytest.mark.parametrize("steps_per_execution", mostly_slow([1, 2], [1]))
def test_the_first_training_traces_a_step_once(
    monkeypatch, rng, missing, steps_per_execution
):
    """Variables made in the trace of a step would have it traced twice."""
    model = build(
        monkeypatch, True, FEW, steps_per_execution=steps_per_execution
    )
    traced = count_traces(model)
    x, y = data(model, rng, missing, samples=2 * BATCH)
    model.fit(x, y, batch_size=BATCH, verbose=0)
    assert traced == [1]
    assert model.optimizer.iterations == 2


@pytest.mark.slow
def test_loss_weights_change_without_tracing_again(monkeypatch, rng):
    traced = []

    def count(y_true, y_pred):
        traced.append(1)
        return keras.ops.mean(keras.ops.square(y_true - y_pred), axis=-1)

    model = build(monkeypatch, True, loss={"alone": count})
    x, y = data(model, rng, missing=False)
    y["alone"] = np.eye(4, dtype="float32")[y["alone"]]
    model.optimizer.learning_rate = 0.0
    model.fit(x, y, verbose=0)
    before, weight = len(traced), model.loss_weights["kind_10"]
    found = []
    for factor in (1.0, 3.0):
        model.loss_weights["kind_10"] = factor * weight
        found.append(model.fit(x, y, verbose=0).history)
    assert len(traced) == before > 0
    first, second = found
    assert second["loss"][0] - first["loss"][0] == pytest.approx(
        2.0 * weight * first["kind_10_loss"][0], rel=1e-4
    )


@pytest.mark.slow
def test_a_saved_model_goes_on_in_groups(monkeypatch, rng, tmp_path):
    model = build(monkeypatch, True)
    x, y = data(model, rng, missing=True)
    model.fit(x, y, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    found, expected = (
        [
            (group.names, group.metrics)
            for group in each.compiled_parts.losses.groups
        ]
        for each in (again, model)
    )
    assert found == expected
    assert_equal_results(results(again, x, y), results(model, x, y))


@pytest.mark.slow
def test_a_clone_computes_the_same(monkeypatch, rng):
    model = build(monkeypatch, True)
    x, _ = data(model, rng, missing=True)
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    assert_equal_results(
        clone.predict(x, verbose=0), model.predict(x, verbose=0)
    )
    assert clone.get_layer("kind_2_and_1_more") is not (
        model.get_layer("kind_2_and_1_more")
    )


@pytest.mark.slow
def test_an_exported_model_computes_the_same(monkeypatch, rng, tmp_path):
    model = build(monkeypatch, True)
    x, _ = data(model, rng, missing=True)
    model.export(tmp_path / "exported", verbose=False)
    exported = tf.saved_model.load(tmp_path / "exported")
    served = exported.serve(x)
    assert_equal_results(
        {name: value.numpy() for name, value in served.items()},
        model.predict(x, verbose=0),
    )


def test_tasks_with_losses_or_metrics_of_their_own_stand_alone(monkeypatch):
    model = build(
        monkeypatch,
        True,
        tasks=[Regression(f"size_{n}") for n in range(5)]
        + [
            Regression(
                "own", loss=lambda y_true, y_pred: (y_true - y_pred) ** 2
            )
        ],
        loss={"size_0": "mae"},
        metrics={"size_1": ["mae"]},
        weighted_metrics={"size_2": ["mse"]},
    )
    found = [
        (group.names, group.metrics)
        for group in model.compiled_parts.losses.groups
    ]
    # Metrics that were given are measured one by one.
    assert found == [
        (("size_1", "size_2"), ()),
        (("size_3", "size_4"), ("rmse", "mae")),
    ]


def test_steps_of_a_subclass_are_taken(monkeypatch):
    @keras.saving.register_keras_serializable("test_groups")
    class Twice(mtl_keras.MultiTaskModel):
        def compute_loss(self, *args, **kwargs):
            return 2.0 * super().compute_loss(*args, **kwargs)

    monkeypatch.setattr(groups, "MIN_GROUP_SIZE", 2)
    model = mtl_keras.build_mlp((6,), list(TASKS), compile=False)
    outputs = dict(zip(model.output_names, model.outputs, strict=True))
    twice = Twice(model.input, outputs, tasks=TASKS)
    twice.compile("sgd")
    assert not twice.compiled_parts.losses.groups


@pytest.mark.slow
def test_the_loss_of_keras_is_the_sum_of_all(monkeypatch, rng):
    model = build(monkeypatch, True)
    single = build(monkeypatch, False)
    x, y = data(model, rng, missing=False)
    y_pred = model(x)
    assert float(model.compute_loss(x, y, y_pred)) == pytest.approx(
        float(single.compute_loss(x, y, y_pred)), rel=1e-5
    )
