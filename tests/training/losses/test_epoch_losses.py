"""The logs `loss` and `<task>_loss` against plain sums over the labels."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from factory_harness import mostly_slow

from mtl_keras import Classification, MultiTaskModel, Regression

COUNT, BATCH = 11, 4  # the last batch has three samples
WEIGHTS = {"size": 0.5, "kind": 2.0}


class AddedActivity(keras.layers.Layer):
    """Adds a loss of its inputs, as a mean over samples."""

    def call(self, inputs):
        self.add_loss(0.3 * keras.ops.mean(keras.ops.square(inputs)))
        return inputs


def build(cls=MultiTaskModel, *, l2=None, activity=False, **options):
    """Returns a network that a learning rate of 0 keeps as it is."""
    inputs = keras.Input((3,))
    hidden = AddedActivity()(inputs) if activity else inputs
    hidden = keras.layers.Dense(4, "tanh", kernel_regularizer=l2)(hidden)
    tasks = [Regression("size"), Classification("kind", 3)]
    model = cls(inputs, {t.name: t.head(hidden) for t in tasks}, tasks=tasks)
    options.setdefault("loss_weights", WEIGHTS)
    model.compile(
        keras.optimizers.SGD(0.0),
        metrics={"size": [], "kind": []},
        run_eagerly=True,
        **options,
    )
    return model


@pytest.fixture(scope="module")
def plain():
    """Returns one model without added losses, whose weights stay."""
    return build()


def table(rng, holes):
    """Inputs and targets; the regression has holes."""
    x = rng.normal(size=(COUNT, 3)).astype("float32")
    size = rng.normal(size=COUNT).astype("float32") * 3
    size[[i for i in range(COUNT) if HOLES[holes](i)]] = np.nan
    return x, {"size": size, "kind": rng.integers(3, size=COUNT)}


# Which samples have no label of the regression.
HOLES = {
    "complete": lambda i: False,
    "few": lambda i: i in (0, 6),
    "a whole batch": lambda i: i // BATCH == 1,
    "all but one": lambda i: i != 9,
    "all of the last": lambda i: i >= 8,
}


def element_losses(model, x, y, weights=None):
    """Returns weighted losses of the samples; NaN where no label is."""
    p = {name: value.numpy() for name, value in model(x).items()}
    size = (p["size"][:, 0] - y["size"]) ** 2
    kind = -np.log(p["kind"][np.arange(len(x)), np.maximum(y["kind"], 0)])
    found = {"size": size, "kind": np.where(y["kind"] < 0, np.nan, kind)}
    if weights is not None:
        found = {name: found[name] * weights[name] for name in found}
    return found


def means(losses):
    return {f"{name}_loss": np.nanmean(v) for name, v in losses.items()}


def assert_losses(logs, losses, added=0.0, prefix=""):
    expected = means(losses)
    for name, value in expected.items():
        assert logs[prefix + name] == pytest.approx(value, rel=1e-5)
    total = sum(WEIGHTS[name] * expected[f"{name}_loss"] for name in WEIGHTS)
    assert logs[f"{prefix}loss"] == pytest.approx(total + added, rel=1e-5)


def first(history):
    return {name: values[0] for name, values in history.items()}


@pytest.mark.parametrize("weighted", mostly_slow([False, True], [True]))
@pytest.mark.parametrize(
    "holes", mostly_slow(HOLES, ["complete", "all but one"])
)
def test_a_loss_is_the_mean_over_the_labels_of_the_epoch(
    plain, holes, weighted, rng
):
    x, y = table(rng, holes)
    weights = None
    if weighted:
        weights = {name: rng.uniform(0.1, 3, COUNT) for name in y}
    expected = element_losses(plain, x, y, weights)
    validation = (x, y) if weights is None else (x, y, weights)
    logs = plain.fit(
        x,
        y,
        sample_weight=weights,
        batch_size=BATCH,
        validation_data=validation,
        validation_batch_size=5,
        verbose=0,
    ).history
    assert_losses(first(logs), expected)
    assert_losses(first(logs), expected, prefix="val_")
    logs = plain.evaluate(
        x,
        y,
        sample_weight=weights,
        batch_size=BATCH,
        return_dict=True,
        verbose=0,
    )
    assert_losses(logs, expected)


@pytest.mark.parametrize(
    "other", mostly_slow(["complete", "holes", "none"], ["none"])
)
def test_a_loss_does_not_depend_on_what_other_tasks_have(plain, other, rng):
    x, y = table(rng, "few")
    expected = means(element_losses(plain, x, y))["size_loss"]
    kind = {
        "complete": y["kind"],
        "holes": np.where(np.arange(COUNT) < 9, -1, y["kind"]),
        "none": None,
    }[other]
    how = {"batch_size": BATCH, "verbose": 0}
    y = {**y, "kind": kind}
    logs = first(plain.fit(x, y, validation_data=(x, y), **how).history)
    assert logs["size_loss"] == pytest.approx(expected, rel=1e-5)
    assert logs["val_size_loss"] == pytest.approx(expected, rel=1e-5)
    batches = tf.data.Dataset.from_tensor_slices(
        (x, {**y, "kind": np.full(COUNT, -1) if kind is None else kind})
    ).batch(BATCH)
    logs = plain.evaluate(batches, return_dict=True, verbose=0)
    assert logs["size_loss"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("holes", mostly_slow(["complete", "few"], ["few"]))
@pytest.mark.parametrize(
    "options",
    mostly_slow(
        [{"l2": "l2"}, {"activity": True}, {"l2": "l2", "activity": True}],
        [{"l2": "l2", "activity": True}],
    ),
    ids="-".join,
)
def test_added_losses_are_averaged_over_samples(options, holes, rng):
    model = build(**options)
    x, y = table(rng, holes)
    added = 0.0
    if "l2" in options:
        added += 0.01 * np.sum(model.trainable_weights[0].numpy() ** 2)
    if "activity" in options:
        added += 0.3 * np.mean(x.astype("float64") ** 2)
    losses = element_losses(model, x, y)
    how = {"batch_size": BATCH, "verbose": 0}
    logs = first(model.fit(x, y, validation_data=(x, y), **how).history)
    assert_losses(logs, losses, added)
    assert_losses(logs, losses, added, prefix="val_")
    logs = model.evaluate(x, y, return_dict=True, **how)
    assert_losses(logs, losses, added)


class ChangeWeights(keras.callbacks.Callback):
    """Gives each training batch loss weights of its own."""

    def __init__(self, weights):
        super().__init__()
        self.weights = weights

    def on_train_batch_begin(self, batch, logs=None):
        self.model.loss_weights = self.weights[batch]


@pytest.mark.parametrize("steps", mostly_slow([1, 2], [1]))
@pytest.mark.parametrize(
    "holes", mostly_slow(["complete", "few", "a whole batch"], ["few"])
)
def test_each_batch_counts_with_the_weights_that_it_had(holes, steps, rng):
    model = build(steps_per_execution=steps)
    x, y = table(rng, holes)
    weights = [
        {"size": 1.0, "kind": 0.0},
        {"size": 5.0, "kind": 0.5},
        {"size": 0.25, "kind": 4.0},
    ]
    losses = element_losses(model, x, y)
    history = model.fit(
        x,
        y,
        batch_size=BATCH,
        shuffle=False,
        validation_data=(x, y),
        callbacks=[ChangeWeights(weights)],
        verbose=0,
    ).history
    total = 0.0
    for name, values in losses.items():
        labelled = np.isfinite(values).sum()
        for i in range(0, COUNT, BATCH):
            # Keras calls back before each execution.
            batch = i // BATCH // steps * steps
            part = np.nansum(values[i : i + BATCH])
            total += weights[batch][name] * part / labelled
    logs = first(history)
    for name, value in means(losses).items():
        assert logs[name] == pytest.approx(value, rel=1e-5)
    assert logs["loss"] == pytest.approx(total, rel=1e-5)
    last = weights[2]
    of_validation = sum(
        last[name] * np.nanmean(values) for name, values in losses.items()
    )
    assert logs["val_loss"] == pytest.approx(of_validation, rel=1e-5)


@pytest.mark.parametrize("method", ["train_on_batch", "test_on_batch"])
def test_single_batches(plain, method, rng):
    x, y = table(rng, "few")
    plain.reset_metrics()
    logs = getattr(plain, method)(x, y, return_dict=True)
    assert_losses(logs, element_losses(plain, x, y))


@pytest.mark.slow
@pytest.mark.parametrize("weighting", ["uncertainty", "pcgrad", "dwa"])
def test_a_weighting_changes_no_number_of_the_losses(weighting, rng):
    model = build(weighting=weighting)
    x, y = table(rng, "few")
    losses = element_losses(model, x, y)
    logs = first(model.fit(x, y, batch_size=BATCH, verbose=0).history)
    assert_losses(logs, losses)


@pytest.mark.slow
@pytest.mark.parametrize("holes", ["complete", "few"])
def test_two_replicas_log_what_one_does(two_replicas, holes, rng):
    with two_replicas.scope():
        model = build(l2="l2", activity=True)
    x, y = table(rng, holes)
    added = 0.01 * np.sum(model.trainable_weights[0].numpy() ** 2)
    added += 0.3 * np.mean(x.astype("float64") ** 2)
    losses = element_losses(model, x, y)
    logs = first(model.fit(x, y, batch_size=BATCH, verbose=0).history)
    assert_losses(logs, losses, added)
    logs = model.evaluate(x, y, batch_size=BATCH, return_dict=True, verbose=0)
    assert_losses(logs, losses, added)
