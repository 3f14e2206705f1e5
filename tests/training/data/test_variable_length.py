"""Batches with different lengths, against sums over all elements."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from factory_harness import mostly_slow
from numpy_losses import binary_crossentropy, crossentropy

from mtl_keras import (
    Classification,
    MultiTaskModel,
    Regression,
    Segmentation,
    SequenceTagging,
    build_text_cls_tag,
)

# Two equal lengths first, from which Keras would infer all others.
LENGTHS = (5, 5, 7, 4, 9)


def sequences():
    """Tags of steps and a number of each sequence, on any length."""
    inputs = keras.Input((None, 3))
    tags, size = SequenceTagging("tags", 3), Regression("size")
    pooled = keras.layers.GlobalAveragePooling1D()(inputs)
    model = MultiTaskModel(
        inputs,
        {"tags": tags.head(inputs), "size": size.head(pooled)},
        tasks=[tags, size],
    )
    return compiled(model)


def maps():
    """Returns a mask on images of any size."""
    inputs = keras.Input((None, None, 2))
    task = Segmentation("mask", 1, loss="binary_crossentropy")
    return compiled(
        MultiTaskModel(inputs, {"mask": task.head(inputs)}, tasks=[task])
    )


def compiled(model):
    model.compile(
        keras.optimizers.SGD(0.0),
        metrics={task.name: [] for task in model.tasks},
        run_eagerly=True,
    )
    return model


@pytest.fixture(scope="module")
def of_steps():
    return sequences()


@pytest.fixture(scope="module")
def of_maps():
    return maps()


def batches_of_steps(rng, *, missing=False, weights=None):
    """Batches of two sequences, with or without weights."""
    found = []
    for length in LENGTHS:
        x = rng.normal(size=(2, length, 3)).astype("float32")
        tags = rng.integers(3, size=(2, length))
        size = rng.normal(size=2)
        if missing:
            tags[0, 1:] = -1
            size[1] = np.nan
        batch = (x, {"tags": tags, "size": size})
        if weights == "samples":
            batch += ({n: rng.uniform(0.1, 2, 2) for n in ("tags", "size")},)
        elif weights == "elements":
            of_steps = rng.uniform(0.1, 2, (2, length))
            batch += ({"tags": of_steps, "size": rng.uniform(0.1, 2, 2)},)
        elif weights == "one":
            batch += (rng.uniform(0.1, 2, 2),)
        found.append(batch)
    return found


def expected_losses(model, batches):
    """Means over the labels of all batches."""
    sums, counts = dict.fromkeys(("tags", "size"), 0), {"tags": 0, "size": 0}
    for x, y, *weights in batches:
        weights = weights[0] if weights else np.ones(2)
        if not isinstance(weights, dict):
            weights = dict.fromkeys(("tags", "size"), weights)
        p = {name: value.numpy() for name, value in model(x).items()}
        losses = {"tags": crossentropy(y["tags"], p["tags"])}
        losses["size"] = (p["size"][:, 0] - y["size"]) ** 2
        labelled = {"tags": y["tags"] >= 0, "size": ~np.isnan(y["size"])}
        for name, values in losses.items():
            weight = np.asarray(weights[name])
            weight = weight[:, None] if weight.ndim < values.ndim else weight
            values = np.where(labelled[name], values * weight, 0)
            sums[name] += values.sum()
            counts[name] += labelled[name].sum()
    return {f"{name}_loss": sums[name] / counts[name] for name in sums}


def assert_losses(logs, expected):
    found = {name: np.ravel(logs[name])[0] for name in expected}
    assert found == pytest.approx(expected, rel=1e-4)


STEPS = {"steps_per_epoch": len(LENGTHS), "verbose": 0}


@pytest.mark.parametrize("missing", mostly_slow([False, True], [True]))
@pytest.mark.parametrize(
    "weights",
    mostly_slow([None, "samples", "elements", "one"], ["elements"]),
)
def test_a_generator(of_steps, weights, missing, rng):
    batches = batches_of_steps(rng, missing=missing, weights=weights)
    expected = expected_losses(of_steps, batches)
    stream = (batch for batch in batches)
    assert_losses(of_steps.fit(stream, **STEPS).history, expected)
    stream = (batch for batch in batches)
    logs = of_steps.evaluate(
        stream, steps=len(LENGTHS), return_dict=True, verbose=0
    )
    assert_losses(logs, expected)


def test_no_sample_of_a_generator_is_lost(of_steps, rng):
    """It is read from its first batch on, and so often as there are steps."""
    batches = batches_of_steps(rng)
    taken = []

    def stream():
        while True:
            for index, batch in enumerate(batches):
                taken.append(index)
                yield batch

    history = of_steps.fit(stream(), epochs=2, **STEPS).history
    expected = expected_losses(of_steps, batches)
    for epoch in range(2):
        assert_losses({n: v[epoch] for n, v in history.items()}, expected)
    assert taken[:10] == [0, 1, 2, 3, 4] * 2


@pytest.mark.parametrize("where", mostly_slow([0, 3], [3]))
@pytest.mark.parametrize("first", mostly_slow(["tags", "size"], ["tags"]))
def test_a_generator_with_targets_of_none(of_steps, first, where, rng):
    batches = batches_of_steps(rng, missing=True)
    expected = expected_losses(
        of_steps,
        [
            (
                x,
                {
                    **y,
                    first: np.full(
                        y[first].shape, -1 if first == "tags" else np.nan
                    ),
                },
            )
            if i == where
            else (x, y)
            for i, (x, y) in enumerate(batches)
        ],
    )
    given = [
        (x, {**y, first: None} if i == where else y)
        for i, (x, y) in enumerate(batches)
    ]
    history = of_steps.fit((b for b in given), **STEPS).history
    assert_losses(history, expected)


@pytest.mark.parametrize("form", mostly_slow(["dict", "alone"], ["dict"]))
def test_images_of_several_sizes_in_a_generator(of_maps, form, rng):
    batches, sums, count = [], 0.0, 0
    for height, width in ((4, 5), (4, 5), (6, 3), (2, 2)):
        x = rng.normal(size=(2, height, width, 2)).astype("float32")
        y = rng.integers(-1, 2, (2, height, width))
        y[0, 0, 0] = 1
        p = of_maps(x)["mask"].numpy()[..., 0]
        sums += binary_crossentropy(y, p)[y >= 0].sum()
        count += (y >= 0).sum()
        batches.append((x, {"mask": y} if form == "dict" else y))
    history = of_maps.fit(
        (b for b in batches), steps_per_epoch=4, verbose=0
    ).history
    assert history["mask_loss"][0] == pytest.approx(sums / count, rel=1e-4)


class Batches(keras.utils.PyDataset):
    def __init__(self, batches):
        super().__init__()
        self.batches = batches

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, index):
        return self.batches[index]


def test_a_tf_data_set_of_any_length(of_steps, rng):
    batches = batches_of_steps(rng, missing=True)
    signature = (
        tf.TensorSpec((None, None, 3), "float32"),
        {
            "tags": tf.TensorSpec((None, None), "int64"),
            "size": tf.TensorSpec((None,), "float32"),
        },
    )
    stream = tf.data.Dataset.from_generator(
        lambda: iter(batches), output_signature=signature
    )
    stream = stream.apply(tf.data.experimental.assert_cardinality(len(batches)))
    logs = of_steps.evaluate(stream, return_dict=True, verbose=0)
    assert_losses(logs, expected_losses(of_steps, batches))


def test_a_py_dataset_of_several_lengths(of_steps, rng):
    """As in Keras: it says the lengths that vary in its first batches."""
    batches = batches_of_steps(rng, missing=True)[1:]
    logs = of_steps.evaluate(Batches(batches), return_dict=True, verbose=0)
    assert_losses(logs, expected_losses(of_steps, batches))


@pytest.mark.slow
def test_one_trace_serves_batches_of_all_lengths(rng):
    model = sequences()
    model.compile(keras.optimizers.SGD(0.0), metrics={"tags": [], "size": []})
    batches = batches_of_steps(rng, missing=True, weights="elements")
    history = model.fit((b for b in batches), **STEPS).history
    assert_losses(history, expected_losses(model, batches))


# Sentences, whose lengths a model finds out itself.

WORDS = ["flight", "to", "boston"]
COUNTS = (3, 9, 4, 2, 7, 5, 3, 2)


@pytest.fixture(scope="module")
def on_text():
    model = build_text_cls_tag(
        (None,),
        tasks=[Classification("intent", 2), SequenceTagging("slots", 3)],
        vocabulary=WORDS,
        hidden_units=(4,),
        dropout=0.0,
    )
    model.compile(
        keras.optimizers.SGD(0.0),
        metrics={"intent": [], "slots": []},
        run_eagerly=True,
    )
    return model


def sentences(rng, longest=9):
    """Sentences, and tags padded to the longest of all."""
    x = np.array(
        [" ".join(rng.choice(WORDS, size=n)) for n in COUNTS], dtype=object
    )
    slots = np.full((len(x), longest), -1)
    for row, count in enumerate(COUNTS):
        slots[row, :count] = rng.integers(3, size=count)
    slots[1, 3] = -1  # a hole within a sentence
    return x, {"intent": np.arange(len(x)) % 2, "slots": slots}


def loss_of_slots(model, x, slots):
    """Computes the loss of each sentence separately, without padding."""
    losses = []
    for text, count, labels in zip(x, COUNTS, slots, strict=True):
        p = model(np.array([text], dtype=object))["slots"].numpy()[0]
        labels = labels[:count]
        keep = labels >= 0
        losses.append(crossentropy(labels[keep], p[keep]))
    return np.concatenate(losses).mean()


def one_hot(slots, hole):
    rows = np.eye(3, dtype="float32")[np.maximum(slots, 0)]
    rows[slots < 0] = hole
    return rows


FORMS = {
    "ids": lambda slots: slots,
    "int8": lambda slots: slots.astype("int8"),
    "nan": lambda slots: np.where(slots < 0, np.nan, slots).astype("float32"),
    "axis": lambda slots: slots[..., None],
    "one_hot_nan": lambda slots: one_hot(slots, np.nan),
    "one_hot": lambda slots: one_hot(slots, -1),
}


@pytest.mark.parametrize("longest", mostly_slow([9, 14], [14]))
@pytest.mark.parametrize("form", mostly_slow(FORMS, ["one_hot_nan"]))
def test_tags_padded_to_the_longest_sentence_of_all(
    on_text, form, longest, rng
):
    x, y = sentences(rng, longest)
    expected = loss_of_slots(on_text, x, y["slots"])
    given = {**y, "slots": FORMS[form](y["slots"])}
    history = on_text.fit(
        x, given, batch_size=3, shuffle=False, verbose=0
    ).history
    assert history["slots_loss"][0] == pytest.approx(expected, rel=1e-4)
    logs = on_text.evaluate(x, given, batch_size=5, return_dict=True, verbose=0)
    assert logs["slots_loss"] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    "weights",
    [
        "samples",
        "steps",
    ],
)
def test_weights_of_padded_tags(on_text, weights, rng):
    x, y = sentences(rng)
    shape = (len(x),) if weights == "samples" else y["slots"].shape
    weight = rng.uniform(0.2, 2, shape)
    sums, counts = 0.0, 0
    for row, (text, count) in enumerate(zip(x, COUNTS, strict=True)):
        p = on_text(np.array([text], dtype=object))["slots"].numpy()[0]
        labels = y["slots"][row, :count]
        keep = labels >= 0
        of_row = weight[row] if weights == "samples" else weight[row, :count]
        losses = crossentropy(labels, p) * of_row
        sums += losses[keep].sum()
        counts += keep.sum()
    logs = on_text.evaluate(
        x,
        y,
        sample_weight={"slots": weight, "intent": np.ones(len(x))},
        batch_size=3,
        return_dict=True,
        verbose=0,
    )
    assert logs["slots_loss"] == pytest.approx(sums / counts, rel=1e-4)


@pytest.mark.parametrize("container", mostly_slow(["tf_data", "generator"], ()))
def test_padded_tags_in_streams(on_text, container, rng):
    x, y = sentences(rng)
    expected = loss_of_slots(on_text, x, y["slots"])
    if container == "tf_data":
        arguments = {
            "x": tf.data.Dataset.from_tensor_slices((x.astype(str), y)).batch(3)
        }
    else:
        arguments = {
            "x": (
                (
                    tf.constant(x[i : i + 3].astype(str)),
                    {n: v[i : i + 3] for n, v in y.items()},
                )
                for i in (0, 3, 6)
            ),
            "steps": 3,
        }
    logs = on_text.evaluate(**arguments, return_dict=True, verbose=0)
    assert logs["slots_loss"] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("form", mostly_slow(["ids", "one_hot_nan"], ["ids"]))
def test_a_label_behind_the_longest_sentence_is_an_error(on_text, form, rng):
    x, y = sentences(rng, longest=12)
    y["slots"][1, 10] = 2
    y["slots"] = FORMS[form](y["slots"])
    refused = r"'slots'.*9 tokens.*at step 10"
    with pytest.raises(ValueError, match=refused):
        on_text.fit(x, y, verbose=0)
    # The second batch of a stream is met in a step.
    order = [0, 2, 3, 4, 5, 6, 7, 1]
    y = {name: values[order] for name, values in y.items()}
    stream = tf.data.Dataset.from_tensor_slices((x[order].astype(str), y))
    with pytest.raises(tf.errors.InvalidArgumentError, match="'slots'") as e:
        on_text.evaluate(stream.batch(4), verbose=0)
    assert "after the last timestep" in str(e.value)


def test_tags_that_are_too_short_are_an_error(on_text, rng):
    x, y = sentences(rng)
    y["slots"] = y["slots"][:, :6]
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError)) as error:
        on_text.evaluate(x, y, verbose=0)
    assert "'slots'" in str(error.value)
