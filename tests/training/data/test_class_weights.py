"""Class weights for several tasks, which Keras does not support."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from factory_harness import mostly_slow, random_inputs, random_targets
from holes import KINDS, make_holes

import mtl_keras
from mtl_keras.tasks import Classification, Regression
from mtl_keras.training.data.class_weights import check_class_weights

OPTIONS = {"batch_size": 4, "shuffle": False, "verbose": 0}


def build():
    model = mtl_keras.build_mlp(
        (4,), [Classification("kind", 3), Regression("size")], compile=False
    )
    # A trace takes longer than the few steps.
    model.compile("sgd", run_eagerly=True)
    return model


def data(model, rng, count=12):
    x = random_inputs(model, count, rng)
    y = {
        "kind": rng.integers(3, size=count),
        "size": rng.normal(size=count).astype("float32"),
    }
    return x, y


def assert_same(first, second):
    for one, other in zip(
        first.get_weights(), second.get_weights(), strict=True
    ):
        np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.parametrize(
    "form",
    mostly_slow(["integers", "one_hot", "stream", "holes"], ()),
)
def test_equal_to_sample_weights(form, rng):
    model, twin = build(), build()
    twin.set_weights(model.get_weights())
    x, y = data(model, rng)
    by_class = np.array([1.0, 0.2, 5.0])
    if form == "holes":
        y["kind"][::3] = -1
    weights = {
        "kind": by_class[np.maximum(y["kind"], 0)],
        "size": np.ones(12),
    }
    twin.fit(x, y, sample_weight=weights, **OPTIONS)
    class_weight = {"kind": {1: 0.2, 2: 5.0}}
    if form == "one_hot":
        y = {**y, "kind": np.eye(3)[y["kind"]]}
    if form == "stream":
        batches = tf.data.Dataset.from_tensor_slices((x, y)).batch(4)
        model.fit(batches, class_weight=class_weight, shuffle=False, verbose=0)
    else:
        model.fit(x, y, class_weight=class_weight, **OPTIONS)
    assert_same(model, twin)


def test_they_multiply_sample_weights_and_end_with_the_fit(rng):
    model, twin = build(), build()
    twin.set_weights(model.get_weights())
    x, y = data(model, rng)
    weights = {name: rng.uniform(size=12) for name in y}
    both = {**weights, "kind": weights["kind"] * np.where(y["kind"], 1, 3)}
    for _ in range(2):
        model.fit(
            x,
            y,
            class_weight={"kind": {0: 3.0}},
            sample_weight=weights,
            **OPTIONS,
        )
        twin.fit(x, y, sample_weight=both, **OPTIONS)
        model.fit(x, y, **OPTIONS)
        twin.fit(x, y, **OPTIONS)
    model.train_on_batch(x, y, class_weight={"kind": {0: 3.0}})
    twin.train_on_batch(
        x,
        y,
        sample_weight={
            "kind": np.where(y["kind"], 1.0, 3.0),
            "size": np.ones(12),
        },
    )
    assert_same(model, twin)


@pytest.mark.slow
def test_validation_is_not_weighted(rng):
    model = build()
    x, y = data(model, rng)
    history = model.fit(
        x, y, class_weight={"kind": {0: 9.0}}, validation_data=(x, y), **OPTIONS
    ).history
    expected = model.evaluate(x, y, return_dict=True, verbose=0)
    assert history["val_kind_loss"][0] == pytest.approx(expected["kind_loss"])


@pytest.mark.parametrize("kind", ["mask", "segmentation", "tagging", "binary"])
def test_of_pixels_and_tokens(kind, rng):
    """Weight 0 for a class is the same as taking its labels' loss away."""
    task, shape = KINDS[kind]
    y = make_holes(
        task, random_targets(task, shape, 4, rng), shape, rng, share=0.2
    )
    (table,) = check_class_weights({"a": {1: 0.0}}, [task]).values()
    assert table[1] == 0 and table[0] == 1
    from mtl_keras.training.data.class_weights import gather_class_weights

    y_pred = np.zeros((4, *shape), "float32")
    found = gather_class_weights(table, np.maximum(y, 0), y_pred)
    np.testing.assert_array_equal(found, np.where(y == 1, 0.0, 1.0))


def test_of_one_task_without_its_name(rng):
    task = Classification("kind", 3)
    (table,) = check_class_weights({0: 2.0}, [task]).values()
    np.testing.assert_array_equal(table, [2, 1, 1])


@pytest.mark.parametrize(
    ("weights", "error", "message"),
    [
        ({"knid": {0: 1.0}}, ValueError, "Did you mean 'kind'"),
        ({"size": {0: 1.0}}, ValueError, "'size', a regression"),
        ({"kind": {3: 1.0}}, ValueError, "names class 3; .* from 0 to 2"),
        ({"kind": {0: -1.0}}, ValueError, r"\['kind'\]\[0\] is -1.0"),
        ({"kind": {0: "a"}}, TypeError, "expected a number"),
        ({"kind": [1, 2, 3]}, TypeError, "expected a dict from class"),
        ([1.0, 2.0], TypeError, "class_weight is a list"),
    ],
)
def test_bad_class_weights(weights, error, message, rng):
    model = build()
    x, y = data(model, rng)
    with pytest.raises(error, match=message):
        model.fit(x, y, class_weight=weights, verbose=0)
    assert model.optimizer.iterations.numpy() == 0


@pytest.mark.parametrize("samples", [4, 3])  # as many as rows of a mask, fewer
def test_class_weights_of_pixels_are_sample_weights_of_pixels(samples, rng):
    """With a mask that is missing, by a loss with a value for each sample."""
    model = mtl_keras.build_cnn_cls_seg(
        (4, 4, 1),
        [mtl_keras.Segmentation("mask", 1)],
        filters=(2,),
        optimizer=keras.optimizers.SGD(0.0),
    )
    x = rng.normal(size=(samples, 4, 4, 1)).astype("float32")
    y = {"mask": rng.integers(2, size=(samples, 4, 4)).astype("int32")}
    y["mask"][0] = -1
    weights = np.where(y["mask"] == 1, 50.0, 1.0).astype("float32")
    how = {"batch_size": samples, "verbose": 0}
    by_class = model.fit(x, y, class_weight={"mask": {1: 50.0}}, **how)
    by_pixel = model.fit(x, y, sample_weight={"mask": weights}, **how)
    assert by_class.history["mask_loss"] == pytest.approx(
        by_pixel.history["mask_loss"], rel=1e-6
    )
