"""The harness draws inputs of any structure and dtype, and models take them."""

import factory_harness
import keras
import numpy as np
import tensorflow as tf
from factory_harness import INTEGERS, LENGTH, random_data, random_inputs

import mtl_keras


def table_model():
    """Returns a model of four inputs: numbers, indices, words and flags."""
    inputs = {
        "age": keras.Input((2,), name="age"),
        "jobs": keras.Input((None,), name="jobs", dtype="int32"),
        "city": keras.Input((1,), name="city", dtype="string"),
        "flags": keras.Input((3,), name="flags", dtype="bool"),
    }
    words = list(factory_harness.WORDS)
    city = keras.layers.StringLookup(vocabulary=words, output_mode="one_hot")
    jobs = keras.layers.Embedding(INTEGERS, 3)(inputs["jobs"])
    features = keras.layers.Concatenate()(
        [
            inputs["age"],
            city(inputs["city"]),
            keras.layers.GlobalAveragePooling1D()(jobs),
            keras.ops.cast(inputs["flags"], "float32"),
        ]
    )
    task = mtl_keras.Regression("y")
    model = mtl_keras.MultiTaskModel(
        inputs, {"y": task.head(features)}, tasks=[task], name="table"
    )
    model.compile("sgd")
    return model


def test_inputs_have_the_structure_shapes_and_dtypes_of_the_model(rng):
    model = table_model()
    x, y = random_data(model, 6, rng)
    assert {k: (v.shape, v.dtype) for k, v in x.items()} == {
        "age": ((6, 2), np.float32),
        "jobs": ((6, LENGTH), np.int32),
        "city": ((6, 1), tf.string),
        "flags": ((6, 3), bool),
    }
    assert x["jobs"].min() >= 0
    assert x["jobs"].max() < INTEGERS
    assert set(x["city"].numpy().ravel()) <= {
        word.encode() for word in factory_harness.WORDS
    }
    assert np.isfinite(model.fit(x, y, verbose=0).history["loss"]).all()


def test_a_factory_can_say_how_its_inputs_are_drawn(rng, monkeypatch):
    model = table_model()

    def draw(model, count, rng):
        return f"{count} of {model.name}"

    monkeypatch.setitem(factory_harness.INPUTS, "build_table", draw)
    assert random_inputs(model, 3, rng) == "3 of table"
