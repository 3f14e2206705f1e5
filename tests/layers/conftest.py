"""Fixtures of the tests of layers."""

import keras
import pytest


@pytest.fixture
def copy_of():
    """Restores a layer from its config, with the same weights."""

    def copy(layer, shape):
        serialized = keras.saving.serialize_keras_object(layer)
        again = keras.saving.deserialize_keras_object(serialized)
        assert type(again) is type(layer)
        if not again.built:  # the config may hold the shape
            again.build(shape)
        again.set_weights(layer.get_weights())
        return again

    return copy
