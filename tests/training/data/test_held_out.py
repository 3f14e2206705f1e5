"""Task weights that are learned from held-out data."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import mtl_keras
from mtl_keras.tasks import Regression
from mtl_keras.training.data.held_out import make_held_out_batches
from mtl_keras.weighting import AutoLambda

RATE = 0.1


def build(**options):
    """Returns a linear model of two tasks, simple enough for numpy."""
    keras.utils.set_random_seed(1)
    tasks = [Regression("left"), Regression("right", loss_weight=0.5)]
    model = mtl_keras.build_mlp((3,), tasks, hidden_units=(4,), activation=None)
    options = {"weighting": AutoLambda(learning_rate=0.05), **options}
    optimizer = options.pop("optimizer", keras.optimizers.SGD(RATE))
    model.compile(optimizer, **options)
    return model


def data(rng, count=8):
    """Inputs and targets; some labels are missing."""
    x = rng.normal(size=(count, 3)).astype("float32")
    y = {
        "left": x[:, :1] * 2,
        "right": rng.normal(size=(count, 1)).astype("float32"),
    }
    y["right"][::3] = np.nan
    return x, y


def losses(values, x, y):
    """Computes both weighted losses from the model's parameters."""
    kernel, bias, left, left_bias, right, right_bias = values
    features = x @ kernel + bias
    known = ~np.isnan(y["right"])
    errors = [
        features @ left + left_bias - y["left"],
        (features @ right + right_bias - y["right"])[known],
    ]
    return np.array([(errors[0] ** 2).mean(), 0.5 * (errors[1] ** 2).mean()])


def gradient(function, values):
    """Returns numerical derivatives by every number of every array."""
    found = []
    for array in values:
        slopes = np.zeros_like(array)
        for place in np.ndindex(array.shape):
            before, ends = array[place], []
            for step in (1e-6, -1e-6):
                array[place] = before + step
                ends.append(function(values))
            array[place] = before
            slopes[place] = (ends[0] - ends[1]) / 2e-6
        found.append(slopes)
    return found


def meta_gradient(values, weights, batch, held_out):
    """Returns the formula, term by term, in float64."""
    along = gradient(lambda v: weights @ losses(v, *batch), values)
    ahead = [v - RATE * g for v, g in zip(values, along, strict=True)]
    v = gradient(lambda v: losses(v, *held_out).sum(), ahead)
    epsilon = 0.01 / np.sqrt(sum((part**2).sum() for part in v))
    ends = [
        losses(
            [t + sign * epsilon * d for t, d in zip(values, v, strict=True)],
            *batch,
        )
        for sign in (1, -1)
    ]
    return -RATE * (ends[0] - ends[1]) / (2 * epsilon)


def test_one_step_is_the_formula(rng):
    model, batch, held_out = build(), data(rng), data(rng)
    values = [
        v.numpy().astype("float64")
        for layer in ("dense", "left", "right")
        for v in model.get_layer(
            next(each.name for each in model.layers if layer in each.name)
        ).trainable_variables
    ]
    weights = np.full(2, 0.1)
    found = []
    weighting = model.weighting
    weighting._adam.descend = lambda gradient, *_: found.append(
        gradient.numpy()
    )
    model.run_eagerly = True
    model.fit(*batch, held_out_data=held_out, batch_size=8, verbose=0)
    expected = meta_gradient(values, weights, batch, held_out)
    np.testing.assert_allclose(found[0], expected, rtol=2e-2)
    # Nothing but the training step itself has moved the model.
    along = gradient(lambda v: weights @ losses(v, *batch), values)
    stepped = [v - RATE * g for v, g in zip(values, along, strict=True)]
    kernel = model.get_layer("left").kernel.numpy()
    np.testing.assert_allclose(kernel, stepped[2], rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_a_task_that_is_taught_wrongly_gets_less_weight(rng):
    x = rng.normal(size=(64, 3)).astype("float32")
    y = {"left": x[:, :1], "right": x[:, 1:2]}
    weights = {}
    for sign in (1, -1):
        held_out = (x, {"left": y["left"], "right": sign * y["right"]})
        model = build(weighting=AutoLambda(0.5, learning_rate=0.01))
        history = model.fit(
            x, y, held_out_data=held_out, epochs=20, batch_size=32, verbose=0
        ).history
        weights[sign] = history["weight/right"][-1]
    assert weights[-1] < 0.5 < weights[1] - 0.05
    assert history["weight/left"][-1] > weights[-1] + 0.05


@pytest.mark.slow
@pytest.mark.parametrize("steps_per_execution", [1, 2])
def test_arrays_and_streams_train_equally(steps_per_execution, rng):
    (x, y), held_out = data(rng, 16), data(rng, 8)
    stream = tf.data.Dataset.from_tensor_slices(held_out).batch(8)
    weights = []
    for given in (held_out, stream):
        model = build(steps_per_execution=steps_per_execution)
        model.fit(
            x,
            y,
            held_out_data=given,
            batch_size=8,
            epochs=2,
            shuffle=False,
            verbose=0,
        )
        weights.append(model.get_weights())
    for one, other in zip(*weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("steps", [0, 3, 5])
def test_held_out_batches_follow_from_the_step(steps):
    x = np.arange(7)
    y = {"a": x * 10}

    def take(start, count):
        batches = make_held_out_batches(x, y, None, 2, start).take(count)
        return [batch[0].numpy().tolist() for batch in batches]

    through = take(0, 9)
    assert take(steps, 4) == through[steps : steps + 4]
    for first in (0, 3, 6):  # a round
        assert len(set().union(*through[first : first + 3])) == 6
    assert through[:3] != through[3:6]
    batch_x, batch_y = next(iter(make_held_out_batches(x, y, None, 2, 0)))
    np.testing.assert_array_equal(batch_x * 10, batch_y["a"])


def test_bad_arguments(rng):
    x, y = data(rng)
    with pytest.raises(ValueError, match="held_out_data="):
        build().fit(x, y, verbose=0)
    with pytest.raises(ValueError, match="held-out"):
        build().train_on_batch(x, y)
    with pytest.raises(ValueError, match="does not learn from it"):
        build(weighting="uncertainty").fit(x, y, held_out_data=(x, y))
    with pytest.raises(TypeError, match="held_out_data is of type ndarray"):
        build().fit(x, y, held_out_data=x)
    with pytest.raises(ValueError, match=r"held_out_data.*right"):
        build().fit(x, y, held_out_data=(x, {"left": y["left"]}), verbose=0)
