"""Network on text: padding, strings, encoders, wrong arguments."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from factory_harness import eager, mostly_slow, predictions

import mtl_keras
from mtl_keras import Classification, Regression, SequenceTagging

WORDS = ["play", "some", "jazz", "now"]
SENTENCES = np.array(["play jazz", "play some very new jazz", "now"], object)
TAGS = np.array([[0, 1, -1, -1, -1], [0, 0, 1, 2, 2], [0, -1, -1, -1, -1]])
ENCODERS = ("conv", "gru", "transformer")


def small(encoder="gru", **arguments):
    defaults = {
        "vocabulary": WORDS,
        "embedding_size": 5,
        "hidden_units": (8,),
        "num_classes": (2, 3),
    }
    return mtl_keras.build_text_cls_tag(
        encoder=encoder, **{**defaults, **arguments}
    )


def padded(rng, rows=6, steps=7):
    """Returns token ids with padding, targets, and the mask of the padding."""
    lengths = rng.integers(1, steps + 1, size=rows)
    lengths[0] = steps
    padding = np.arange(steps) >= lengths[:, None]
    x = np.where(padding, 0, rng.integers(1, 6, size=(rows, steps)))
    y = {
        "intent": rng.integers(2, size=rows),
        "slots": np.where(padding, -1, rng.integers(3, size=(rows, steps))),
    }
    return x, y, padding


@pytest.mark.parametrize("encoder", mostly_slow(ENCODERS, ["conv"]))
@pytest.mark.parametrize("pooling", mostly_slow(["average", "max"], ["max"]))
def test_padding_changes_no_prediction(rng, encoder, pooling):
    model = small(
        encoder,
        vocabulary=6,
        pooling=pooling,
        normalization="batch",
        hidden_units=(8, 8),
    )
    x, _, padding = padded(rng)
    # Statistics that are not 0 and 1.
    model.set_weights(
        [
            w + rng.uniform(0.1, 0.9, w.shape).astype(w.dtype)
            if "float" in str(w.dtype)
            else w
            for w in model.get_weights()
        ]
    )
    longer = np.pad(x, [(0, 0), (0, 5)])
    expected, found = predictions(model, x), predictions(model, longer)
    np.testing.assert_allclose(found["intent"], expected["intent"], atol=1e-5)
    np.testing.assert_allclose(
        found["slots"][:, :7][~padding], expected["slots"][~padding], atol=1e-5
    )
    for row, length in enumerate((~padding).sum(axis=1)):
        single = predictions(model, x[row : row + 1, :length])
        np.testing.assert_allclose(
            single["intent"][0], expected["intent"][row], atol=1e-5
        )


@pytest.mark.parametrize("encoder", mostly_slow(ENCODERS, ["conv"]))
def test_padding_does_not_change_losses_and_metrics(rng, encoder):
    metrics = ["accuracy", "f1", "balanced_accuracy"]
    tasks = [SequenceTagging("slots", 3, metrics=metrics)]
    model = eager(small(encoder, vocabulary=6, num_classes=None, tasks=tasks))
    x, y, padding = padded(rng)
    tags = y["slots"]
    # Targets of -1 mark padding; with targets of 0, only the mask does.
    unmarked = np.where(padding, 0, tags)
    by_label, by_mask = (
        model.evaluate(x, {"slots": y}, verbose=0, return_dict=True)
        for y in (tags, unmarked)
    )
    probabilities = model.predict(x, verbose=0)["slots"]
    of_label = np.take_along_axis(probabilities, unmarked[..., None], -1)
    expected = -np.log(of_label[..., 0])[~padding].mean()
    assert by_label["slots_loss"] == pytest.approx(expected, rel=1e-5)
    assert by_mask == pytest.approx(by_label, rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("gradients", ["parameters", "features"])
def test_labels_and_masks_train_alike_by_task_gradients(gradients, rng):
    x, y, padding = padded(rng, rows=8)
    unmarked = {**y, "slots": np.where(padding, 0, y["slots"])}
    first, second = (small("conv", vocabulary=6) for _ in range(2))
    second.set_weights(first.get_weights())
    for model, targets in ((first, y), (second, unmarked)):
        model.compile("sgd", weighting="pcgrad", gradients=gradients)
        model.fit(x, targets, epochs=3, shuffle=False, verbose=0)
    for mine, theirs in zip(
        first.get_weights(), second.get_weights(), strict=True
    ):
        np.testing.assert_allclose(theirs, mine, atol=1e-5)


@pytest.mark.slow
def test_labels_and_masks_train_alike_on_two_replicas(rng, two_replicas):
    x, y, padding = padded(rng, rows=8)
    unmarked = {**y, "slots": np.where(padding, 0, y["slots"])}
    arguments = {"vocabulary": 6, "optimizer": "sgd"}
    model = small(**arguments)
    by_mask = small(**arguments)
    with two_replicas.scope():
        twin = small(**arguments)
    histories = []
    for copy in (by_mask, twin):
        copy.set_weights(model.get_weights())
    for copy, targets in ((model, y), (by_mask, unmarked), (twin, unmarked)):
        history = copy.fit(
            x, targets, batch_size=8, epochs=3, shuffle=False, verbose=0
        ).history
        histories.append(history)
    for copy, history in ((by_mask, histories[1]), (twin, histories[2])):
        for key, values in histories[0].items():
            np.testing.assert_allclose(history[key], values, rtol=1e-4)
        for mine, theirs in zip(
            model.get_weights(), copy.get_weights(), strict=True
        ):
            np.testing.assert_allclose(theirs, mine, atol=1e-5)


def test_strings_go_in_and_named_outputs_come_out(tmp_path):
    model = small("conv", input_shape=(5,))
    y = {"intent": np.array([0, 1, 0]), "slots": TAGS}
    logs = eager(model).fit(SENTENCES, y, verbose=0).history
    assert {"intent_accuracy", "slots_accuracy"} <= set(logs)
    expected = model.predict(SENTENCES, verbose=0)
    assert expected["slots"].shape == (3, 5, 3)
    model.run_eagerly = False
    model.save(tmp_path / "model.keras")
    loaded = eager(mtl_keras.load_model(tmp_path / "model.keras"))
    model.export(tmp_path / "saved_model", verbose=False)
    serve = tf.saved_model.load(tmp_path / "saved_model").signatures
    served = serve["serving_default"](text=tf.constant(list(SENTENCES)))
    for name, values in expected.items():
        np.testing.assert_allclose(
            loaded.predict(SENTENCES, verbose=0)[name], values, rtol=1e-5
        )
        np.testing.assert_allclose(served[name], values, rtol=1e-5)


def test_every_form_of_strings_reads_alike():
    model = eager(small("conv", input_shape=(5,)))
    y = {"intent": np.array([0, 1, 0]), "slots": TAGS}
    forms = {
        "list": list(SENTENCES),
        "array": np.array(list(SENTENCES)),
        "tensor": tf.constant(list(SENTENCES)),
    }
    logs = model.evaluate(SENTENCES, y, verbose=0, return_dict=True)
    for name, form in forms.items():
        again = model.evaluate(form, y, verbose=0, return_dict=True)
        assert again == pytest.approx(logs), name
    stream = tf.data.Dataset.from_tensor_slices((list(SENTENCES), y)).batch(2)
    again = model.evaluate(stream, verbose=0, return_dict=True)
    assert again == pytest.approx(logs, rel=1e-5)
    expected = predictions(model, tf.constant(list(SENTENCES)))
    found = model.predict(list(SENTENCES), verbose=0)
    np.testing.assert_array_equal(found["slots"], expected["slots"])


def test_no_sentence_is_truncated_and_an_empty_one_is_finite():
    model = eager(small(input_shape=(2,)))
    text = np.array(["play " * 6, ""], object)
    outputs = model.predict(text, verbose=0)
    assert outputs["slots"].shape == (2, 6, 3)
    assert all(np.isfinite(values).all() for values in outputs.values())


@pytest.mark.slow
def test_strings_train_alike_on_two_replicas(two_replicas):
    y = {"intent": np.array([0, 1, 0]), "slots": TAGS}
    model = small(input_shape=(5,), optimizer="sgd")
    with two_replicas.scope():
        twin = small(input_shape=(5,), optimizer="sgd")
    twin.set_weights(model.get_weights())
    for copy in (model, twin):
        copy.fit(SENTENCES, y, epochs=2, shuffle=False, verbose=0)
    for mine, theirs in zip(
        model.get_weights(), twin.get_weights(), strict=True
    ):
        np.testing.assert_allclose(theirs, mine, atol=1e-5)


def test_any_number_of_tasks_of_both_kinds():
    tasks = [
        Classification("intent", 4),
        Regression("politeness"),
        SequenceTagging("slots", 5),
        SequenceTagging("parts_of_speech", 6),
    ]
    model = small(tasks=tasks, num_classes=None)
    assert model.task_output_shapes == {
        "intent": (4,),
        "politeness": (1,),
        "slots": (None, 5),
        "parts_of_speech": (None, 6),
    }


def test_word_dropout_acts_only_in_training():
    model = small("conv", vocabulary=6, word_dropout=0.5)
    x = np.arange(1, 6)[None]
    first, second = (model(x)["intent"] for _ in range(2))
    np.testing.assert_array_equal(first, second)
    drawn = {float(model(x, training=True)["intent"][0, 0]) for _ in range(8)}
    assert len(drawn) > 1


@pytest.mark.slow
def test_it_learns_tags_and_classes(rng):
    x = rng.integers(2, 8, size=(64, 6))
    y = {"intent": (x == 2).any(axis=1).astype(int), "slots": x % 3}
    model = small(
        vocabulary=8, pooling="max", optimizer=keras.optimizers.Adam(0.03)
    )
    logs = model.fit(x, y, epochs=25, verbose=0).history
    assert logs["slots_accuracy"][-1] > 0.95
    assert logs["intent_accuracy"][-1] > 0.9


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"encoder": "lstm"}, "encoder='lstm'; expected one of"),
        ({"normalization": "group"}, "mixes the steps"),
        ({"kernel_size": 4}, "kernel_size=4; expected an odd number"),
        ({"num_heads": 0}, "num_heads: found 0"),
        ({"encoder": "transformer", "num_heads": 3}, "does not divide"),
        ({"pooling": "first"}, "pooling='first'"),
        ({"word_dropout": 1}, "word_dropout=1; expected"),
        ({"word_dropout": "x"}, "word_dropout='x' is not a number"),
        ({"vocabulary": 2}, "vocabulary: found 2, expected 3"),
        ({"vocabulary": ["a", "a"]}, "holds 'a' twice"),
        ({"vocabulary": "words"}, "vocabulary is of type str"),
        ({"embedding_size": 0}, "embedding_size: found 0"),
        ({"hidden_units": ()}, "hidden_units is empty"),
        ({"num_classes": (1, 2, 3)}, "num_classes=.*expected one number, or"),
        (
            {
                "num_classes": None,
                "tasks": [mtl_keras.Segmentation("mask", 2)],
            },
            "'mask'.*features of rank 4",
        ),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        small(**arguments)
