"""Training on holes against an explicit loop that drops them, task by task."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from factory_harness import mostly_slow, random_targets
from holes import KINDS, make_holes

import mtl_keras
from mtl_keras.tasks import (
    BinaryClassification,
    Classification,
    DenseRegression,
    MultiLabelClassification,
    Regression,
    Segmentation,
    SequenceTagging,
)

SAMPLES, BATCH = 12, 4


def every_kind():
    """A task of each kind, and the shape that its output will have."""
    return [
        (Classification("kind", 3, metrics=["accuracy", "f1"]), (3,)),
        (Classification("soft", 3), (3,)),
        (BinaryClassification("yes"), (1,)),
        (MultiLabelClassification("labels", 3, loss_weight=0.5), (3,)),
        (Regression("size", metrics=["rmse", "mae", "r2"]), (1,)),
        (Regression("place", units=2, loss=keras.losses.Huber()), (2,)),
        (Regression("angle", units=2, loss="cosine_similarity"), (2,)),
        (DenseRegression("depth", metrics=["rmse", "mae"]), (4, 4, 1)),
        (DenseRegression("normal", units=3, loss="mae"), (4, 4, 3)),
        (Segmentation("mask", 1, metrics=["iou", "dice"]), (4, 4, 1)),
        (Segmentation("parts", 3, loss_weight=2.0), (4, 4, 3)),
        (SequenceTagging("tags", 3), (5, 3)),
    ]


def build(optimizer="sgd", **options):
    """One small network with an output of every kind, without dropout."""
    inputs = keras.Input((8,))
    hidden = keras.layers.Dense(6, "tanh", kernel_regularizer="l2")(inputs)
    outputs = {}
    for task, shape in every_kind():
        x = hidden
        if len(shape) > 1:
            x = keras.layers.Dense(int(np.prod(shape[:-1])) * 2)(x)
            x = keras.layers.Reshape((*shape[:-1], 2))(x)
        outputs[task.name] = task.head(x)
    model = mtl_keras.MultiTaskModel(
        inputs, outputs, tasks=[task for task, _ in every_kind()]
    )
    model.compile(optimizer, **options)
    return model


def table(rng, *, count=SAMPLES):
    """Inputs, and targets of every kind, of which many are missing."""
    x = rng.normal(size=(count, 8)).astype("float32")
    y = {}
    for task, shape in every_kind():
        targets = random_targets(task, shape, count, rng)
        holed = make_holes(task, targets, shape, rng)
        holed[0] = targets[0]  # each task has a label somewhere
        y[task.name] = holed
    # One-hot, with the missing label as NaN.
    one_hot = np.eye(3, dtype="float32")[np.maximum(y["soft"], 0)]
    one_hot[y["soft"] < 0] = np.nan
    y["soft"] = one_hot
    # A batch in which one task has no label, and another one is float.
    y["size"][BATCH : 2 * BATCH] = np.nan
    y["yes"] = np.where(y["yes"] < 0, np.nan, y["yes"]).astype("float32")
    return x, y


# The loop: what is not labelled is dropped, then plain means are taken.


def crossentropy(p, labels):
    """Of each row of probabilities."""
    rows = tf.stack([tf.range(len(labels)), labels], axis=1)
    return -tf.math.log(tf.clip_by_value(tf.gather_nd(p, rows), 1e-7, 1))


def binary_crossentropy(p, labels):
    p = tf.clip_by_value(p, 1e-7, 1 - 1e-7)
    labels = tf.cast(labels, "float32")
    return -labels * tf.math.log(p) - (1 - labels) * tf.math.log(1 - p)


def dice(task, p, labels):
    """Of the labelled pixels of one sample, given as rows."""
    if task.num_classes == 1:
        masks = tf.cast(labels, "float32")[:, None]
    else:
        masks = tf.one_hot(labels, task.num_classes)
    overlap = tf.reduce_sum(masks * p, axis=0)
    size = tf.reduce_sum(masks, axis=0) + tf.reduce_sum(p, axis=0)
    return tf.reduce_mean(1 - (2 * overlap + 1) / (size + 1))


def of_sample(task, y, p):
    """Losses of what is labelled in one sample: a vector for each term."""
    name = task.name
    if name == "soft":
        y = np.asarray(-1 if np.isnan(y).any() else np.argmax(y))
    if name in ("kind", "soft", "tags", "parts", "mask"):
        y, p = y.reshape(-1), tf.reshape(p, (-1, p.shape[-1]))
        keep = y != -1
        y, p = y[keep].astype("int32"), p[keep]
        if name == "mask":
            losses = binary_crossentropy(p[:, 0], y)
        else:
            losses = crossentropy(p, y)
        if not isinstance(task, Segmentation):
            return [losses]
        return [losses, dice(task, p, y)[None] if len(y) else losses[:0]]
    y = np.asarray(y, "float32").reshape(-1)
    keep = ~np.isnan(y) & (y != -1 if name in ("labels", "yes") else True)
    if name == "angle":
        cosine = tf.reduce_sum(y * p) / tf.norm(y) / tf.norm(p)
        return [-cosine[None] if keep.all() else p[:0]]
    y, p = y[keep], tf.reshape(p, [-1])[keep]
    if name in ("yes", "labels"):
        return [binary_crossentropy(p, y)]
    errors = tf.abs(y - p)
    if name in ("size", "depth"):
        return [errors**2]
    if name == "normal":
        return [errors]
    return [tf.where(errors <= 1, errors**2 / 2, errors - 0.5)]


def loop_losses(model, x, y, weights=None):
    """Mean loss of each task over all that is labelled in some samples."""
    outputs = model(x, training=True)
    result = {}
    for task in model.tasks:
        terms = [[], []]
        for index in range(len(x)):
            target, p = y[task.name][index], outputs[task.name][index]
            weight = 1.0 if weights is None else weights[task.name][index]
            losses = of_sample(task, np.asarray(target), p)
            for term, values in zip(terms, losses, strict=False):
                term.append(weight * values)
        means = [tf.concat(term, axis=0) for term in terms if term]
        result[task.name] = sum(
            tf.reduce_mean(mean) for mean in means if len(mean)
        )
    return result


def loop_total(model, x, y, weights=None):
    """What the loop minimizes: the tasks' losses and the regularization."""
    losses = loop_losses(model, x, y, weights)
    own = dict(model.loss_weights)
    return sum(own[k] * v for k, v in losses.items()) + sum(model.losses)


def loop_step(model, x, y, weights=None):
    """One step of gradient descent, at a learning rate of 0.1."""
    for variable, gradient in zip(
        model.trainable_variables,
        loop_gradients(model, x, y, weights),
        strict=True,
    ):
        variable.assign_sub(0.1 * gradient)


def loop_gradients(model, x, y, weights=None):
    """Gradients of the loop; zero for a head without labels."""
    with tf.GradientTape() as tape:
        total = loop_total(model, x, y, weights)
    variables = [variable.value for variable in model.trainable_variables]
    gradients = tape.gradient(total, variables)
    return [
        tf.zeros_like(variable) if gradient is None else gradient
        for variable, gradient in zip(variables, gradients, strict=True)
    ]


def descent(**options):
    """The optimizer of the loop."""
    return keras.optimizers.SGD(0.1, **options)


def batches_of(x, y, weights=None, size=BATCH):
    """Batches in the order of the samples."""
    for start in range(0, len(x), size):
        part = slice(start, start + size)
        yield (
            x[part],
            {k: v[part] for k, v in y.items()},
            weights and {k: v[part] for k, v in weights.items()},
        )


def assert_same_weights(model, other, atol=3e-6):
    """Checks that two models have come to the same weights."""
    for ours, theirs in zip(model.weights, other.weights, strict=True):
        np.testing.assert_allclose(
            ours.numpy(), theirs.numpy(), atol=atol, err_msg=ours.path
        )


@pytest.fixture(scope="module")
def twin():
    """A model for the loop, whose weights each test sets."""
    return build(descent())


def build_with_twin(twin, optimizer, **options):
    """A new model that starts from the same weights as the twin."""
    model = build(optimizer, **options)
    twin.set_weights(model.get_weights())
    return model


def test_losses_and_metrics_equal_the_loop(twin, rng):
    model = build_with_twin(twin, descent())
    x, y = table(rng)
    logs = model.evaluate(x, y, batch_size=5, return_dict=True, verbose=0)
    for task, loss in loop_losses(twin, x, y).items():
        assert logs[f"{task}_loss"] == pytest.approx(float(loss), rel=1e-5)
    total = float(loop_total(twin, x, y))
    assert logs["loss"] == pytest.approx(total, rel=1e-5)
    kept = y["kind"] != -1
    hits = np.argmax(model.predict(x, verbose=0)["kind"], -1) == y["kind"]
    assert logs["kind_accuracy"] == pytest.approx(hits[kept].mean())
    errors = model.predict(x, verbose=0)["size"][:, 0] - y["size"].ravel()
    assert logs["size_mae"] == pytest.approx(np.nanmean(np.abs(errors)), 1e-5)


@pytest.mark.parametrize("weighted", mostly_slow([False, True], [True]))
@pytest.mark.parametrize("steps_per_execution", mostly_slow([1, 2], [1]))
def test_training_equals_the_loop(twin, weighted, steps_per_execution, rng):
    model = build_with_twin(
        twin, descent(), steps_per_execution=steps_per_execution
    )
    x, y = table(rng)
    assert np.isnan(y["size"][BATCH : 2 * BATCH]).all()
    weights = None
    if weighted:
        weights = {
            task.name: rng.uniform(0, 2, SAMPLES).astype("float32")
            for task in model.tasks
        }
    for _ in range(2):
        for batch in batches_of(x, y, weights):
            loop_step(twin, *batch)
    model.fit(
        x,
        y,
        sample_weight=weights,
        batch_size=BATCH,
        epochs=2,
        shuffle=False,
        verbose=0,
    )
    assert model.optimizer.iterations.numpy() == 6
    assert_same_weights(model, twin)


@pytest.mark.slow
def test_two_replicas_equal_the_loop(two_replicas, twin, rng):
    with two_replicas.scope():
        model = build(descent())
    twin.set_weights(model.get_weights())
    x, y = table(rng)
    # One task has all its labels of a batch on one replica.
    y["kind"][2:4] = -1
    for batch in batches_of(x, y):
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


def test_gradient_accumulation_normalizes_each_part_by_itself(twin, rng):
    model = build_with_twin(twin, descent(gradient_accumulation_steps=3))
    x, y = table(rng)
    gradients = [loop_gradients(twin, *part) for part in batches_of(x, y)]
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
    errors = model.predict(x, verbose=0)["b"][[0, 9], 0] - [1.0, 5.0]
    assert history["b_loss"][0] == pytest.approx(np.mean(errors**2), 1e-5)
    assert history["b_mae"][0] == pytest.approx(np.mean(np.abs(errors)), 1e-5)
    assert history["loss"][0] == pytest.approx(
        history["a_loss"][0] + history["b_loss"][0], rel=1e-5
    )


def test_complete_labels_give_kerass_own_numbers(twin, rng):
    """The step of our own, taken because a stream may have holes."""
    x, _ = table(rng)
    y = {
        task.name: random_targets(task, shape, SAMPLES, rng)
        for task, shape in every_kind()
    }
    model = build_with_twin(twin, descent())
    model.fit(x, y, batch_size=BATCH, shuffle=False, verbose=0)
    assert not model.takes_own_step("train")
    streamed = build(descent())
    streamed.set_weights(twin.get_weights())
    batches = tf.data.Dataset.from_tensor_slices((x, y)).batch(BATCH)
    streamed.fit(batches, shuffle=False, verbose=0)
    assert streamed.takes_own_step("train")
    assert_same_weights(model, streamed, atol=1e-6)
    logs, expected = (
        m.evaluate(x, y, batch_size=BATCH, return_dict=True, verbose=0)
        for m in (streamed, model)
    )
    assert logs == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_tasks_declared_complete_take_kerass_step_from_streams(rng):
    task = Classification("a", 3, complete_labels=True)
    model = mtl_keras.build_mlp((3,), [task])
    x = rng.normal(size=(8, 3)).astype("float32")
    batches = tf.data.Dataset.from_tensor_slices(
        (x, {"a": rng.integers(3, size=8)})
    ).batch(4)
    model.fit(batches, shuffle=False, verbose=0)
    assert not model.takes_own_step("train")
    with pytest.raises(ValueError, match="found label -1"):
        model.fit(x, {"a": np.array([0, -1] * 4)}, verbose=0)


@pytest.mark.parametrize(
    "kind", mostly_slow(sorted(KINDS), ["binary", "regression", "segmentation"])
)
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
    assert model.takes_own_step("test")
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
    model.compile("sgd", loss={"mask": keras.losses.Dice()})
    x = rng.normal(size=(6, 8, 8, 1)).astype("float32")
    mask = rng.integers(2, size=(6, 8, 8, 1))
    y = {"kind": rng.integers(3, size=6), "mask": mask.copy()}
    y["mask"][2] = -1
    y["mask"][4, 0, 0] = -1  # a hole that the loss cannot leave out
    logs = model.test_on_batch(x, y, return_dict=True)
    kept = [0, 1, 3, 5]
    expected = keras.losses.Dice()(
        mask[kept].astype("float32"), model.predict(x, verbose=0)["mask"][kept]
    )
    assert logs["mask_loss"] == pytest.approx(float(expected), rel=1e-5)
    model.fit(x, y, batch_size=3, verbose=0)
    assert np.isfinite(model.get_weights()[0]).all()


def test_trainings_switch_between_steps_without_retracing(rng):
    """Each kind of step stays traced, whichever was taken in between."""
    model = mtl_keras.build_mlp((3,), [Regression("a"), Regression("b")])
    traces = []

    def recorded(name):
        step = getattr(model, name)

        def record(*arguments):
            traces.append(name)
            return step(*arguments)

        return record

    for name in ("train_step", "labelled_train_step"):
        setattr(model, name, recorded(name))
    x = rng.normal(size=(8, 3)).astype("float32")
    complete = {"a": x[:, 0], "b": x[:, 1]}
    holed = {**complete, "b": np.where(x[:, 1] > 0, x[:, 1], np.nan)}
    for y in (complete, holed, complete, holed):
        model.fit(x, y, batch_size=4, verbose=0)
    assert len(set(traces)) == 2
    first = len(traces)
    for y in (complete, holed):
        model.fit(x, y, batch_size=4, verbose=0)
    assert len(traces) == first
