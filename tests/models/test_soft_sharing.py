"""Towers with a penalty on their distance."""

import keras
import numpy as np
import pytest
from factory_harness import eager, predictions

from mtl_keras import Regression, build_mlp, build_soft_sharing_mlp

TASKS = [Regression("a"), Regression("b", units=2)]


def small(**arguments):
    return build_soft_sharing_mlp((5,), TASKS, hidden_units=(4, 3), **arguments)


def test_without_distance_they_are_single_task_models(rng):
    model = eager(small(distance=0, optimizer=keras.optimizers.SGD(0.1)))
    x = rng.normal(size=(12, 5)).astype("float32")
    y = {"a": rng.normal(size=12), "b": rng.normal(size=(12, 2))}
    separate = []
    for index, task in enumerate(TASKS):
        single = build_mlp(
            (5,),
            [task],
            hidden_units=(4, 3),
            optimizer=keras.optimizers.SGD(0.1),
        )
        for level in (1, 2):
            tower = model.get_layer(f"trunk_dense_{level}")
            single.get_layer(f"trunk_dense_{level}").set_weights(
                [tower.kernels[index], tower.biases[index]]
            )
        head = model.get_layer(task.name)
        single.get_layer(task.name).set_weights(head.get_weights())
        eager(single).fit(
            x, {task.name: y[task.name]}, batch_size=4, shuffle=False, verbose=0
        )
        separate.append(predictions(single, x)[task.name])
    model.fit(x, y, batch_size=4, shuffle=False, verbose=0)
    for task, expected in zip(TASKS, separate, strict=True):
        found = predictions(model, x)[task.name]
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_loss_holds_the_distance_of_all_levels(rng):
    model = eager(small(distance=0.3))
    x = rng.normal(size=(8, 5)).astype("float32")
    y = {"a": rng.normal(size=8), "b": rng.normal(size=(8, 2))}
    logs = model.evaluate(x, y, return_dict=True, verbose=0)
    distance = 0
    for level in (1, 2):
        first, second = model.get_layer(f"trunk_dense_{level}").kernels
        distance += np.sum((first.numpy() - second.numpy()) ** 2)
    expected = logs["a_loss"] + logs["b_loss"] + 0.3 * distance
    assert logs["loss"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.slow
def test_a_large_distance_pulls_the_towers_together(rng):
    x = rng.normal(size=(32, 5)).astype("float32")
    y = {"a": x[:, 0], "b": -x[:, :2]}
    apart = []
    for distance in (0, 10.0):
        model = small(distance=distance, optimizer=keras.optimizers.SGD(0.02))
        model.fit(x, y, epochs=20, verbose=0)
        first, second = model.get_layer("trunk_dense_1").kernels
        apart.append(np.abs(first.numpy() - second.numpy()).max())
    assert apart[1] < 0.05 < apart[0]


@pytest.mark.parametrize("method", ["pcgrad", "mgda", "graddrop"])
def test_methods_of_shared_gradients_are_refused(method):
    with pytest.raises(ValueError, match="share no trainable parameters"):
        small(weighting=method)


@pytest.mark.slow
def test_methods_of_losses_train(rng):
    model = eager(small(weighting="uncertainty"))
    x = rng.normal(size=(8, 5)).astype("float32")
    y = {"a": rng.normal(size=8), "b": rng.normal(size=(8, 2))}
    history = model.fit(x, y, verbose=0).history
    assert np.isfinite(history["loss"]).all()


@pytest.mark.parametrize(
    ("widths", "message"),
    [
        (
            {"a": (8, 4), "b": (8,)},
            r"tower of 'a' has the widths \(8, 4\) and that of 'b' \(8,\)",
        ),
        ({"a": (8,), "c": (8,)}, r"names the towers \['a', 'c'\]"),
    ],
)
def test_towers_that_differ(widths, message):
    with pytest.raises(ValueError, match=message):
        build_soft_sharing_mlp((5,), TASKS, hidden_units=widths)


def test_towers_that_agree_may_be_named():
    model = build_soft_sharing_mlp(
        (5,), TASKS, hidden_units={"a": (8, 4), "b": [8, 4]}
    )
    assert model.get_layer("trunk_dense_2").units == 4


def test_a_negative_distance():
    with pytest.raises(ValueError, match=r"distance=-0.1; expected"):
        small(distance=-0.1)
