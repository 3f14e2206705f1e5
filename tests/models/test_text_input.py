"""One network on strings and on token ids."""

import numpy as np
import pytest
import tensorflow as tf
from factory_harness import eager, predictions

import mtl_keras

WORDS = ["play", "some", "jazz"]
SENTENCES = np.array(["play jazz", "jazz some new play"], object)
IDS = np.array([[2, 4, 0, 0], [4, 3, 1, 2]])
Y = {
    "intent": np.array([0, 1]),
    "slots": np.array([[0, 1, -1, -1], [2, 0, 0, 1]]),
}


def on_ids(steps=None, **arguments):
    return mtl_keras.build_text_cls_tag(
        (steps,),
        vocabulary=5,
        encoder="conv",
        hidden_units=(4,),
        num_classes=(2, 3),
        **arguments,
    )


def called(model, x):
    """Predicts from token ids or from an array of strings."""
    if x.dtype == object:
        x = tf.constant(list(x))
    return predictions(model, x)


def assert_equal_outputs(first, second):
    for name, values in first.items():
        np.testing.assert_allclose(second[name], values, rtol=1e-6)


@pytest.mark.parametrize("steps", [None, 4, 6])
def test_strings_are_read_as_their_token_ids(steps):
    model = on_ids(steps, loss_weights={"slots": 0.3})
    text = mtl_keras.with_text_input(model, WORDS)
    assert text.inputs[0].name == "text"
    ids = np.pad(IDS, [(0, 0), (0, (steps or 4) - 4)])
    assert_equal_outputs(called(model, ids), called(text, SENTENCES))
    assert dict(text.loss_weights) == dict(model.loss_weights)
    assert text.tasks == model.tasks


@pytest.mark.slow
def test_training_one_trains_the_other_and_it_can_be_loaded(tmp_path):
    model = eager(on_ids())
    text = mtl_keras.with_text_input(model, WORDS)
    before = called(text, SENTENCES)
    model.fit(IDS, Y, verbose=0)
    after = called(text, SENTENCES)
    assert not np.allclose(before["slots"], after["slots"])
    assert_equal_outputs(called(model, IDS), after)
    back = mtl_keras.without_text_input(text)
    assert_equal_outputs(called(back, IDS), after)
    assert back.inputs[0].dtype in ("int32", "int64")
    eager(back).fit(IDS, Y, verbose=0)
    assert_equal_outputs(called(model, IDS), called(text, SENTENCES))
    text.save(tmp_path / "text.keras")
    loaded = mtl_keras.load_model(tmp_path / "text.keras")
    assert_equal_outputs(
        called(text, SENTENCES),
        called(loaded, SENTENCES),
    )


@pytest.mark.slow
def test_a_model_on_token_ids_compiles_with_xla():
    text = mtl_keras.build_text_cls_tag(
        vocabulary=WORDS, encoder="conv", hidden_units=(4,), num_classes=(2, 3)
    )
    ids = mtl_keras.without_text_input(text)
    ids.compile(optimizer="sgd", jit_compile=True)
    logs = ids.fit(tf.constant(IDS), Y, verbose=0).history
    assert np.isfinite(logs["loss"]).all()


@pytest.mark.slow
def test_a_pipeline_may_look_up_the_words():
    text = mtl_keras.build_text_cls_tag(
        (4,),
        vocabulary=WORDS,
        encoder="conv",
        hidden_units=(4,),
        num_classes=(2, 3),
    )
    ids = mtl_keras.without_text_input(text)
    lookup = text.get_layer("token_ids")
    stream = tf.data.Dataset.from_tensor_slices((list(SENTENCES), Y)).batch(2)
    looked_up = stream.map(lambda x, y: (lookup(x), y))
    expected = eager(text).evaluate(stream, verbose=0, return_dict=True)
    found = eager(ids).evaluate(looked_up, verbose=0, return_dict=True)
    assert found == pytest.approx(expected, rel=1e-5)


def test_affixes_are_kept(tmp_path):
    text = mtl_keras.build_text_cls_tag(
        (4,),
        vocabulary=WORDS,
        affix_length=2,
        encoder="conv",
        hidden_units=(4,),
        num_classes=(2, 3),
    )
    eager(text).fit(SENTENCES, Y, verbose=0)
    ids = mtl_keras.without_text_input(text)
    assert ids.inputs[0].shape == (None, None, 3)
    looked_up = text.get_layer("token_ids")(SENTENCES)
    expected = called(text, SENTENCES)
    assert_equal_outputs(expected, called(ids, looked_up))
    again = mtl_keras.with_text_input(ids, WORDS, affix_length=2)
    assert_equal_outputs(expected, called(again, SENTENCES))
    padded = looked_up.numpy()
    padded = np.pad(padded, [(0, 0), (0, 3), (0, 0)])
    found = called(ids, padded)
    np.testing.assert_allclose(found["intent"], expected["intent"], rtol=1e-5)
    text.save(tmp_path / "text.keras")
    loaded = mtl_keras.load_model(tmp_path / "text.keras")
    assert_equal_outputs(expected, called(loaded, SENTENCES))
    with pytest.raises(ValueError, match="affix_length=0, expected one"):
        mtl_keras.with_text_input(ids, WORDS)


def test_models_without_token_ids_are_refused():
    with pytest.raises(ValueError, match="expected one input of integers"):
        mtl_keras.with_text_input(mtl_keras.build_mlp(), WORDS)
    with pytest.raises(ValueError, match=r"holds 4 words.*vectors for 5"):
        mtl_keras.with_text_input(on_ids(), [*WORDS, "more"])
    with pytest.raises(ValueError, match="has 0 TokenIds layers"):
        mtl_keras.without_text_input(on_ids())


def test_a_model_that_is_not_compiled_stays_so():
    text = mtl_keras.with_text_input(on_ids(compile=False), WORDS)
    assert not text.compiled
