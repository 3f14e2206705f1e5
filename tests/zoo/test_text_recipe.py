"""Recipes with sentences: vocabulary, parts and the files of a run."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from sentence_files import write_sentences

import mtl_keras
from mtl_keras import zoo
from mtl_keras.zoo.model import build_model
from mtl_keras.zoo.read import check_recipe

VALUES = {
    "name": "small_text",
    "factory": {
        "name": "build_text_cls_tag",
        "arguments": {"hidden_units": [4], "embedding_size": 4},
    },
    "data": {"name": "snips"},
    "fit": {"epochs": 2, "batch_size": 2},
}


@pytest.fixture
def recipe(tmp_path):
    """Creates a recipe with a few sentences."""
    folder = tmp_path / "sentences"
    folder.mkdir()
    recipe = check_recipe(VALUES, "small_text")
    return zoo.change_recipe(recipe, data_path=write_sentences(folder))


def test_the_parts_are_those_of_the_data_set(recipe):
    data = zoo.load_data(recipe)
    assert [len(part[0]) for part in (data.train, data.validation)] == [2, 1]
    assert data.validation[0][0] == "weather in new york"
    assert [task.name for task in data.tasks] == ["intent", "slots"]


def test_a_number_of_words_takes_the_most_frequent(recipe):
    arguments = {**recipe.factory.arguments, "vocabulary": 4}
    factory = recipe.factory.model_copy(update={"arguments": arguments})
    changed = recipe.model_copy(update={"factory": factory})
    model = build_model(changed, zoo.load_data(changed))
    assert model.get_layer("token_ids").vocabulary_size() == 4
    assert model.inputs[0].dtype == "string"


def test_words_come_from_the_training_part_only(recipe):
    data = zoo.load_data(recipe)
    lookup = build_model(recipe, data).get_layer("token_ids")
    words = set(lookup.get_vocabulary(include_special_tokens=False))
    assert words == set(
        ["play", "some", "jazz", "rate", "this", "5", "of", "6"]
    )


@pytest.mark.parametrize("key", ["num_validation", "validation_split"])
def test_nothing_more_is_held_back(recipe, key):
    value = {"num_validation": 1, "validation_split": 0.5}[key]
    fit = recipe.fit.model_copy(update={key: value})
    with pytest.raises(ValueError, match=r"'snips' has one\. Leave them out"):
        zoo.load_data(recipe.model_copy(update={"fit": fit}))


@pytest.mark.slow
def test_a_run_exports_a_model_of_strings(recipe, tmp_path):
    metrics = zoo.train(recipe, tmp_path / "run")
    names = ["decoded_span_f1", "span_f1", "accuracy", "loss"]
    assert list(metrics["test"]["slots"]) == names
    written = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert written["test"] == metrics["test"]
    loaded = mtl_keras.load_model(tmp_path / "run" / "model.keras")
    served = tf.saved_model.load(tmp_path / "run" / "saved_model")
    text = tf.constant(["play some jazz"])
    found = served.signatures["serving_default"](text=text)
    expected = loaded.predict(text, verbose=0)
    assert set(found) == {"intent", "slots"}
    np.testing.assert_allclose(found["slots"], expected["slots"], rtol=1e-5)
    keras.backend.clear_session()
