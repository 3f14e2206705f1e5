"""Targets of None for tasks without labels."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from factory_harness import mostly_slow, random_data

import mtl_keras
from mtl_keras.tasks import Classification, Regression, Segmentation


def build():
    """Returns a small model with a mask, whose targets are of a higher rank."""
    return mtl_keras.build_cnn_cls_seg(
        (8, 8, 1),
        [
            Classification("kind", 3),
            Regression("place", units=2),
            Segmentation("mask", 1),
        ],
        filters=(4,),
        normalization=None,
        # It has no state, so that a training leaves nothing to the next one.
        optimizer="sgd",
    )


@pytest.fixture
def model():
    """Returns a new model, whose few steps are taken eagerly."""
    model = build()
    model.compile("sgd", run_eagerly=True)
    return model


@pytest.fixture
def data(model, rng):
    """Inputs and complete targets."""
    return random_data(model, 8, rng)


def written_out(y, task):
    """Returns the targets with all labels of a task missing."""
    missing = {"kind": -1, "place": np.nan, "mask": -1}[task]
    return {**y, task: np.full_like(y[task], missing)}


def weights_after(model, fit):
    """Returns the weights that a training ends with, from the same start."""
    start = model.get_weights()
    fit()
    weights = model.get_weights()
    model.set_weights(start)
    return weights


def assert_same(first, second):
    """Checks that two lists of weights are equal."""
    for one, other in zip(first, second, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-7)


OPTIONS = {"batch_size": 4, "shuffle": False, "verbose": 0}
STREAM = {"steps_per_epoch": 2, "shuffle": False, "verbose": 0}


@pytest.mark.slow
@pytest.mark.parametrize(
    "task", mostly_slow(["kind", "place", "mask"], ["mask"])
)
def test_arrays(model, data, task):
    x, y = data
    none = {**y, task: None}
    ways = [
        lambda: model.fit(x, none, **OPTIONS),
        lambda: model.fit(x, none, validation_data=(x, none), **OPTIONS),
        lambda: [
            model.train_on_batch(x[i : i + 4], cut(none, i)) for i in (0, 4)
        ],
    ]
    expected = weights_after(
        model,
        lambda: [
            model.train_on_batch(x[i : i + 4], cut(written_out(y, task), i))
            for i in (0, 4)
        ],
    )
    for way in ways:
        assert_same(weights_after(model, way), expected)
    logs = model.evaluate(x, none, return_dict=True, verbose=0)
    full = model.evaluate(x, y, return_dict=True, verbose=0)
    for name, value in logs.items():
        if name.startswith(task):
            assert value == 0
        elif name != "loss":
            assert value == pytest.approx(full[name], rel=1e-5)
    assert model.test_on_batch(x, none, return_dict=True) == pytest.approx(logs)


def cut(y, start):
    """Returns four samples of targets that may be None."""
    return {k: v if v is None else v[start : start + 4] for k, v in y.items()}


def test_batches_of_a_generator(model, data):
    x, y = data
    expected = weights_after(
        model,
        lambda: [
            model.train_on_batch(x[:4], cut(written_out(y, "mask"), 0)),
            model.train_on_batch(x[4:], cut(written_out(y, "kind"), 4)),
        ],
    )
    # The first batch lacks one task, the second another.
    batches = [
        (x[:4], cut({**y, "mask": None}, 0)),
        (x[4:], cut({**y, "kind": None}, 4)),
    ]

    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return 2

        def __getitem__(self, index):
            return batches[index]

    ways = [
        lambda: model.fit(iter(batches), **STREAM),
        lambda: model.fit(Batches(), shuffle=False, verbose=0),
    ]
    for way in ways:
        assert_same(weights_after(model, way), expected)


@pytest.mark.slow
def test_a_dataset_that_holds_none(data):
    model, (x, y) = build(), data
    dataset = tf.data.Dataset.from_tensor_slices(
        (x, {**y, "mask": None})
    ).batch(4)
    fit = lambda: model.fit(dataset, shuffle=False, verbose=0)  # noqa: E731
    found = weights_after(model, fit)
    model.compile("sgd", run_eagerly=True)
    expected = weights_after(
        model, lambda: model.fit(x, {**y, "mask": None}, **OPTIONS)
    )
    assert_same(found, expected)


@pytest.mark.slow
def test_under_a_strategy(two_replicas, rng):
    with two_replicas.scope():
        model = mtl_keras.build_mlp(
            (3,), [Classification("kind", 2), Regression("place", units=2)]
        )
    x, y = random_data(model, 8, rng)
    model.fit(x, {**y, "place": None}, batch_size=4, verbose=0)
    assert model.optimizer.iterations.numpy() == 2


@pytest.mark.slow
def test_small_integers_that_cannot_hold_a_missing_label(model, data):
    x, y = data
    masks = y["mask"].astype("uint8")
    batches = [
        (x[:4], cut({**y, "mask": masks}, 0)),
        (x[4:], cut({**y, "mask": None}, 4)),
    ]
    model.fit(iter(batches), **STREAM)
    assert model.optimizer.iterations.numpy() == 2


def test_all_none_is_refused(model, data):
    x, y = data
    with pytest.raises(ValueError, match="targets of all tasks are None"):
        model.fit(x, dict.fromkeys(y), verbose=0)


def test_another_form_after_none_is_refused(model, data):
    x, y = data
    one_hot = {**y, "kind": np.eye(3)[y["kind"]]}
    batches = [
        (x[:4], cut({**y, "kind": None}, 0)),
        (x[4:], cut(one_hot, 4)),
    ]
    with pytest.raises(
        ValueError, match=r"Task 'kind'.*the same shape in all batches"
    ):
        model.fit(iter(batches), **STREAM)


@pytest.mark.parametrize(
    ("task", "missing", "message"),
    [
        ("place", np.nan, "Task 'place': none of its 8 .*all are NaN"),
        ("kind", -1, "Task 'kind': none of its 8 .*all are -1 or NaN"),
    ],
)
def test_a_task_without_a_single_label_is_refused(
    model, data, task, missing, message
):
    x, y = data
    none = {**y, task: np.full_like(y[task], missing)}
    for call in (
        lambda: model.fit(x, none, verbose=0),
        lambda: model.evaluate(x, none, verbose=0),
        lambda: model.fit(x, y, validation_data=(x, none), verbose=0),
    ):
        with pytest.raises(ValueError, match=message):
            call()
    half = {**y, task: np.where(np.arange(8) < 4, y[task].T, missing).T}
    with pytest.raises(ValueError, match=r"validation part of validation_sp"):
        model.fit(x, half, validation_split=0.5, verbose=0)
