"""Categories that have several spellings."""

import keras
import numpy as np

from mtl_keras.layers import CategoryLookup

WORDS = np.array([["True"], ["TRUE"], [" true\t"], ["False"], ["tRuE"], [""]])


def make_layer(spellings=None):
    return CategoryLookup(spellings, vocabulary=["False", "True"])


def test_spellings_have_the_number_of_their_category():
    layer = make_layer({"TRUE": "True", "true": "True", "F": "maybe"})
    found = layer(np.array(WORDS, object)).numpy().ravel()
    np.testing.assert_array_equal(found, [2, 2, 2, 1, 0, 0])
    # A spelling of an unknown category is unknown.
    assert layer(np.array(["F"])).numpy().tolist() == [0]
    assert layer.get_vocabulary(include_special_tokens=False) == [
        "False",
        "True",
    ]


def test_without_spellings_only_blanks_are_ignored():
    found = make_layer()(WORDS).numpy().ravel()
    np.testing.assert_array_equal(found, [2, 0, 0, 1, 0, 0])


def test_a_saved_model_keeps_the_spellings(tmp_path):
    inputs = keras.Input((1,), dtype="string")
    outputs = make_layer({"true": "True", "TRUE": "True"})(inputs)
    model = keras.Model(inputs, outputs)
    model.save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras")
    words = keras.ops.convert_to_tensor(WORDS)
    np.testing.assert_array_equal(again(words), model(words))
    assert model(words).numpy().ravel().tolist() == [2, 2, 2, 1, 0, 0]
