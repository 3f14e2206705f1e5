"""Multilayer perceptron."""

import keras
import numpy as np
import pytest
from factory_harness import predictions

from mtl_keras import Regression, build_mlp


def test_default_is_the_two_digit_network():
    model = build_mlp()
    assert model.input_shape == (None, 784)
    assert model.task_output_shapes == {"left": (10,), "right": (10,)}
    dense = [x for x in model.layers if isinstance(x, keras.layers.Dense)]
    assert [layer.units for layer in dense] == [64, 10, 10]
    assert model.count_params() == 784 * 64 + 64 + 2 * (64 * 10 + 10)


def test_two_regressions_train_on_l1_plus_lambda_l2(rng):
    model = build_mlp(
        input_shape=(10,),
        hidden_units=(64, 32),
        tasks=[Regression("first"), Regression("second")],
        loss_weights={"second": 0.3},
    )
    x = rng.normal(size=(20, 10))
    y = {"first": rng.normal(size=20), "second": rng.normal(size=20)}
    predicted = predictions(model, x)
    first, second = (
        np.mean((predicted[name][:, 0] - y[name]) ** 2) for name in y
    )
    logs = model.evaluate(x, y, return_dict=True, verbose=0, batch_size=20)
    assert logs["first_loss"] == pytest.approx(first, rel=1e-5)
    assert logs["second_loss"] == pytest.approx(second, rel=1e-5)
    assert logs["loss"] == pytest.approx(first + 0.3 * second, rel=1e-5)


def test_no_hidden_units_is_the_linear_model(rng):
    model = build_mlp((3,), [Regression("y", units=2)], hidden_units=())
    assert model.count_params() == 3 * 2 + 2
    x = rng.normal(size=(5, 3)).astype("float32")
    kernel, bias = model.get_weights()
    np.testing.assert_allclose(
        predictions(model, x)["y"], x @ kernel + bias, rtol=1e-5
    )


def test_images_are_flattened(rng):
    model = build_mlp((4, 4, 1), [Regression("y")])
    assert model.predict(rng.normal(size=(2, 4, 4, 1)), verbose=0)["y"].shape
    assert model.get_layer("trunk_dense_1").kernel.shape == (16, 64)


def test_width_and_depth_repeat_the_width():
    model = build_mlp((5,), [Regression("y")], trunk_width=7, trunk_depth=3)
    dense = [x for x in model.layers if isinstance(x, keras.layers.Dense)]
    assert [layer.units for layer in dense] == [7, 7, 7, 1]


def test_hidden_units_exclude_width_and_depth():
    with pytest.raises(ValueError, match="Leave one of the two out"):
        build_mlp(hidden_units=(3,), trunk_width=4)


@pytest.mark.parametrize("hidden_units", [(0,), (4, -1), (2.5,)])
def test_bad_hidden_units(hidden_units):
    with pytest.raises((TypeError, ValueError), match="hidden_units"):
        build_mlp(hidden_units=hidden_units)
