"""Keras losses and custom losses, on integer and on one-hot targets."""

import keras
import numpy as np
import pytest
from factory_harness import mostly_slow
from numpy_losses import (
    binary_crossentropy,
    class_ids,
    crossentropy,
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


def categorical(function):
    """Returns a reference loss of rows, from integer or one-hot targets."""
    return lambda y, p: function(np.eye(p.shape[-1])[class_ids(y, p)], p)


def focal(y, p):
    p = np.clip(p, 1e-7, 1 - 1e-7)
    return (0.25 * (1 - p) ** 2 * -y * np.log(p)).sum(-1)


def hinge_of_classes(y, p):
    return np.maximum(((1 - y) * p).max(-1) - (y * p).sum(-1) + 1, 0)


def divergence(y, p):
    y, p = np.clip(y, 1e-7, 1), np.clip(p, 1e-7, 1)
    return (y * np.log(y / p)).sum(-1)


class OwnSquares(keras.losses.Loss):
    """A custom loss with a value per element of one-hot rows."""

    def call(self, y_true, y_pred):
        return keras.ops.sum(keras.ops.square(y_true - y_pred), axis=-1)


def custom_squares(y_true, y_pred):
    return keras.ops.sum(keras.ops.square(y_true - y_pred), axis=-1)


def squares(y, p):
    return ((y - p) ** 2).sum(-1)


# Losses of classes: what the task is given, and the values in numpy.
OF_CLASSES = {
    "sparse_name": ("sparse_categorical_crossentropy", crossentropy),
    "sparse_class": (
        keras.losses.SparseCategoricalCrossentropy(),
        crossentropy,
    ),
    "sparse_function": (
        keras.losses.sparse_categorical_crossentropy,
        crossentropy,
    ),
    "categorical_name": ("categorical_crossentropy", crossentropy),
    "categorical_class": (
        keras.losses.CategoricalCrossentropy(),
        crossentropy,
    ),
    "focal": (
        keras.losses.CategoricalFocalCrossentropy(),
        categorical(focal),
    ),
    "hinge": ("categorical_hinge", categorical(hinge_of_classes)),
    "kl": (keras.losses.KLDivergence(), categorical(divergence)),
}
CLASS_KINDS = {
    "kind": (Classification("a", 3), (4,)),
    "parts": (Segmentation("a", 3), (4, 4, 2)),
    "tags": (SequenceTagging("a", 3), (5, 2)),
}


def build(task, shape, loss):
    """Builds a model that is only a head, without metrics."""
    inputs = keras.Input(shape)
    model = MultiTaskModel(inputs, {"a": task.head(inputs)}, tasks=[task])
    model.compile(
        keras.optimizers.SGD(0.1),
        loss={"a": loss},
        metrics={"a": []},
        run_eagerly=True,
    )
    return model


def class_targets(shape, form, rng):
    """Returns class targets with missing labels in a form, and as integers."""
    ids = rng.integers(3, size=shape)
    ids[rng.uniform(size=shape) < 0.3] = -1
    ids.ravel()[:2] = -1, 2
    if form == "ids":
        return ids, ids
    if form == "axis":
        return ids, ids[..., None]
    rows = np.eye(3, dtype="float32")[np.maximum(ids, 0)]
    rows[ids < 0] = np.nan if form == "nan_rows" else -1
    return ids, rows


@pytest.mark.parametrize(
    "form",
    mostly_slow(["ids", "axis", "nan_rows", "minus_rows"], ["ids"]),
)
@pytest.mark.parametrize("kind", mostly_slow(CLASS_KINDS, ["parts"]))
@pytest.mark.parametrize("name", OF_CLASSES)
def test_class_losses_take_integers_and_one_hot(name, kind, form, rng):
    given, loss = OF_CLASSES[name]
    task, shape = CLASS_KINDS[kind]
    model = build(task, shape, given)
    x = rng.normal(size=(COUNT, *shape)).astype("float32")
    p = model(x)["a"].numpy()
    ids, y = class_targets(p.shape[:-1], form, rng)
    weights = rng.uniform(0.2, 2, p.shape[:-1]).astype("float32")
    logs = model.test_on_batch(x, {"a": y}, {"a": weights}, return_dict=True)
    expected = labelled_mean(loss(ids, p), ids >= 0, weights)
    assert logs["a_loss"] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("loss", [custom_squares, OwnSquares()])
@pytest.mark.parametrize(
    "kind",
    [
        "kind",
        "parts",
        "tags",
    ],
)
def test_custom_losses_get_one_hot_targets_unchanged(kind, loss, rng):
    task, shape = CLASS_KINDS[kind]
    model = build(task, shape, loss)
    x = rng.normal(size=(COUNT, *shape)).astype("float32")
    p = model(x)["a"].numpy()
    ids, y = class_targets(p.shape[:-1], "nan_rows", rng)
    logs = model.test_on_batch(x, {"a": y}, return_dict=True)
    expected = labelled_mean(categorical(squares)(ids, p), ids >= 0)
    assert logs["a_loss"] == pytest.approx(expected, rel=1e-4)


def overlap_loss(alpha, beta):
    """Returns the Tversky loss, which is Dice for 0.5 and 0.5."""

    def loss(y, p):
        hits = (y * p).sum()
        # As in Keras, whose alpha is that of what was not found.
        wrong = alpha * (y * (1 - p)).sum() + beta * ((1 - y) * p).sum()
        return 1 - (hits + 1e-7) / (hits + wrong + 1e-7)

    return loss


OVERLAPS = {
    "dice": (keras.losses.Dice(), overlap_loss(0.5, 0.5)),
    "dice_function": (keras.losses.dice, overlap_loss(0.5, 0.5)),
    "dice_name": ("dice", overlap_loss(0.5, 0.5)),
    "tversky": (keras.losses.Tversky(0.3, 0.7), overlap_loss(0.3, 0.7)),
}


@pytest.mark.parametrize(
    "form", mostly_slow(["ids", "axis", "nan_rows"], ["ids"])
)
@pytest.mark.parametrize("classes", [1, 3])
@pytest.mark.parametrize("name", OVERLAPS)
def test_batch_losses_use_labelled_samples_only(name, classes, form, rng):
    given, loss = OVERLAPS[name]
    model = build(Segmentation("a", classes), (4, 4, 2), given)
    x = rng.normal(size=(COUNT, 4, 4, 2)).astype("float32")
    p = model(x)["a"].numpy()
    ids = rng.integers(max(classes, 2), size=(COUNT, 4, 4))
    ids[1], ids[3, 0, 0] = -1, -1
    y = ids
    if form == "axis" or (form == "nan_rows" and classes == 1):
        y = ids[..., None]
    elif form == "nan_rows":
        y = np.eye(3, dtype="float32")[np.maximum(ids, 0)]
        y[ids < 0] = np.nan
    logs = model.test_on_batch(x, {"a": y}, return_dict=True)
    kept = [0, 2, 4, 5]
    rows = ids[..., None] if classes == 1 else np.eye(classes)[ids]
    expected = loss(rows[kept].astype(float), p[kept])
    assert logs["a_loss"] == pytest.approx(expected, rel=1e-4)


def huber(y, p):
    error = np.abs(y - p)
    return np.where(error <= 1, error**2 / 2, error - 0.5)


def signs(function):
    """Returns a Keras loss that converts label 0 to -1."""
    return lambda y, p: function(np.where(y == 0, -1, y), p)


def binary_focal(y, p):
    p = np.clip(p, 1e-7, 1 - 1e-7)
    right = y * p + (1 - y) * (1 - p)
    return (1 - right) ** 2 * binary_crossentropy(y, p)


OF_LABELS = {
    "binary_name": ("binary_crossentropy", binary_crossentropy),
    "binary_class": (keras.losses.BinaryCrossentropy(), binary_crossentropy),
    "binary_function": (
        keras.losses.binary_crossentropy,
        binary_crossentropy,
    ),
    "focal": (keras.losses.BinaryFocalCrossentropy(), binary_focal),
    "hinge": ("hinge", signs(lambda y, p: np.maximum(1 - y * p, 0))),
    "squared_hinge": (
        keras.losses.SquaredHinge(),
        signs(lambda y, p: np.maximum(1 - y * p, 0) ** 2),
    ),
    "mse": ("mse", squared_error),
}
OF_NUMBERS = {
    "mse": ("mse", squared_error),
    "mse_function": (keras.losses.mean_squared_error, squared_error),
    "mae": (keras.losses.MeanAbsoluteError(), lambda y, p: np.abs(y - p)),
    "huber": (keras.losses.Huber(), huber),
    "log_cosh": ("log_cosh", lambda y, p: np.log(np.cosh(y - p))),
}
LABEL_KINDS = {
    "yes": (BinaryClassification("a"), (4,)),
    "labels": (MultiLabelClassification("a", 3), (4,)),
    "mask": (Segmentation("a", 1), (4, 4, 2)),
}
NUMBER_KINDS = {
    "size": (Regression("a"), (4,)),
    "place": (Regression("a", units=2), (4,)),
    "depth": (DenseRegression("a"), (4, 4, 2)),
    "normal": (DenseRegression("a", units=3), (4, 4, 2)),
}


NOW = ("labels", "mask", "place")


def elements():
    """Lists a part of all pairs of a loss and a kind."""
    for losses, kinds in ((OF_LABELS, LABEL_KINDS), (OF_NUMBERS, NUMBER_KINDS)):
        for loss, of_loss in losses.items():
            for kind, of_kind in kinds.items():
                yield pytest.param(
                    *of_loss,
                    *of_kind,
                    id=f"{loss}-{kind}",
                    marks=() if kind in NOW else pytest.mark.slow,
                )


@pytest.mark.parametrize("form", mostly_slow(["natural", "other"], ["other"]))
@pytest.mark.parametrize(("given", "loss", "task", "shape"), list(elements()))
def test_element_losses_count_each_element(given, loss, task, shape, form, rng):
    """Each labelled pixel, column and number counts separately."""
    model = build(task, shape, given)
    x = rng.normal(size=(COUNT, *shape)).astype("float32")
    p = model(x)["a"].numpy()
    if task.missing_label == -1:
        y = rng.integers(2, size=p.shape).astype("float32")
    else:
        y = rng.normal(size=p.shape).astype("float32")
    hole = rng.uniform(size=p.shape) < 0.3
    hole.ravel()[:2] = True, False
    weights = rng.uniform(0.2, 2, p.shape).astype("float32")
    expected = labelled_mean(loss(y, p), ~hole, weights)
    y[hole] = task.missing_label
    if form == "other" and p.shape[-1] == 1:
        y, weights = y[..., 0], weights[..., 0]
    elif form == "other":
        y = y.astype("float64")
    logs = model.test_on_batch(x, {"a": y}, {"a": weights}, return_dict=True)
    assert logs["a_loss"] == pytest.approx(expected, rel=1e-4)


def custom_error(y_true, y_pred):
    """Returns one value per sample or pixel, as Keras losses do."""
    return keras.ops.mean(keras.ops.square(y_true - y_pred), axis=-1)


class OwnError(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return custom_error(y_true, y_pred)


@pytest.mark.parametrize("loss", [custom_error, OwnError()])
@pytest.mark.parametrize(
    "kind",
    mostly_slow(
        ["yes", "labels", "mask", "size", "normal"], ["labels", "mask"]
    ),
)
def test_custom_losses_get_targets_of_the_output_shape(kind, loss, rng):
    """They count where all columns that they use have labels."""
    task, shape = (LABEL_KINDS | NUMBER_KINDS)[kind]
    model = build(task, shape, loss)
    x = rng.normal(size=(COUNT, *shape)).astype("float32")
    p = model(x)["a"].numpy()
    y = rng.integers(2, size=p.shape).astype("float32")
    hole = rng.uniform(size=p.shape) < 0.2
    hole[0], hole[1] = True, False
    weights = rng.uniform(0.2, 2, p.shape[:-1]).astype("float32")
    values, whole = ((y - p) ** 2).mean(-1), ~hole.any(-1)
    expected = labelled_mean(values, whole, weights)
    y[hole] = task.missing_label
    y = y[..., 0] if p.shape[-1] == 1 else y
    logs = model.test_on_batch(x, {"a": y}, {"a": weights}, return_dict=True)
    assert logs["a_loss"] == pytest.approx(expected, rel=1e-4)


def test_the_error_of_a_loss_on_integers_asks_for_one_hot(rng):
    model = build(*CLASS_KINDS["parts"], custom_squares)
    x = rng.normal(size=(COUNT, 4, 4, 2)).astype("float32")
    y = {"a": rng.integers(3, size=(COUNT, 4, 4))}
    with pytest.raises(ValueError, match=r"Task 'a'.*one-hot") as error:
        model.test_on_batch(x, y)
    assert "custom_squares" in str(error.value)
