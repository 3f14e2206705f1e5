"""Inner products of rows of tensors, laid side by side a part at a time."""

import numpy as np
import pytest
import tensorflow as tf
from factory_harness import mostly_slow

from mtl_keras.training.gradients import gramians

SHAPES = [(5, 3), (50,), (7,), (3, 7), (1,)]


def make_rows(count=3):
    rng = np.random.default_rng(0)
    return [
        [rng.normal(size=shape).astype("float32") for shape in SHAPES]
        for _ in range(count)
    ]


def inner_products(rows):
    vectors = [np.concatenate([g.ravel() for g in row]) for row in rows]
    return np.array(vectors) @ np.array(vectors).T


def graph(function):
    return tf.function(function)


def compiled(function):
    return tf.function(function, jit_compile=True)


# All in one part; with a rest; in whole parts for some; one number each.
@pytest.mark.parametrize("part", mostly_slow([2**18, 16, 7, 1], [7]))
@pytest.mark.parametrize("run", [lambda f: f, graph, compiled])
def test_parts_make_the_gramian_of_the_whole(monkeypatch, part, run):
    monkeypatch.setattr(gramians, "_PART", part)
    rows = make_rows()
    found = run(gramians.gramian_of)(rows)
    np.testing.assert_allclose(found, inner_products(rows), atol=1e-4)


@pytest.mark.parametrize("part", [2**18, 7])
def test_none_is_zero(monkeypatch, part):
    monkeypatch.setattr(gramians, "_PART", part)
    rows = make_rows()
    given = [list(row) for row in rows]
    # One task, all but one, and all of them do not reach a parameter.
    for index, column in [(1, 1), (0, 3), (2, 3), (0, 4), (1, 4), (2, 4)]:
        given[index][column] = None
        rows[index][column] = np.zeros_like(rows[index][column])
    found = gramians.gramian_of(given)
    np.testing.assert_allclose(found, inner_products(rows), atol=1e-4)


def test_rows_without_any_gradient_have_a_zero_gramian():
    np.testing.assert_array_equal(
        gramians.gramian_of([[None], [None]]), np.zeros((2, 2))
    )


def test_a_length_that_is_known_only_in_the_step(monkeypatch):
    monkeypatch.setattr(gramians, "_PART", 7)
    rows = [[row[1]] for row in make_rows()]
    function = tf.function(
        gramians.gramian_of,
        input_signature=[[[tf.TensorSpec((None,))]] * len(rows)],
    )
    np.testing.assert_allclose(function(rows), inner_products(rows), atol=1e-4)
