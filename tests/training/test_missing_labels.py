"""Training with missing labels against an explicit loop that drops them."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from explicit_loop import (
    BATCH,
    SAMPLES,
    assert_same_weights,
    build,
    descent,
    every_kind,
    loop_gradients,
    loop_losses,
    loop_step,
    make_batches,
    table,
    weighted_total,
)
from factory_harness import mostly_slow, random_targets
from holes import KINDS, make_holes
from single_steps import count_traces

import mtl_keras
from mtl_keras.tasks import (
    Classification,
    Regression,
    Segmentation,
    SequenceTagging,
)


@pytest.fixture(scope="module")
def twin():
    """Returns a model for the loop, whose weights each test sets."""
    return build(descent())


def build_with_twin(twin, optimizer, **options):
    """Returns a new model that starts from the same weights as the twin."""
    model = build(optimizer, **options)
    twin.set_weights(model.get_weights())
    return model


def test_losses_and_metrics_equal_the_loop(twin, rng):
    model = build_with_twin(twin, descent(), run_eagerly=True)
    x, y = table(rng, count=8)
    logs = model.evaluate(x, y, batch_size=5, return_dict=True, verbose=0)
    losses = loop_losses(twin, x, y)
    for task, loss in losses.items():
        assert logs[f"{task}_loss"] == pytest.approx(float(loss), rel=1e-5)
    total = float(weighted_total(twin, losses))
    assert logs["loss"] == pytest.approx(total, rel=1e-5)
    kept = y["kind"] != -1
    hits = np.argmax(model(x)["kind"], -1) == y["kind"]
    assert logs["kind_accuracy"] == pytest.approx(hits[kept].mean())
    errors = model(x)["size"].numpy()[:, 0] - y["size"].ravel()
    assert logs["size_mae"] == pytest.approx(np.nanmean(np.abs(errors)), 1e-5)


@pytest.mark.parametrize("weighted", mostly_slow([False, True], [True]))
@pytest.mark.parametrize(
    "options",
    mostly_slow(
        [{}, {"steps_per_execution": 2}, {"run_eagerly": True}],
        [{"run_eagerly": True}],
    ),
    ids=lambda options: "-".join(options) or "traced",
)
def test_training_equals_the_loop(twin, weighted, options, rng):
    model = build_with_twin(
        twin,
        descent(),
        **options,
        # The test above has them.
        metrics={task.name: [] for task, _ in every_kind()},
    )
    x, y = table(rng, count=8)
    assert np.isnan(y["size"][BATCH:]).all()
    weights = None
    if weighted:
        weights = {
            task.name: rng.uniform(0, 2, len(x)).astype("float32")
            for task in model.tasks
        }
    for batch in make_batches(x, y, weights):
        loop_step(twin, *batch)
    model.fit(
        x,
        y,
        sample_weight=weights,
        batch_size=BATCH,
        shuffle=False,
        verbose=0,
    )
    assert model.optimizer.iterations.numpy() == 2
    assert_same_weights(model, twin)


@pytest.mark.slow
def test_two_replicas_equal_the_loop(two_replicas, twin, rng):
    with two_replicas.scope():
        model = build(descent())
    twin.set_weights(model.get_weights())
    x, y = table(rng)
    # One task has all its labels of a batch on one replica.
    y["kind"][2:4] = -1
    for batch in make_batches(x, y):
        loop_step(twin, *batch)
    history = model.fit(
        x, y, batch_size=BATCH, shuffle=False, verbose=0, epochs=1
    ).history
    assert_same_weights(model, twin)
    logs = model.evaluate(x, y, batch_size=BATCH, return_dict=True, verbose=0)
    for task, loss in loop_losses(twin, x, y).items():
        assert logs[f"{task}_loss"] == pytest.approx(float(loss), rel=2e-5)
    alone = build("sgd")
    alone.set_weights(model.get_weights())
    expected = alone.evaluate(x, y, return_dict=True, verbose=0)
    assert logs == pytest.approx(expected, rel=1e-4)
    assert set(history) == set(expected)


@pytest.mark.slow
def test_gradient_accumulation_normalizes_each_part_by_itself(twin, rng):
    model = build_with_twin(twin, descent(gradient_accumulation_steps=3))
    x, y = table(rng)
    gradients = [loop_gradients(twin, *part) for part in make_batches(x, y)]
    for variable, *parts in zip(
        twin.trainable_variables, *gradients, strict=True
    ):
        variable.assign_sub(0.1 * sum(parts) / 3)
    model.fit(x, y, batch_size=BATCH, shuffle=False, verbose=0)
    assert_same_weights(model, twin)


def test_the_loss_of_an_epoch_counts_labels_and_not_batches(rng):
    model = mtl_keras.build_mlp((3,), [Regression("a"), Regression("b")])
    model.compile(keras.optimizers.SGD(0.0))
    x = rng.normal(size=(10, 3)).astype("float32")
    y = {"a": np.arange(10.0), "b": np.full(10, np.nan)}
    y["b"][[0, 9]] = 1.0, 5.0
    history = model.fit(x, y, batch_size=2, shuffle=False, verbose=0).history
    errors = model(x)["b"].numpy()[[0, 9], 0] - [1.0, 5.0]
    assert history["b_loss"][0] == pytest.approx(np.mean(errors**2), 1e-5)
    assert history["b_mae"][0] == pytest.approx(np.mean(np.abs(errors)), 1e-5)
    assert history["loss"][0] == pytest.approx(
        history["a_loss"][0] + history["b_loss"][0], rel=1e-5
    )


@pytest.mark.slow
def test_streams_give_the_numbers_of_arrays(twin, rng):
    """Labels may be missing in a stream, and none is in the array."""
    x, _ = table(rng)
    y = {
        task.name: random_targets(task, shape, SAMPLES, rng)
        for task, shape in every_kind()
    }
    model = build_with_twin(twin, descent())
    model.fit(x, y, batch_size=BATCH, shuffle=False, verbose=0)
    streamed = build(descent())
    streamed.set_weights(twin.get_weights())
    batches = tf.data.Dataset.from_tensor_slices((x, y)).batch(BATCH)
    streamed.fit(batches, shuffle=False, verbose=0)
    assert_same_weights(model, streamed, atol=1e-6)
    logs, expected = (
        m.evaluate(x, y, batch_size=BATCH, return_dict=True, verbose=0)
        for m in (streamed, model)
    )
    assert logs == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_tasks_declared_complete_refuse_missing_labels(rng):
    task = Classification("a", 3, complete_labels=True)
    model = mtl_keras.build_mlp((3,), [task])
    x = rng.normal(size=(8, 3)).astype("float32")
    batches = tf.data.Dataset.from_tensor_slices(
        (x, {"a": rng.integers(3, size=8)})
    ).batch(4)
    model.fit(batches, shuffle=False, verbose=0)
    with pytest.raises(ValueError, match="found label -1"):
        model.fit(x, {"a": np.array([0, -1] * 4)}, verbose=0)


@pytest.mark.parametrize("kind", mostly_slow(sorted(KINDS), ()))
def test_every_kind_fits_with_whole_samples_missing(kind, rng):
    task, shape = KINDS[kind]
    task = dataclasses.replace(task, metrics=task.metric_names())
    inputs = keras.Input((8,))
    x = keras.layers.Dense(int(np.prod(shape[:-1])) * 2)(inputs)
    x = keras.layers.Reshape((*shape[:-1], 2))(x)
    model = mtl_keras.MultiTaskModel(inputs, {"a": task.head(x)}, tasks=[task])
    model.compile("adam")
    y = make_holes(
        task,
        random_targets(task, shape, SAMPLES, rng),
        shape,
        rng,
        whole=True,
    )
    x = rng.normal(size=(SAMPLES, 8)).astype("float32")
    history = model.fit(x, {"a": y}, batch_size=6, epochs=2, verbose=0).history
    assert all(np.isfinite(values).all() for values in history.values())
    kept = task.labelled(y, shape).reshape(SAMPLES, -1).all(axis=1)
    expected, logs = (
        model.evaluate(*data, return_dict=True, verbose=0)
        for data in ((x[kept], {"a": y[kept]}), (x, {"a": y}))
    )
    assert logs == pytest.approx(expected, rel=1e-5, abs=1e-6)


@pytest.mark.slow
def test_steps_that_keras_masks_are_left_out_as_in_keras(rng):
    """Padding, by the mask of an embedding, beside missing labels."""
    inputs = keras.Input((5,), dtype="int32")
    x = keras.layers.Embedding(7, 4, mask_zero=True)(inputs)
    x = keras.layers.LSTM(6, return_sequences=True)(x)
    task = SequenceTagging("tags", 3)
    model = mtl_keras.MultiTaskModel(
        inputs, {"tags": task.head(x)}, tasks=[task]
    )
    model.compile("sgd")
    words = rng.integers(1, 7, size=(8, 5))
    words[:, 3:] *= rng.integers(2, size=(8, 2))
    words[:, 4] *= words[:, 3] > 0
    tags = rng.integers(3, size=(8, 5))
    expected = model.evaluate(
        words, {"tags": tags}, return_dict=True, verbose=0
    )
    # The padding's labels are of no matter, whether missing or not.
    padded = np.where(words > 0, tags, -1)
    logs = model.evaluate(words, {"tags": padded}, return_dict=True, verbose=0)
    assert logs == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("reduction", ["sum", "mean_with_sample_weight"])
def test_other_reductions_are_kept(reduction, rng):
    loss = keras.losses.MeanSquaredError(reduction=reduction)
    model = mtl_keras.build_mlp(
        (3,), [Regression("a", loss=loss)], hidden_units=(), optimizer="sgd"
    )
    x = rng.normal(size=(6, 3)).astype("float32")
    y = rng.normal(size=(6, 1)).astype("float32")
    weights = rng.uniform(0.5, 2, size=6).astype("float32")
    y[[1, 4]] = np.nan
    logs = model.test_on_batch(
        x, {"a": y}, sample_weight={"a": weights}, return_dict=True
    )
    kept = ~np.isnan(y[:, 0])
    errors = (model.predict(x, verbose=0)["a"] - y)[kept, 0] ** 2
    expected = np.sum(weights[kept] * errors)
    if reduction == "mean_with_sample_weight":
        expected /= weights[kept].sum()
    assert logs["a_loss"] == pytest.approx(expected, rel=1e-5)


def test_a_loss_without_reduction_is_refused(rng):
    loss = keras.losses.MeanSquaredError(reduction=None)
    model = mtl_keras.build_mlp((3,), [Regression("a", loss=loss)])
    y = {"a": np.array([0.0, np.nan])}
    with pytest.raises(ValueError, match=r"Task 'a'.*reduction=None"):
        model.train_on_batch(np.ones((2, 3)), y)


def test_a_loss_of_one_number_a_batch_is_that_of_the_labelled_samples(rng):
    model = mtl_keras.build_cnn_cls_seg(
        (8, 8, 1),
        [Classification("kind", 3), Segmentation("mask", 1)],
        filters=(4,),
        normalization=None,
    )
    model.compile("sgd", loss={"mask": keras.losses.Dice()}, run_eagerly=True)
    x = rng.normal(size=(6, 8, 8, 1)).astype("float32")
    mask = rng.integers(2, size=(6, 8, 8, 1))
    y = {"kind": rng.integers(3, size=6), "mask": mask.copy()}
    y["mask"][2] = -1
    y["mask"][4, 0, 0] = -1  # a hole that the loss cannot leave out
    logs = model.test_on_batch(x, y, return_dict=True)
    kept = [0, 1, 3, 5]
    expected = keras.losses.Dice()(
        mask[kept].astype("float32"), model(x)["mask"].numpy()[kept]
    )
    assert logs["mask_loss"] == pytest.approx(float(expected), rel=1e-5)
    model.fit(x, y, batch_size=3, verbose=0)
    assert np.isfinite(model.get_weights()[0]).all()


@pytest.mark.slow
def test_trainings_switch_between_steps_without_retracing(rng):
    """Each kind of step stays traced, whichever was taken in between."""
    model = mtl_keras.build_mlp((3,), [Regression("a"), Regression("b")])
    traces = count_traces(model)
    x = rng.normal(size=(8, 3)).astype("float32")
    complete = {"a": x[:, 0], "b": x[:, 1]}
    holed = {**complete, "b": np.where(x[:, 1] > 0, x[:, 1], np.nan)}
    for y in (complete, holed, complete, holed):
        model.fit(x, y, batch_size=4, verbose=0)
    first = len(traces)
    assert first == 2
    for y in (complete, holed):
        model.fit(x, y, batch_size=4, verbose=0)
    assert len(traces) == first
