"""Towers with a shared basis."""

import keras
import numpy as np
import pytest
from factory_harness import predictions

from mtl_keras import Regression, build_low_rank_mlp

TASKS = [Regression("a"), Regression("b", units=2)]


def test_default_is_a_two_way_and_a_three_way_classification():
    model = build_low_rank_mlp()
    assert model.task_output_shapes == {"two_way": (2,), "three_way": (3,)}


def test_at_full_rank_it_equals_full_matrices(rng):
    model = build_low_rank_mlp(
        (5,), TASKS, hidden_units=(7, 6), rank=(5, 6), activation="tanh"
    )
    x = rng.normal(size=(4, 5)).astype("float32")
    for number, size in ((1, 5), (2, 7)):
        layer = model.get_layer(f"trunk_dense_{number}")
        basis = np.eye(size)[:, : layer.rank]
        layer.basis.assign(basis)
    for index, task in enumerate(TASKS):
        kernels = [rng.normal(size=(5, 7)), rng.normal(size=(7, 6))]
        h = x
        for number, kernel in enumerate(kernels, start=1):
            layer = model.get_layer(f"trunk_dense_{number}")
            if number == 2:  # the basis of rank 6 reaches 6 of 7 inputs
                kernel[6] = 0
                layer.factors[index].assign(kernel[:6])
            else:
                layer.factors[index].assign(kernel)
            h = np.tanh(h @ kernel)
        head = model.get_layer(task.name)
        expected = h @ head.kernel.numpy() + head.bias.numpy()
        found = predictions(model, x)[task.name]
        np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("rank", [1, 3, 8])
def test_parameters_against_full_matrices(rank):
    model = build_low_rank_mlp((20,), TASKS, hidden_units=(8,), rank=rank)
    kernels = 20 * rank + 2 * rank * 8
    heads = (8 + 1) + (8 + 1) * 2
    assert model.count_params() == kernels + 2 * 8 + heads
    assert (kernels < 2 * 20 * 8) == (rank < 2 * 20 * 8 / (20 + 2 * 8))


def test_the_rank_defaults_to_half_of_the_full_one():
    model = build_low_rank_mlp((20,), TASKS, hidden_units=(8, 1))
    ranks = [model.get_layer(f"trunk_dense_{n}").rank for n in (1, 2)]
    assert ranks == [4, 1]


def test_penalties_are_of_basis_and_factors():
    model = build_low_rank_mlp((6,), TASKS, hidden_units=(4,), rank=2, l2=0.1)
    layer = model.get_layer("trunk_dense_1")
    expected = 0.1 * sum(
        keras.ops.sum(keras.ops.square(v))
        for v in (layer.basis, *layer.factors)
    )
    np.testing.assert_allclose(sum(model.losses), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rank": 5}, "rank=5 is above the full rank of hidden layer 1, 4"),
        ({"rank": (4, 4)}, "rank=4 is above the full rank of hidden layer 2"),
        ({"rank": (1,)}, "lists 1 ranks for 2 hidden layers"),
        ({"rank": 0}, "rank: found 0"),
        ({"rank": "full"}, "rank"),
        ({"tasks": None, "num_classes": (2, 3, 4)}, "expected one number, or"),
    ],
)
def test_wrong_arguments(arguments, message):
    arguments = {"tasks": TASKS, "hidden_units": (4, 3), **arguments}
    with pytest.raises((TypeError, ValueError), match=message):
        build_low_rank_mlp((6,), **arguments)
