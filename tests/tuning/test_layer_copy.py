"""Copies of layers in a space, one for each trial."""

import gc
import weakref

import keras
import numpy as np
from tuning_problem import SMALL, samples

import mtl_keras
from mtl_keras import tuning
from mtl_keras.tuning.layer_copy import copy_layer


def test_values_are_copied_and_not_shared():
    layer = keras.layers.Normalization()
    layer.adapt(samples()[0])
    copied = copy_layer(layer)
    x = samples(seed=3)[0]
    np.testing.assert_array_equal(copied(x), layer(x))
    assert copied is not layer and copied.mean is not layer.mean


def test_layers_of_layers_are_copied():
    layer = keras.Sequential(
        [keras.Input((6,)), keras.layers.Dense(4), keras.layers.Dense(2)]
    )
    x = samples()[0]
    np.testing.assert_array_equal(copy_layer(layer)(x), layer(x))


def test_layers_that_were_not_built_are_copied():
    assert copy_layer(keras.layers.Rescaling(1 / 255)).scale == 1 / 255


def test_a_layer_in_the_space_references_no_network_of_a_trial():
    layer = keras.layers.Normalization()
    layer.adapt(samples()[0])
    hyper_model = tuning.MultiTaskHyperModel(
        mtl_keras.build_mlp,
        {**SMALL, "preprocessing": [[layer]], "loss_weight": (0.1, 10.0)},
        merge=False,
        reuse=False,
    )
    values = {n: d.content for n, d in hyper_model.space.items() if n in SMALL}
    values |= {"preprocessing": [layer], "loss_weight/right": 2.0}
    built = hyper_model.build_trial(hyper_model.arguments(values))
    found = built.predict(samples()[0], verbose=0)["left"]
    assert found.shape == (48, 3)
    gone = weakref.ref(built.get_layer("left"))
    hyper_model.release(built)
    del built
    gc.collect()
    keras.backend.clear_session()
    gc.collect()
    assert gone() is None
    assert len(layer._inbound_nodes) == 0
