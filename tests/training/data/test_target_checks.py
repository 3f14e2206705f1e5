"""Labels that do not count always raise or warn."""

import contextlib
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from factory_harness import mostly_slow

from mtl_keras import (
    BinaryClassification,
    DenseRegression,
    MultiLabelClassification,
    MultiTaskModel,
    Regression,
    Segmentation,
)

COUNT = 40


def own_mse(y_true, y_pred):
    return keras.ops.mean(keras.ops.square(y_true - y_pred), axis=-1)


class OwnMse(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return own_mse(y_true, y_pred)


def of_samples(y_true, y_pred):
    axes = tuple(range(1, len(y_pred.shape)))
    return keras.ops.mean(keras.ops.square(y_true - y_pred), axis=axes)


def build(task):
    inputs = keras.Input((4,) if task.feature_rank == 2 else (4, 4, 2))
    model = MultiTaskModel(inputs, {"a": task.head(inputs)}, tasks=[task])
    model.compile(
        keras.optimizers.SGD(0.1), metrics={"a": []}, run_eagerly=True
    )
    return model


def holes_in_each_sample(task, model, rng):
    """Inputs, and targets of which each sample lacks some."""
    shape = (COUNT, *model.outputs[0].shape[1:])
    x = rng.normal(size=(COUNT, *model.inputs[0].shape[1:])).astype("float32")
    y = rng.integers(2, size=shape).astype("float32")
    flat = y.reshape(COUNT, -1)
    flat[np.arange(COUNT), np.arange(COUNT) % flat.shape[1]] = (
        task.missing_label
    )
    return x, y


OF_WHOLE_SAMPLES = {
    "function": Regression("a", 3, loss=own_mse),
    "class": Regression("a", 3, loss=OwnMse()),
    "cosine": Regression("a", 3, loss="cosine_similarity"),
    "labels": MultiLabelClassification("a", 3, loss=own_mse),
    "map": DenseRegression("a", loss=of_samples),
    "mask": Segmentation("a", 1, loss=of_samples),
    "dice": Segmentation("a", 1, loss=keras.losses.Dice()),
}


def calls_on(model, x, y):
    """Arrays that are all the data there are."""
    half = COUNT // 2
    complete = (x[:half], {"a": np.nan_to_num(np.abs(y[:half]))})
    how = {"batch_size": half, "verbose": 0}
    return {
        "fit": lambda: model.fit(x, {"a": y}, **how),
        "evaluate": lambda: model.evaluate(x, {"a": y}, **how),
        "validation": lambda: model.fit(
            *complete, validation_data=(x, {"a": y}), **how
        ),
    }


@pytest.mark.parametrize(
    "call", mostly_slow(["fit", "evaluate", "validation"], ["fit"])
)
@pytest.mark.parametrize("kind", OF_WHOLE_SAMPLES)
def test_arrays_without_countable_samples_raise(kind, call, rng):
    task = OF_WHOLE_SAMPLES[kind]
    model = build(task)
    before = model.get_weights()
    x, y = holes_in_each_sample(task, model, rng)
    with pytest.raises(ValueError, match=r"Task 'a'.*none of \d+ samples") as e:
        calls_on(model, x, y)[call]()
    for part in ("'mse'", "'binary_crossentropy'", "fill in the missing"):
        assert part in str(e.value)
    for found, expected in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(found, expected)


def batch_calls(model, x, y):
    """Batches, of which others may have labels."""
    half = COUNT // 2

    def batches():
        for part in (slice(half), slice(half, None)):
            yield x[part], {"a": y[part]}

    return {
        "train_on_batch": lambda: model.train_on_batch(x, {"a": y}),
        "test_on_batch": lambda: model.test_on_batch(x, {"a": y}),
        "tf_data": lambda: model.fit(
            tf.data.Dataset.from_tensor_slices((x, {"a": y})).batch(half),
            verbose=0,
        ),
        "generator": lambda: model.evaluate(batches(), steps=2, verbose=0),
    }


@pytest.mark.parametrize(
    "call",
    mostly_slow(
        ["train_on_batch", "test_on_batch", "tf_data", "generator"],
        ["train_on_batch", "generator"],
    ),
)
@pytest.mark.parametrize("kind", mostly_slow(OF_WHOLE_SAMPLES, ["function"]))
def test_a_batch_without_countable_samples_warns(kind, call, rng):
    task = OF_WHOLE_SAMPLES[kind]
    model = build(task)
    x, y = holes_in_each_sample(task, model, rng)
    with pytest.warns(UserWarning, match=r"Task 'a'.*none of \d+ samples"):
        batch_calls(model, x, y)[call]()


@pytest.mark.parametrize(
    "task",
    [
        Regression("a", 3),
        Regression("a", 3, loss="huber"),
        MultiLabelClassification("a", 3),
        DenseRegression("a"),
        Segmentation("a", 1),
    ],
    ids=lambda task: f"{type(task).__name__}",
)
def test_a_loss_of_elements_takes_such_holes(task, rng):
    model = build(task)
    x, y = holes_in_each_sample(task, model, rng)
    logs = model.evaluate(x, {"a": y}, return_dict=True, verbose=0)
    assert logs["a_loss"] > 0.01


@pytest.mark.parametrize(
    "kind", mostly_slow(["function", "dice", "map"], ["function", "dice"])
)
def test_one_whole_sample_is_enough(kind, rng):
    task = OF_WHOLE_SAMPLES[kind]
    model = build(task)
    x, y = holes_in_each_sample(task, model, rng)
    y[3] = 1.0
    logs = model.evaluate(x, {"a": y}, return_dict=True, verbose=0)
    p = model(x)["a"].numpy()[3]
    if kind == "dice":
        expected = 1 - 2 * p.sum() / (p.size + p.sum())
    else:
        expected = np.mean((p - 1.0) ** 2)
    assert logs["a_loss"] == pytest.approx(expected, rel=1e-4)


# Labels of -1 and 1.

BINARY = {
    "samples": (BinaryClassification("a"), (COUNT,)),
    "axis": (BinaryClassification("a"), (COUNT, 1)),
    "labels": (MultiLabelClassification("a", 3), (COUNT, 3)),
}


def labels(values, shape):
    """Returns labels of these values in turn."""
    return np.resize(np.array(values), shape)


@contextlib.contextmanager
def told():
    """Lists the messages of warnings inside of a block."""
    messages = []
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        yield messages
    messages += [str(each.message) for each in found]


def inputs(rng):
    return rng.normal(size=(COUNT, 4)).astype("float32")


@pytest.mark.parametrize(
    "dtype", mostly_slow(["int8", "int64", "float32"], ["int64"])
)
@pytest.mark.parametrize("form", BINARY)
def test_labels_of_only_minus_one_and_one_warn(form, dtype, rng):
    task, shape = BINARY[form]
    y = labels([-1, 1, 1, -1], shape).astype(dtype)
    with pytest.warns(UserWarning, match=r"Task 'a'.*-1 and 1") as found:
        build(task).evaluate(inputs(rng), {"a": y}, verbose=0)
    assert "(y + 1) / 2" in str(found[0].message)


@pytest.mark.parametrize("call", ["train_on_batch", "tf_data"])
@pytest.mark.parametrize("ones", [15, 30])
def test_a_batch_warns_if_chance_is_unlikely(call, ones, rng):
    model, x = build(BinaryClassification("a")), inputs(rng)
    y = np.where(np.arange(COUNT) < ones, 1, -1)
    stream = tf.data.Dataset.from_tensor_slices((x, {"a": y})).batch(COUNT)
    with told() as messages:
        if call == "tf_data":
            model.evaluate(stream, verbose=0)
        else:
            model.train_on_batch(x, {"a": y})
    found = [m for m in messages if "Task 'a'" in m and "-1 and 1" in m]
    assert len(found) == (ones == 30)


UNSUSPICIOUS = {
    "all_three": [0, 1, -1, 1],
    "zero_and_one": [0, 1],
    "missing_and_zero": [-1, 0],
    "one": [1],
    "nan_and_one": [np.nan, 1.0, 0.0],
    "soft": [0.1, 0.9, -1.0],
}


@pytest.mark.parametrize("values", UNSUSPICIOUS)
@pytest.mark.parametrize("form", mostly_slow(BINARY, ["samples"]))
def test_other_labels_do_not_warn(form, values, rng):
    task, shape = BINARY[form]
    y = labels(UNSUSPICIOUS[values], shape)
    with told() as messages:
        build(task).evaluate(inputs(rng), {"a": y}, verbose=0)
    assert not messages


def test_a_regression_of_minus_one_and_one_is_one(rng):
    y = labels([-1.0, 1.0], (COUNT,))
    model, x = build(Regression("a")), inputs(rng)
    with told() as messages:
        logs = model.evaluate(x, {"a": y}, return_dict=True, verbose=0)
    assert not messages
    expected = np.mean((model(x)["a"].numpy()[:, 0] - y) ** 2)
    assert logs["a_loss"] == pytest.approx(expected, rel=1e-5)
