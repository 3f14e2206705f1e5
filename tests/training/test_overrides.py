"""Overridden methods are called for all data and count as written."""

import contextlib
import functools
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from factory_harness import mostly_slow

from mtl_keras import (
    BinaryClassification,
    Classification,
    DenseRegression,
    MultiLabelClassification,
    MultiTaskModel,
    Regression,
    Segmentation,
)
from mtl_keras.training import NonFiniteLossError
from mtl_keras.training.overrides import METHODS

COUNT, BATCH = 9, 4


def overriding(method):
    """Returns a class that records the targets that a method receives.

    Args:
        method: Name of the method.
    """

    def noted(self, *args, **kwargs):
        y = args[0][1] if method.endswith("step") else args[1]
        self.seen.append(y)
        return getattr(MultiTaskModel, method)(self, *args, **kwargs)

    # Keras passes `training` only to methods that take it.
    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        return noted(self, x, y, y_pred, sample_weight, training=training)

    body = compute_loss if method == "compute_loss" else noted
    return type("Overriding", (MultiTaskModel,), {method: body})


def two_tasks(complete):
    return [
        Regression("size", metrics=["mae"], complete_labels=complete),
        Classification(
            "kind", 3, metrics=["accuracy"], complete_labels=complete
        ),
    ]


def nine_tasks(complete):
    """Returns equal tasks, which form a group unless overridden."""
    return [
        *two_tasks(complete)[:1],
        *(
            Classification(f"kind{i}", 3, complete_labels=complete)
            for i in range(9)
        ),
    ]


def build(cls=MultiTaskModel, tasks=None, strategy=None, **options):
    """Returns a small network with a penalty, which runs eagerly."""
    keras.utils.set_random_seed(1)
    tasks = two_tasks(complete=False) if tasks is None else tasks
    options.setdefault("run_eagerly", True)
    with contextlib.nullcontext() if strategy is None else strategy.scope():
        inputs = keras.Input((3,))
        hidden = keras.layers.Dense(4, "tanh", kernel_regularizer="l2")(inputs)
        model = cls(
            inputs, {t.name: t.head(hidden) for t in tasks}, tasks=tasks
        )
        model.compile(keras.optimizers.SGD(0.1), **options)
    model.__dict__["seen"] = []
    return model


def data_of(tasks, missing, count=COUNT):
    """Inputs, and targets in a form that is not that of the output."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(count, 3)).astype("float32")
    y = {}
    for index, task in enumerate(tasks):
        hole = np.arange(count) % 3 == index % 3
        if isinstance(task, Regression):
            y[task.name] = np.where(missing & hole, np.nan, x[:, 0] * 2)
        else:
            ids = rng.integers(3, size=count)
            y[task.name] = np.where(missing & hole, -1, ids)[:, None]
    return x, y


def in_container(container, x, y):
    """Arguments of `fit` or `evaluate`, with the data in batches of 4."""
    if container == "arrays":
        return {"x": x, "y": y, "batch_size": BATCH}
    if container == "tf_data":
        return {"x": tf.data.Dataset.from_tensor_slices((x, y)).batch(BATCH)}
    batches = [
        (x[i : i + BATCH], {name: v[i : i + BATCH] for name, v in y.items()})
        for i in range(0, COUNT, BATCH)
    ]
    # Without an end, at which Keras warns.
    stream = (batch for batch in batches * 2)
    return {"x": stream, "steps_per_epoch": len(batches)}


SETTINGS = {
    "plain": {},
    "class_weight": {},
    "uncertainty": {"weighting": "uncertainty"},
    "pcgrad": {"weighting": "pcgrad"},
    "two_replicas": {},
    "nine_tasks": {},
}


def trained(cls, container, missing, setting, strategy):
    """Returns a model after an epoch, and its history."""
    complete = setting == "two_replicas" and not missing
    make = nine_tasks if setting == "nine_tasks" else two_tasks
    tasks = make(complete=complete)
    x, y = data_of(tasks, missing)
    model = build(
        cls,
        tasks,
        strategy if setting == "two_replicas" else None,
        **SETTINGS[setting],
    )
    arguments = in_container(container, x, y)
    if setting == "class_weight":
        arguments["class_weight"] = {"kind": {0: 3.0, 2: 0.5}}
    history = model.fit(
        **arguments,
        validation_data=(x, y),
        validation_batch_size=BATCH,
        shuffle=False,
        verbose=0,
    ).history
    return model, history


@functools.cache
def reference(missing, setting):
    """Returns weights and history without overrides, on one replica."""
    setting = "plain" if setting == "two_replicas" else setting
    model, history = trained(MultiTaskModel, "arrays", missing, setting, None)
    return model.get_weights(), history


def assert_as_reference(model, history, missing, setting):
    weights, expected = reference(missing, setting)
    for ours, theirs in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2e-6)
    found = {name: values[0] for name, values in history.items()}
    wanted = {name: values[0] for name, values in expected.items()}
    assert found == pytest.approx(wanted, rel=1e-4, abs=1e-5)


def assert_seen(model, method, missing):
    """Checks the form and the values of the targets that a method has seen."""
    _, y = data_of(model.tasks, missing)
    of_steps = (1 if method == "train_step" else 0) + (method == "test_step")
    times = 1 if of_steps else 2  # in training and in validation
    for task in model.tasks:
        found = [targets[task.name] for targets in model.seen]
        columns = isinstance(task, Regression)
        for targets in found:
            assert targets.dtype == ("float32" if columns else "int32")
            assert len(targets.shape) == (2 if columns else 1)
        values = np.concatenate([np.ravel(targets) for targets in found])
        expected = np.tile(np.ravel(y[task.name]), times)
        np.testing.assert_allclose(
            np.sort(values), np.sort(expected), rtol=1e-6
        )


def cells():
    """Yields the grid; of each method and container a cell now."""
    containers = ("arrays", "tf_data", "generator")
    now = {
        ("train_step", "plain", "tf_data", True),
        ("train_step", "two_replicas", "tf_data", True),
        ("test_step", "plain", "generator", True),
        ("compute_loss", "plain", "arrays", True),
        ("compute_metrics", "pcgrad", "generator", True),
    }
    for method in METHODS:
        for setting in SETTINGS:
            for container in containers:
                for missing in (False, True):
                    cell = (method, setting, container, missing)
                    yield pytest.param(
                        *cell,
                        id="-".join(
                            [*cell[:3], "missing" if missing else "complete"]
                        ),
                        marks=() if cell in now else pytest.mark.slow,
                    )


@pytest.mark.parametrize(
    ("method", "setting", "container", "missing"), list(cells())
)
def test_an_override_is_called_and_changes_nothing_by_itself(
    method, setting, container, missing, two_replicas
):
    cls = overriding(method)
    if (method, setting, missing) == ("train_step", "two_replicas", True):
        with pytest.raises(ValueError, match="train_step") as error:
            trained(cls, container, missing, setting, two_replicas)
        assert "labels may be missing" in str(error.value)
        assert "complete_labels=True" in str(error.value)
        return
    model, history = trained(cls, container, missing, setting, two_replicas)
    assert_as_reference(model, history, missing, setting)
    assert_seen(model, method, missing)


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"steps_per_execution": 3}])
@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("container", ["arrays", "generator"])
@pytest.mark.parametrize("method", METHODS)
def test_an_override_is_called_in_a_graph(method, container, missing, options):
    tasks = two_tasks(complete=False)
    x, y = data_of(tasks, missing)
    model = build(overriding(method), tasks, run_eagerly=False, **options)
    history = model.fit(
        **in_container(container, x, y),
        validation_data=(x, y),
        validation_batch_size=BATCH,
        shuffle=False,
        verbose=0,
    ).history
    assert model.seen
    assert_as_reference(model, history, missing, "plain")


@pytest.mark.parametrize("method", METHODS)
def test_an_override_is_called_for_single_batches(method):
    model = build(overriding(method))
    x, y = data_of(model.tasks, missing=True)
    plain = build()
    for call in ("train_on_batch", "test_on_batch"):
        logs = getattr(model, call)(x, y, return_dict=True)
        expected = getattr(plain, call)(x, y, return_dict=True)
        assert logs == pytest.approx(expected, rel=1e-5)
    assert len(model.seen) == (1 if method.endswith("step") else 2)


# What it adds.


class Logging(MultiTaskModel):
    """Logs more, by each of the methods that return logs."""

    def train_step(self, data):
        return {**super().train_step(data), "of_training": tf.constant(3.0)}

    def test_step(self, data):
        return {**super().test_step(data), "of_test": tf.constant(4.0)}


class LoggingMetrics(MultiTaskModel):
    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        logs = super().compute_metrics(x, y, y_pred, sample_weight)
        return {**logs, "mean": keras.ops.mean(y_pred["size"])}


LOGGED = {
    Logging: ("of_training", "val_of_test", "of_test"),
    LoggingMetrics: ("mean", "val_mean", "mean"),
}


@pytest.mark.parametrize(
    "options",
    mostly_slow(
        [
            {},
            {"run_eagerly": False},
            {"run_eagerly": False, "steps_per_execution": 3},
            {"weighting": "pcgrad"},
            {"non_finite": "skip"},
        ],
        [{"weighting": "pcgrad"}],
    ),
    ids=lambda options: "-".join(options) or "plain",
)
@pytest.mark.parametrize("missing", mostly_slow([False, True], [True]))
@pytest.mark.parametrize("cls", mostly_slow(LOGGED, [LoggingMetrics]))
def test_further_logs_appear_in_the_history(cls, missing, options):
    model = build(cls, **options)
    x, y = data_of(model.tasks, missing)
    history = model.fit(
        x,
        y,
        batch_size=BATCH,
        validation_data=(x, y),
        validation_batch_size=COUNT,
        verbose=0,
    ).history
    of_training, of_validation, of_test = LOGGED[cls]
    logs = model.evaluate(x, y, verbose=0, return_dict=True)
    if cls is Logging:
        assert history[of_training] == [3.0]
        assert history[of_validation] == [4.0]
        assert logs[of_test] == 4.0
    else:
        expected = np.mean(model(x)["size"])
        assert logs[of_test] == pytest.approx(expected, rel=1e-5)
        assert history[of_validation][0] == pytest.approx(expected, rel=1e-5)
        assert of_training in history
    for name in ("size_loss", "kind_accuracy", "val_loss"):
        assert np.isfinite(history[name][0])


class Added(MultiTaskModel):
    """Adds a term of the outputs to the loss, a mean over the batch."""

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        loss = super().compute_loss(x, y, y_pred, sample_weight, training)
        return loss + term(y_pred)


def term(outputs):
    return 0.7 * keras.ops.mean(keras.ops.square(outputs["size"] - 1.0))


def gradient_of_term(model, x):
    with tf.GradientTape() as tape:
        value = term(model(x, training=True))
    gradients = tape.gradient(
        value, [v.value for v in model.trainable_variables]
    )
    return float(value), [
        np.zeros(v.shape) if gradient is None else gradient.numpy()
        for v, gradient in zip(
            model.trainable_variables, gradients, strict=True
        )
    ]


@pytest.mark.filterwarnings("ignore:The batch size 7 is not a multiple")
@pytest.mark.parametrize("replicas", mostly_slow([1, 2], [1]))
@pytest.mark.parametrize("missing", mostly_slow([False, True], [True]))
@pytest.mark.parametrize(
    "weighting",
    mostly_slow(
        [None, "pcgrad", "uncertainty", "imtl_g", "dwa"], [None, "pcgrad"]
    ),
)
def test_an_added_term_moves_the_weights_by_its_gradient_alone(
    weighting, missing, replicas, two_replicas
):
    """A step is that without the term and, beside it, one of the term."""
    strategy = two_replicas if replicas == 2 else None
    model = build(Added, strategy=strategy, weighting=weighting)
    plain = build(weighting=weighting)
    # So many that the replicas have different shares.
    x, y = data_of(model.tasks, missing, count=7)
    value, gradients = gradient_of_term(plain, x)
    how = {"batch_size": 7, "shuffle": False, "verbose": 0}
    history = model.fit(x, y, **how).history
    without = plain.fit(x, y, **how).history
    for ours, theirs, gradient in zip(
        model.get_weights(), plain.get_weights(), gradients, strict=True
    ):
        np.testing.assert_allclose(ours, theirs - 0.1 * gradient, atol=1e-6)
    assert history["loss"][0] == pytest.approx(
        without["loss"][0] + value, rel=1e-5
    )
    for name in set(without) - {"loss"}:
        assert history[name] == pytest.approx(without[name], rel=1e-4), name
    if weighting is not None:
        for ours, theirs in zip(
            model.weighting.variables, plain.weighting.variables, strict=True
        ):
            np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_an_added_term_counts_in_evaluation():
    model, plain = build(Added), build()
    x, y = data_of(model.tasks, missing=True)
    value, _ = gradient_of_term(plain, x)
    logs, without = (
        m.evaluate(x, y, batch_size=BATCH, return_dict=True, verbose=0)
        for m in (model, plain)
    )
    assert logs["loss"] == pytest.approx(without["loss"] + value, rel=1e-5)


class Scaled(MultiTaskModel):
    def compute_loss(self, *args, **kwargs):
        return 0.5 * super().compute_loss(*args, **kwargs)


def test_a_factor_scales_the_step_and_what_is_logged():
    model, plain = build(Scaled), build()
    plain.optimizer.learning_rate = 0.05
    x, y = data_of(model.tasks, missing=True)
    logs, expected = (
        m.train_on_batch(x, y, return_dict=True) for m in (model, plain)
    )
    assert logs["loss"] == pytest.approx(expected["loss"] / 2, rel=1e-5)
    assert logs["size_loss"] == pytest.approx(expected["size_loss"], rel=1e-5)
    for ours, theirs in zip(
        model.get_weights(), plain.get_weights(), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


# Without super().


def own_loss(y, y_pred):
    errors = keras.ops.square(y["size"] - y_pred["size"])
    hits = keras.ops.one_hot(y["kind"], 3) * keras.ops.log(y_pred["kind"])
    return keras.ops.mean(errors) - keras.ops.mean(hits)


class Own(MultiTaskModel):
    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        return own_loss(y, y_pred)


class OwnInKeras(keras.Model):
    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        return own_loss(y, y_pred)


@pytest.mark.parametrize("run_eagerly", mostly_slow([False, True], [True]))
def test_a_loss_without_super_trains_as_in_plain_keras(run_eagerly):
    """Keras adds penalties in its own `compute_loss`, so here are none."""
    model = build(Own, run_eagerly=run_eagerly)
    twin = build()
    outputs = dict(zip(twin.output_names, twin.outputs, strict=True))
    plain = OwnInKeras(twin.inputs, outputs)
    plain.compile(keras.optimizers.SGD(0.1), run_eagerly=run_eagerly)
    x, y = data_of(model.tasks, missing=False)
    y["size"] = y["size"][:, None].astype("float32")
    how = {"batch_size": BATCH, "shuffle": False, "verbose": 0}
    history = model.fit(x, y, **how).history
    y["kind"] = y["kind"][:, 0]
    expected = plain.fit(x, y, **how).history
    for ours, theirs in zip(
        model.get_weights(), twin.get_weights(), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)
    assert history["loss"] == pytest.approx(expected["loss"], rel=1e-5)
    logs = model.evaluate(x, y, return_dict=True, verbose=0)
    expected = plain.evaluate(x, y, return_dict=True, verbose=0)
    loss = expected["loss"] if isinstance(expected, dict) else expected
    assert logs["loss"] == pytest.approx(loss, rel=1e-5)
    assert logs.get("size_loss") != 0  # it was not computed, so not logged


def test_a_loss_without_super_is_refused_with_a_weighting():
    model = build(Own, weighting="uncertainty")
    x, y = data_of(model.tasks, missing=False)
    with pytest.raises(ValueError, match=r"Own\.compute_loss") as error:
        model.fit(x, y, verbose=0)
    for part in ("super().compute_loss", "Uncertainty", "weighting=None"):
        assert part in str(error.value)


class OfTheGuide(MultiTaskModel):
    """The step of Keras's guide on custom training."""

    def train_step(self, data):
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(x, y, y_pred, sample_weight)
        variables = self.trainable_variables
        gradients = tape.gradient(loss, variables)
        self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss)
        return self.compute_metrics(x, y, y_pred, sample_weight)


@pytest.mark.parametrize("missing", mostly_slow([False, True], [True]))
def test_a_step_of_ones_own_trains_as_ours(missing):
    model = build(OfTheGuide)
    x, y = data_of(model.tasks, missing)
    history = model.fit(
        x, y, batch_size=BATCH, shuffle=False, verbose=0
    ).history
    weights, expected = reference(missing, "plain")
    for ours, theirs in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)
    for name in ("size_mae", "kind_accuracy"):
        assert history[name] == pytest.approx(expected[name], rel=1e-5)


def test_a_step_of_ones_own_logs_no_loss_of_0():
    model = build(OfTheGuide)
    x, y = data_of(model.tasks, missing=False)
    history = model.fit(x, y, batch_size=COUNT, verbose=0).history
    assert history.get("size_loss") != [0.0]


@pytest.mark.slow
def test_a_step_of_ones_own_on_two_replicas_is_right_or_refused(two_replicas):
    model = build(OfTheGuide, two_tasks(complete=True), two_replicas)
    x, y = data_of(model.tasks, missing=False)
    how = {"batch_size": BATCH, "shuffle": False, "verbose": 0}
    try:
        model.fit(x, y, **how)
    except ValueError as error:
        assert "train_step" in str(error)
        return
    weights, _ = reference(False, "plain")
    for ours, theirs in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_a_step_of_ones_own_is_refused_with_a_weighting():
    model = build(OfTheGuide, weighting="uncertainty")
    x, y = data_of(model.tasks, missing=False)
    with pytest.raises(ValueError, match="train_step") as error:
        model.fit(x, y, verbose=0)
    assert "weighting=None" in str(error.value)


# In a custom loop.


@pytest.mark.parametrize("missing", mostly_slow([False, True], [True]))
@pytest.mark.parametrize("weighted", mostly_slow([False, True], [True]))
def test_compute_loss_in_a_loop_equals_evaluate_and_fit(missing, weighted):
    model, other = build(), build()
    x, y = data_of(model.tasks, missing)
    rng = np.random.default_rng(5)
    weights = None
    if weighted:
        weights = {name: rng.uniform(0.2, 2, COUNT) for name in y}
    with tf.GradientTape() as tape:
        loss = model.compute_loss(x, y, model(x, training=True), weights)
    variables = model.trainable_variables
    gradients = tape.gradient(loss, [v.value for v in variables])
    logs = model.evaluate(
        x, y, sample_weight=weights, return_dict=True, verbose=0
    )
    assert float(loss) == pytest.approx(logs["loss"], rel=1e-5)
    other.train_on_batch(x, y, sample_weight=weights)
    for before, gradient, after in zip(
        variables, gradients, other.trainable_variables, strict=True
    ):
        np.testing.assert_allclose(after, before - 0.1 * gradient, atol=1e-6)


def test_compute_metrics_in_a_loop_equals_evaluate():
    model = build()
    x, y = data_of(model.tasks, missing=True)
    expected = model.evaluate(x, y, return_dict=True, verbose=0)
    model.reset_metrics()
    logs = model.compute_metrics(x, y, model(x))
    for name in ("size_mae", "kind_accuracy"):
        assert float(logs[name]) == pytest.approx(expected[name], rel=1e-5)


# What cannot work.


@pytest.mark.parametrize("method", ["train_step", "compute_loss"])
def test_an_override_is_refused_where_losses_are_looked_up_elsewhere(method):
    model = build(overriding(method), weighting="auto_lambda")
    x, y = data_of(model.tasks, missing=False)
    with pytest.raises(ValueError, match=method) as error:
        model.fit(x, y, held_out_data=(x, y), verbose=0)
    assert "held_out_data" in str(error.value)


@pytest.mark.slow
@pytest.mark.parametrize(
    "options", [{"weighting": "uncertainty"}, {"non_finite": "skip"}]
)
def test_train_step_is_refused_on_replicas_that_decide_together(
    options, two_replicas
):
    tasks = two_tasks(complete=True)
    model = build(overriding("train_step"), tasks, two_replicas, **options)
    with pytest.raises(ValueError, match="train_step") as error:
        model.fit(*data_of(tasks, missing=False), verbose=0)
    assert "non_finite='stop'" in str(error.value)


def test_targets_of_none_have_the_shape_of_the_output():
    tasks = [Regression("size"), MultiLabelClassification("labels", 3)]
    model = build(overriding("compute_loss"), tasks)
    x, y = data_of(tasks[:1], missing=False)
    model.train_on_batch(x, {**y, "labels": None})
    assert tuple(model.seen[0]["labels"].shape) == (COUNT, 3)


# The form of what an override sees.

MAPS = [
    Segmentation("parts", 3),
    Segmentation("mask", 1),
    DenseRegression("normal", units=2),
    Regression("size"),
    Classification("kind", 3),
    BinaryClassification("yes"),
    MultiLabelClassification("labels", 3),
]


def of_maps(cls):
    inputs = keras.Input((4, 4, 2))
    pooled = keras.layers.GlobalAveragePooling2D()(inputs)
    outputs = {
        t.name: t.head(inputs if t.feature_rank == 4 else pooled) for t in MAPS
    }
    model = cls(inputs, outputs, tasks=MAPS)
    model.compile(
        keras.optimizers.SGD(0.0),
        metrics={task.name: [] for task in MAPS},
        run_eagerly=True,
    )
    model.__dict__["seen"] = []
    return model


def targets_of_maps(rng, missing):
    """Returns targets of the shape of the output, or of its ids."""
    y = {
        "parts": rng.integers(3, size=(6, 4, 4)),
        "mask": rng.integers(2, size=(6, 4, 4, 1)),
        "normal": rng.normal(size=(6, 4, 4, 2)).astype("float32"),
        "size": rng.normal(size=(6, 1)).astype("float32"),
        "kind": rng.integers(3, size=6),
        "yes": rng.integers(2, size=(6, 1)),
        "labels": rng.integers(2, size=(6, 3)),
    }
    for task in MAPS:
        if missing:
            y[task.name][1] = task.missing_label
    return y


def squeezed(y):
    return {
        name: v[..., 0]
        if name in ("mask", "size", "yes")
        else v[..., None]
        if name in ("parts", "kind")
        else v.astype("float64")
        for name, v in y.items()
    }


@pytest.mark.parametrize(
    "form", [lambda y: y, squeezed], ids=["plain", "squeezed"]
)
@pytest.mark.parametrize("missing", mostly_slow([False, True], [True]))
@pytest.mark.parametrize("method", mostly_slow(METHODS, ["compute_loss"]))
def test_targets_have_the_form_that_is_documented(method, missing, form, rng):
    model = of_maps(overriding(method))
    y = targets_of_maps(rng, missing)
    x = rng.normal(size=(6, 4, 4, 2)).astype("float32")
    if method == "test_step":
        model.test_on_batch(x, form(y))
    else:
        model.train_on_batch(x, form(y))
    (seen,) = model.seen
    for name, expected in y.items():
        found = seen[name]
        is_id = name in ("parts", "kind")
        assert found.dtype == ("int32" if is_id else "float32"), name
        np.testing.assert_allclose(found, expected, rtol=1e-6, err_msg=name)


@pytest.mark.parametrize("missing", mostly_slow([False, True], [True]))
def test_one_hot_targets_stay_one_hot(missing, rng):
    model = of_maps(overriding("compute_loss"))
    y = targets_of_maps(rng, missing)
    rows = {}
    for name in ("parts", "kind"):
        rows[name] = np.eye(3)[np.maximum(y[name], 0)]
        rows[name][y[name] < 0] = np.nan
    model.fit(np.zeros((6, 4, 4, 2)), {**y, **rows}, shuffle=False, verbose=0)
    for name, expected in rows.items():
        found = model.seen[0][name]
        assert found.dtype == "float32"
        np.testing.assert_allclose(found, expected)


class OtherTargets(MultiTaskModel):
    """Trains on other targets than it is given."""

    def compute_loss(self, x, y, y_pred, sample_weight=None):
        y = {**y, "size": 0.5 * y["size"]}
        return super().compute_loss(x, y, y_pred, sample_weight)


def test_super_may_be_given_other_targets_and_no_training_argument():
    model, plain = build(OtherTargets), build()
    x, y = data_of(model.tasks, missing=True)
    logs = model.train_on_batch(x, y, return_dict=True)
    halved = {**y, "size": 0.5 * y["size"]}
    expected = plain.train_on_batch(x, halved, return_dict=True)
    for ours, theirs in zip(
        model.get_weights(), plain.get_weights(), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)
    for name in ("loss", "size_loss", "kind_loss"):
        assert logs[name] == pytest.approx(expected[name], rel=1e-5)


class Mixin:
    def compute_loss(self, *args, **kwargs):
        return super().compute_loss(*args, **kwargs) + 5.0


def test_an_override_of_a_mixin_is_called():
    model, plain = build(type("Mixed", (Mixin, MultiTaskModel), {})), build()
    x, y = data_of(model.tasks, missing=True)
    logs, expected = (
        m.train_on_batch(x, y, return_dict=True) for m in (model, plain)
    )
    assert logs["loss"] == pytest.approx(expected["loss"] + 5.0, rel=1e-5)


@pytest.mark.parametrize("cls", [Added, Logging, LoggingMetrics])
def test_a_batch_without_labels_changes_nothing(cls):
    model = build(cls)
    x, y = data_of(model.tasks, missing=False)
    y = {"size": np.full(COUNT, np.nan), "kind": np.full(COUNT, -1)}
    before = model.get_weights()
    with pytest.warns(UserWarning, match="label"):
        logs = model.train_on_batch(x, y, return_dict=True)
    for ours, theirs in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert model.skipped_batches == 1
    if cls is Logging:
        assert logs["of_training"] == 3.0


class NotFinite(MultiTaskModel):
    def compute_loss(self, *args, **kwargs):
        return super().compute_loss(*args, **kwargs) + self.term

    term = np.nan


@pytest.mark.parametrize("weighting", mostly_slow([None, "pcgrad"], ["pcgrad"]))
def test_a_term_that_is_not_finite_stops_the_run(weighting):
    model = build(NotFinite, weighting=weighting)
    x, y = data_of(model.tasks, missing=False)
    with pytest.raises(NonFiniteLossError):
        model.fit(x, y, verbose=0)


@pytest.mark.parametrize("weighting", mostly_slow([None, "pcgrad"], ["pcgrad"]))
def test_a_term_that_is_not_finite_is_skipped(weighting):
    model = build(NotFinite, weighting=weighting, non_finite="skip")
    x, y = data_of(model.tasks, missing=False)
    before = model.get_weights()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a step was skipped
        model.train_on_batch(x, y)
    for ours, theirs in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)


# On several replicas.


@pytest.mark.slow
@pytest.mark.parametrize("call", ["fit", "evaluate"])
def test_a_term_of_a_batch_that_is_smaller_than_the_replicas(
    call, two_replicas
):
    plain, model = build(Added), build(Added, strategy=two_replicas)
    # The last of its batches has one sample.
    x, y = data_of(model.tasks, missing=True)
    how = {"batch_size": BATCH, "verbose": 0}
    if call == "fit":
        logs, expected = (
            m.fit(x, y, shuffle=False, **how).history["loss"][0]
            for m in (model, plain)
        )
    else:
        logs, expected = (
            m.evaluate(x, y, return_dict=True, **how)["loss"]
            for m in (model, plain)
        )
    assert logs == pytest.approx(expected, rel=1e-4)
    for ours, theirs in zip(
        model.get_weights(), plain.get_weights(), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, atol=2e-6)


@pytest.mark.slow
@pytest.mark.parametrize("cls", [Logging, LoggingMetrics])
def test_further_logs_leave_those_of_replicas_right(cls, two_replicas):
    model = build(cls, two_tasks(complete=True), two_replicas)
    plain = build()
    x, y = data_of(model.tasks, missing=False, count=8)
    how = {"batch_size": BATCH, "shuffle": False, "verbose": 0}
    logs, expected = (
        m.fit(x, y, validation_data=(x, y), **how).history
        for m in (model, plain)
    )
    for name, values in expected.items():
        assert logs[name] == pytest.approx(values, rel=1e-4), name


def test_a_batch_without_labels_leaves_an_optimizer_that_scales_alone():
    """Logs of `compute_metrics` need its forward pass, and nothing else."""
    tasks = [Regression("size"), Regression("weight")]
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = build(LoggingMetrics, tasks)
    finally:
        keras.config.set_dtype_policy("float32")
    x = np.ones((4, 3), "float32")
    y = {t.name: np.array([1.0, 1.0, np.nan, np.nan]) for t in tasks}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the batch without labels
        model.fit(x, y, batch_size=2, shuffle=False, verbose=0)
    assert model.skipped_batches == 1
    assert int(model.optimizer.inner_optimizer.iterations) == 1
    assert int(model.optimizer.step_counter) == 1
