"""Convolutional network."""

import keras
import pytest

from mtl_keras import build_cnn


def test_default_has_two_convolutions_and_three_heads():
    model = build_cnn()
    assert model.input_shape == (None, 28, 28, 3)
    assert model.task_output_shapes == {
        "task_1": (10,),
        "task_2": (10,),
        "task_3": (10,),
    }
    filters = [
        layer.filters
        for layer in model.layers
        if isinstance(layer, keras.layers.Conv2D)
    ]
    assert filters == [32, 64]
    assert model.get_layer("trunk_dense_1").units == 128


def test_number_of_classes_of_each_head():
    model = build_cnn(num_classes=(10, 100))
    assert model.task_output_shapes == {"task_1": (10,), "task_2": (100,)}


def test_empty_lists_are_refused():
    with pytest.raises(ValueError, match="filters is empty"):
        build_cnn(filters=())
    with pytest.raises(ValueError, match="num_classes is empty"):
        build_cnn(num_classes=())


def test_width_doubles_at_each_level():
    model = build_cnn((16, 16, 1), trunk_width=6, trunk_depth=3)
    filters = [
        layer.filters
        for layer in model.layers
        if isinstance(layer, keras.layers.Conv2D)
    ]
    assert filters == [6, 12, 24]


@pytest.mark.parametrize(
    ("input_shape", "message"),
    [
        ((28, 28), "has 2 axes"),
        ((None, 28, 3), "height must be a number"),
        ((2, 28, 3), "the height 2 is too small for 2 poolings"),
        ((28, 0, 3), "input_shape: found 0"),
    ],
)
def test_bad_input_shapes(input_shape, message):
    with pytest.raises(ValueError, match=message):
        build_cnn(input_shape)
