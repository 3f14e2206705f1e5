"""Models and data that full-batch training does not support."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from full_batch_problems import linear, small

import mtl_keras
from mtl_keras import Regression, fit_full_batch


def test_loss_of_a_whole_batch_is_not_cut(rng):
    task = mtl_keras.Segmentation("a", 1, loss=keras.losses.Dice())
    model = mtl_keras.build_cnn_cls_seg((8, 8, 1), [task], filters=(2, 2))
    x = rng.normal(size=(4, 8, 8, 1)).astype("float32")
    y = {"a": (x[..., 0] > 0).astype("int32")}
    with pytest.raises(ValueError, match=r"'a': the loss 'dice' .* batch_size"):
        fit_full_batch(model, x, y, batch_size=2)


def test_no_label_at_all_is_an_error(data):
    x, y = data
    with pytest.raises(ValueError, match="targets of all tasks are None"):
        fit_full_batch(linear(), x, dict.fromkeys(y))


@pytest.mark.parametrize(
    "options, layer",
    [
        ({"dropout": 0.5}, "trunk_dropout_1"),
        ({"normalization": "batch"}, "trunk_normalization_1"),
    ],
)
def test_layers_that_change_in_training_are_refused(options, layer, data):
    model = small(**options)
    before = [v.numpy().copy() for v in model.variables]
    with pytest.raises(ValueError, match=f"Layer '{layer}' changes"):
        fit_full_batch(model, *data)
    for variable, value in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)


def test_random_loss_is_refused(data):
    def noisy(y_true, y_pred):
        noise = tf.random.uniform(tf.shape(y_pred))
        return keras.ops.mean((y_true - y_pred + noise) ** 2, axis=-1)

    tasks = [Regression("left", loss=noisy), Regression("right")]
    with pytest.raises(ValueError, match="when computed again"):
        fit_full_batch(linear(tasks), *data)


@pytest.mark.slow
def test_loss_weights_stay_while_it_runs(data):
    schedule = mtl_keras.LossWeightSchedule(lambda epoch: {"right": epoch + 2})
    with pytest.raises(ValueError, match="changed loss_weights from"):
        fit_full_batch(linear(), *data, callbacks=[schedule], verbose=0)


@pytest.mark.parametrize("weighting", ["PCGrad", "Uncertainty", "GLS"])
def test_weightings_without_an_objective_are_refused(weighting, data):
    model = small(weighting=weighting.lower())
    with pytest.raises(ValueError, match=f"={weighting}, whose weights"):
        fit_full_batch(model, *data)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"method": "L-BFGS"}, "Did you mean 'L-BFGS-B'"),
        ({"iterations": 0}, "iterations=0; expected an integer of 1"),
        ({"iterations": 2.5}, "iterations=2.5; expected an integer of 1"),
        ({"batch_size": 0}, "batch_size=0; expected an integer of 1"),
        ({"tolerance": -1}, "tolerance=-1; expected a finite number"),
        ({"verbose": 3}, "verbose=3; expected"),
        ({"class_weight": {"left": {0: 1}}}, "a regression, which has"),
        ({"sample_weight": {"left": np.ones(30)}}, "no entry for task 'right'"),
    ],
)
def test_bad_arguments(arguments, message, data):
    with pytest.raises(ValueError, match=message):
        fit_full_batch(linear(), *data, **arguments)


def test_bad_models_and_data(data, two_replicas):
    x, y = data
    with pytest.raises(TypeError, match="expected a MultiTaskModel"):
        fit_full_batch(keras.Sequential([keras.layers.Dense(1)]), x, y)
    with pytest.raises(ValueError, match="compile"):
        fit_full_batch(linear(compile=False), x, y)
    stream = tf.data.Dataset.from_tensor_slices((x, y)).batch(5)
    with pytest.raises(TypeError, match="x is a stream"):
        fit_full_batch(linear(), stream, None)
    with pytest.raises(TypeError, match="validation_data is a stream"):
        fit_full_batch(linear(), x, y, validation_data=stream)
    with pytest.raises(ValueError, match="'left'"):
        fit_full_batch(linear(), x, {"left": y["left"]})
    frozen = linear()
    frozen.trainable = False
    with pytest.raises(ValueError, match="no trainable weights"):
        fit_full_batch(frozen, x, y)
    with two_replicas.scope():
        spread = linear()
    with pytest.raises(ValueError, match="a strategy with 2 replicas"):
        fit_full_batch(spread, x, y)


def test_constraints_are_refused(data):
    model = small()
    model.layers[1].kernel.constraint = keras.constraints.NonNeg()
    with pytest.raises(ValueError, match="has the constraint NonNeg"):
        fit_full_batch(model, *data)
