"""Targets and weights in every allowed form give the same, correct loss."""

import dataclasses

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from factory_harness import mostly_slow
from numpy_losses import (
    binary_crossentropy,
    crossentropy,
    labelled_elements,
    labelled_mean,
    squared_error,
)

from mtl_keras import (
    BinaryClassification,
    Classification,
    DenseRegression,
    MultiLabelClassification,
    MultiTaskModel,
    Regression,
    Segmentation,
    SequenceTagging,
)

COUNT = 6
# Every kind, with a loss that has a value for each element.
KINDS = {
    "kind": (Classification("kind", 3), crossentropy),
    "yes": (BinaryClassification("yes"), binary_crossentropy),
    "labels": (MultiLabelClassification("labels", 3), binary_crossentropy),
    "size": (Regression("size"), squared_error),
    "place": (Regression("place", units=2), squared_error),
    "depth": (DenseRegression("depth", loss="mse"), squared_error),
    "normal": (DenseRegression("normal", units=3, loss="mse"), squared_error),
    "mask": (
        Segmentation("mask", 1, loss="binary_crossentropy"),
        binary_crossentropy,
    ),
    "parts": (
        Segmentation("parts", 3, loss="sparse_categorical_crossentropy"),
        crossentropy,
    ),
    "tags": (SequenceTagging("tags", 3), crossentropy),
}
TASKS = [task for task, _ in KINDS.values()]
ONE_CHANNEL = ("yes", "size", "depth", "mask")
IDS = ("kind", "parts", "tags")


def build(tasks=TASKS, cls=MultiTaskModel, **options):
    """Returns a head of each kind on inputs that fit; metrics are left out."""
    shapes = {2: (4,), 3: (5, 2), 4: (4, 4, 2)}
    inputs = {
        f"rank_{rank}": keras.Input(shapes[rank], name=f"rank_{rank}")
        for rank in sorted({task.feature_rank for task in tasks})
    }
    outputs = {t.name: t.head(inputs[f"rank_{t.feature_rank}"]) for t in tasks}
    model = cls(inputs, outputs, tasks=tasks)
    options.setdefault("metrics", {task.name: [] for task in tasks})
    options.setdefault("run_eagerly", True)
    model.compile(keras.optimizers.SGD(0.1), **options)
    return model


def inputs_of(model, rng, count=COUNT):
    return {
        tensor.name: rng.normal(size=(count, *tensor.shape[1:])).astype("f4")
        for tensor in model.inputs
    }


@pytest.fixture(scope="module")
def model():
    """Returns one model for all forms; tests do not change its weights."""
    return build()


@pytest.fixture(scope="module")
def x(model):
    return inputs_of(model, np.random.default_rng(1))


@pytest.fixture(scope="module")
def outputs(model, x):
    return {name: value.numpy() for name, value in model(x).items()}


def natural(outputs, rng, *, missing):
    """Returns targets without an axis of length 1, as floats, some missing."""
    y = {}
    for name, p in outputs.items():
        shape = p.shape[:-1] if name in (*ONE_CHANNEL, *IDS) else p.shape
        if name in IDS:
            y[name] = rng.integers(3, size=shape).astype(float)
        elif name in ("yes", "labels", "mask"):
            y[name] = rng.integers(2, size=shape).astype(float)
        else:
            y[name] = rng.normal(size=shape)
        if missing:
            hole = rng.uniform(size=shape) < 0.4
            hole.ravel()[:2] = True, False
            y[name][hole] = KINDS[name][0].missing_label
    return y


def plain(y):
    """Class ids as integers, numbers as floats."""
    return {
        name: values.astype(
            "int64" if KINDS[name][0].missing_label == -1 else "float32"
        )
        for name, values in y.items()
    }


def with_axis(y):
    """Returns a last axis of length 1 where a task may have it."""
    return {
        name: values[..., None] if name in (*ONE_CHANNEL, *IDS) else values
        for name, values in plain(y).items()
    }


def one_hot(y, hole):
    """Returns one-hot class targets, missing ones as a row of `hole`."""
    y = plain(y)
    for name in set(IDS) & set(y):
        ids = y[name]
        rows = np.eye(3, dtype="float32")[np.maximum(ids, 0)]
        rows[ids < 0] = hole
        y[name] = rows
    return y


def of_dtype(y, dtype, missing=-1):
    """Class targets of another dtype."""
    return {
        name: np.where(values == -1, missing, values).astype(dtype)
        if KINDS[name][0].missing_label == -1
        else values
        for name, values in y.items()
    }


def with_pandas(y, dtype):
    """Columns and frames of pandas where targets are of rank 1 or 2."""
    found = {}
    for name, values in y.items():
        task = KINDS[name][0]
        of_numbers = task.missing_label != -1
        found[name] = values.astype("float32" if of_numbers else "int64")
        if values.ndim > 2 or name == "tags":
            continue
        wide = pd.DataFrame if values.ndim == 2 else pd.Series
        column = wide(np.where(values == -1, np.nan, values))
        if dtype == "category":
            column = column.astype("category" if of_numbers else "Int64")
            column = column.astype("category")
        elif of_numbers:
            column = column.astype("Float64")
        else:
            binary = name not in IDS
            column = column.astype(
                "boolean" if dtype == "boolean" and binary else "Int64"
            )
        found[name] = column
    return found


FORMS = {
    "plain": plain,
    "with_axis": with_axis,
    "one_hot_nan": lambda y: one_hot(y, np.nan),
    "one_hot_minus_one": lambda y: one_hot(y, -1),
    "int8": lambda y: of_dtype(y, "int8"),
    "int32": lambda y: of_dtype(y, "int32"),
    "float32_nan": lambda y: of_dtype(y, "float32", np.nan),
    "float64_minus_one": lambda y: of_dtype(y, "float64"),
    "pandas": lambda y: with_pandas(y, "Int64"),
    "pandas_boolean": lambda y: with_pandas(y, "boolean"),
    "pandas_category": lambda y: with_pandas(y, "category"),
}
COMPLETE_FORMS = {
    "uint8": lambda y: of_dtype(y, "uint8"),
    "bool": lambda y: {
        name: values.astype(bool)
        if name in ("yes", "labels", "mask")
        else plain(y)[name]
        for name, values in y.items()
    },
}


def weights_for(outputs, form, rng):
    """Returns sample weights of a form, or `None`."""
    if form is None:
        return None
    weights = {}
    for name, p in outputs.items():
        columns = KINDS[name][0].columns
        shape = {
            "samples": p.shape[:1],
            "samples_with_axis": (*p.shape[:1], 1),
            "elements": p.shape if columns else p.shape[:-1],
            "elements_with_axis": (*p.shape[:-1], 1),
        }[form]
        weights[name] = rng.uniform(0.2, 2, shape).astype("float32")
    return weights


def expected_losses(y, outputs, weights=None):
    """Computes the mean losses over labelled elements."""
    losses = {}
    for name, p in outputs.items():
        task, loss = KINDS[name]
        targets = y[name][..., None] if name in ONE_CHANNEL else y[name]
        values = loss(targets, p)
        labelled = labelled_elements(task, targets, p.ndim)
        if name in ONE_CHANNEL and not task.columns:
            values = values[..., 0]
        weight = None if weights is None else weights[name]
        losses[f"{name}_loss"] = labelled_mean(values, labelled, weight)
    return losses


def assert_losses(logs, expected):
    found = {name: float(logs[name]) for name in expected}
    assert found == pytest.approx(expected, rel=1e-4)
    assert float(logs["loss"]) == pytest.approx(
        sum(expected.values()), rel=1e-4
    )


def in_container(container, x, y, weights, size=4, steps="steps"):
    """Arguments of `evaluate` that bring data in a container."""
    if container == "arrays":
        return {"x": x, "y": y, "sample_weight": weights, "batch_size": size}
    data = (x, y) if weights is None else (x, y, weights)
    batches = [
        keras.tree.map_structure(lambda leaf, i=i: leaf[i : i + size], data)
        for i in range(0, COUNT, size)
    ]
    if container == "tf_data":
        return {"x": tf.data.Dataset.from_tensor_slices(data).batch(size)}
    if container == "generator":
        # Keras warns at the end of a stream whose length it does not know.
        return {"x": (batch for batch in batches), steps: len(batches)}
    return {"x": Batches(batches)}


class Batches(keras.utils.PyDataset):
    """Batches of a list."""

    def __init__(self, batches):
        super().__init__()
        self.batches = batches

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, index):
        return self.batches[index]


@pytest.mark.parametrize(
    "form",
    mostly_slow(
        FORMS,
        ["with_axis", "one_hot_minus_one", "int8", "float32_nan", "pandas"],
    ),
)
def test_every_form_of_labels_with_holes(model, x, outputs, form, rng):
    y = natural(outputs, rng, missing=True)
    logs = model.test_on_batch(x, FORMS[form](y), return_dict=True)
    assert_losses(logs, expected_losses(y, outputs))


@pytest.mark.parametrize(
    "form",
    mostly_slow(
        [*FORMS, *COMPLETE_FORMS], ["plain", "pandas", "uint8", "bool"]
    ),
)
def test_every_form_of_complete_labels(model, x, outputs, form, rng):
    y = natural(outputs, rng, missing=False)
    given = (FORMS | COMPLETE_FORMS)[form](y)
    logs = model.test_on_batch(x, given, return_dict=True)
    assert_losses(logs, expected_losses(y, outputs))


WEIGHTS = ("samples", "samples_with_axis", "elements", "elements_with_axis")
CONTAINERS = ("arrays", "tf_data", "generator", "py_dataset")


def cells():
    """Yields each form, container and kind of weights; most are slow."""
    for i, container in enumerate(CONTAINERS):
        for j, weights in enumerate(WEIGHTS):
            for form in ("plain", "with_axis"):
                for missing in (False, True):
                    now = i == j and form == "with_axis" and missing
                    yield pytest.param(
                        form,
                        container,
                        missing,
                        weights,
                        marks=() if now else pytest.mark.slow,
                    )


@pytest.mark.parametrize(
    ("form", "container", "missing", "weights"), list(cells())
)
def test_weights_in_every_container(
    model, x, outputs, form, container, missing, weights, rng
):
    y = natural(outputs, rng, missing=missing)
    weights = weights_for(outputs, weights, rng)
    data = in_container(container, x, FORMS[form](y), weights)
    logs = model.evaluate(**data, return_dict=True, verbose=0)
    assert_losses(logs, expected_losses(y, outputs, weights))


@pytest.mark.parametrize("container", mostly_slow(CONTAINERS, ["generator"]))
@pytest.mark.parametrize(
    "form", mostly_slow(["int8", "one_hot_nan", "float32_nan"], ["int8"])
)
def test_forms_in_every_container(model, x, outputs, form, container, rng):
    y = natural(outputs, rng, missing=True)
    data = in_container(container, x, FORMS[form](y), None)
    logs = model.evaluate(**data, return_dict=True, verbose=0)
    assert_losses(logs, expected_losses(y, outputs))


@pytest.mark.parametrize("container", mostly_slow(CONTAINERS, ["py_dataset"]))
def test_training_logs_the_losses_of_what_it_sees(
    model, x, outputs, container, rng
):
    """At a learning rate of 0, so that all batches meet the same model."""
    y = natural(outputs, rng, missing=True)
    weights = weights_for(outputs, "elements", rng)
    model.optimizer.learning_rate = 0.0
    logs = model.fit(
        **in_container(
            container, x, with_axis(y), weights, steps="steps_per_epoch"
        ),
        shuffle=False,
        verbose=0,
    ).history
    logs = {name: values[0] for name, values in logs.items()}
    assert_losses(logs, expected_losses(y, outputs, weights))


@pytest.mark.parametrize("missing", mostly_slow([False, True], [True]))
@pytest.mark.parametrize("form", ["plain", "with_axis", "one_hot_nan"])
def test_class_weights_of_every_form(model, x, outputs, form, missing, rng):
    y = natural(outputs, rng, missing=missing)
    names = ("kind", "yes", "labels", "mask", "parts", "tags")
    tables = {name: {0: 0.5, 1: 3.0} for name in names}
    model.optimizer.learning_rate = 0.0
    logs = model.train_on_batch(
        x, FORMS[form](y), class_weight=tables, return_dict=True
    )
    weights = {
        name: np.select([y[name] == 0, y[name] == 1], [0.5, 3.0], 1.0)
        if name in names
        else np.ones(COUNT)
        for name in outputs
    }
    assert_losses(logs, expected_losses(y, outputs, weights))


def test_class_weights_multiply_weights_of_elements(model, x, outputs, rng):
    y = natural(outputs, rng, missing=True)
    given = weights_for(outputs, "elements", rng)
    model.optimizer.learning_rate = 0.0
    logs = model.train_on_batch(
        x,
        plain(y),
        sample_weight=given,
        class_weight={name: {1: 5.0} for name in ("kind", "mask", "labels")},
        return_dict=True,
    )
    weights = {
        name: np.where(y[name] == 1, 5.0, 1.0) * given[name]
        if name in ("kind", "mask", "labels")
        else given[name]
        for name in outputs
    }
    assert_losses(logs, expected_losses(y, outputs, weights))


@pytest.mark.parametrize(
    "second",
    mostly_slow(["with_axis", "one_hot_nan", "float32_nan"], ["with_axis"]),
)
def test_one_trace_after_another_form(second, rng):
    """A traced step that saw labels of one form takes those of another."""
    names = ("kind", "yes", "mask")
    model = build([KINDS[n][0] for n in names], run_eagerly=False)
    x = inputs_of(model, rng)
    outputs = {name: value.numpy() for name, value in model(x).items()}
    y = natural(outputs, rng, missing=True)
    expected = expected_losses(y, outputs)
    for form in ("plain", second):
        logs = model.evaluate(x, FORMS[form](y), return_dict=True, verbose=0)
        assert_losses(logs, expected)


def test_weights_move_by_labelled_elements_alone(rng):
    """One step of descent on a mask, against its gradient in numpy."""
    model = build([KINDS["mask"][0]])
    x = inputs_of(model, rng)["rank_4"]
    kernel, bias = model.get_weights()
    y = rng.integers(-1, 2, (COUNT, 4, 4))
    weights = rng.uniform(0.2, 2, (COUNT, 4, 4)).astype("float32")
    p = model({"rank_4": x})["mask"].numpy()[..., 0]
    wrong = np.where(y >= 0, (p - y) * weights, 0) / (y >= 0).sum()
    model.fit(
        {"rank_4": x},
        {"mask": y},
        sample_weight={"mask": weights},
        batch_size=COUNT,
        verbose=0,
    )
    moved = kernel.reshape(2) - 0.1 * np.einsum("nhw,nhwc->c", wrong, x)
    found, found_bias = model.get_weights()
    np.testing.assert_allclose(found.reshape(2), moved, atol=1e-6)
    np.testing.assert_allclose(found_bias, bias - 0.1 * wrong.sum(), atol=1e-6)


def test_soft_labels_of_binary_tasks(model, x, outputs, rng):
    y = natural(outputs, rng, missing=True)
    given = plain(y)
    for name in ("yes", "labels"):
        soft = rng.uniform(size=y[name].shape)
        y[name] = given[name] = np.where(y[name] == -1, np.nan, soft)
    logs = model.test_on_batch(x, given, return_dict=True)
    assert_losses(logs, expected_losses(y, outputs))


def test_soft_labels_count_for_metrics_as_their_nearer_class(rng):
    task = BinaryClassification("yes", metrics=["accuracy", "f1", "auc"])
    model = build([task], metrics=None)
    x = inputs_of(model, rng, count=20)
    p = model(x)["yes"].numpy()[:, 0]
    y = rng.uniform(size=20)
    logs = model.test_on_batch(x, {"yes": y}, return_dict=True)
    of_class, found = y >= 0.5, p > 0.5
    assert logs["yes_accuracy"] == pytest.approx((of_class == found).mean())
    hits = (of_class & found).sum()
    expected = 2 * hits / (of_class.sum() + found.sum())
    assert logs["yes_f1"] == pytest.approx(expected)
    pairs = p[of_class][:, None] > p[~of_class]
    assert logs["yes_auc"] == pytest.approx(pairs.mean(), abs=0.02)


@pytest.mark.parametrize("container", mostly_slow(CONTAINERS, ["arrays"]))
@pytest.mark.parametrize("shape", [(COUNT,), (COUNT, 1)])
def test_one_array_of_weights_for_all_tasks(
    model, x, outputs, container, shape, rng
):
    y = natural(outputs, rng, missing=True)
    weights = rng.uniform(0.2, 2, shape).astype("float32")
    data = in_container(container, x, plain(y), weights)
    logs = model.evaluate(**data, return_dict=True, verbose=0)
    by_task = dict.fromkeys(outputs, weights)
    assert_losses(logs, expected_losses(y, outputs, by_task))


@pytest.mark.parametrize(
    "make", [pd.Series, tf.constant, lambda w: w.astype("float16")]
)
def test_weights_of_other_types(model, x, outputs, make, rng):
    y = natural(outputs, rng, missing=True)
    weights = rng.integers(1, 9, COUNT) / 4
    logs = model.test_on_batch(x, plain(y), make(weights), return_dict=True)
    by_task = dict.fromkeys(outputs, weights)
    assert_losses(logs, expected_losses(y, outputs, by_task))


def test_weights_of_pixels_count_for_all_their_numbers(model, x, outputs, rng):
    y = natural(outputs, rng, missing=True)
    weights = {
        name: rng.uniform(0.2, 2, p.shape[:-1]).astype("float32")
        for name, p in outputs.items()
    }
    logs = model.test_on_batch(x, plain(y), weights, return_dict=True)
    assert_losses(logs, expected_losses(y, outputs, weights))


@pytest.mark.parametrize("form", ["plain", "one_hot_nan"])
def test_tensors(model, x, outputs, form, rng):
    y = natural(outputs, rng, missing=True)
    given = {name: tf.constant(v) for name, v in FORMS[form](y).items()}
    logs = model.evaluate(x, given, return_dict=True, verbose=0)
    assert_losses(logs, expected_losses(y, outputs))


@pytest.mark.slow
@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("form", [*FORMS, *COMPLETE_FORMS])
def test_tasks_that_are_declared_complete(x, container, form, rng):
    if "pandas" in form and container != "arrays":
        pytest.skip("streams hold no columns of pandas")
    tasks = [dataclasses.replace(t, complete_labels=True) for t in TASKS]
    model = build(tasks)
    outputs = {name: value.numpy() for name, value in model(x).items()}
    y = natural(outputs, rng, missing=False)
    data = in_container(container, x, (FORMS | COMPLETE_FORMS)[form](y), None)
    logs = model.evaluate(**data, return_dict=True, verbose=0)
    assert_losses(logs, expected_losses(y, outputs))


def test_a_validation_split_of_pandas(rng):
    model = build([KINDS[name][0] for name in ("kind", "place")])
    x = inputs_of(model, rng)
    outputs = {name: value.numpy() for name, value in model(x).items()}
    y = natural(outputs, rng, missing=False)
    y["kind"][1] = -1
    weights = weights_for(outputs, "samples", rng)
    model.optimizer.learning_rate = 0.0
    history = model.fit(
        {"rank_2": pd.DataFrame(x["rank_2"])},
        with_pandas(y, "Int64"),
        sample_weight={n: pd.Series(w) for n, w in weights.items()},
        validation_split=0.5,
        verbose=0,
    ).history
    for prefix, part in (("", slice(3)), ("val_", slice(3, None))):
        logs = {
            name.removeprefix(prefix): values[0]
            for name, values in history.items()
            if name.startswith("val_") == bool(prefix)
        }
        of_part = [
            {name: values[part] for name, values in given.items()}
            for given in (y, outputs, weights)
        ]
        assert_losses(logs, expected_losses(*of_part))
