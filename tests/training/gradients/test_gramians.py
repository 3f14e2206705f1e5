"""Inner products of task gradients, computed in chunks."""

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


# One chunk; with a remainder; without one for some; one element per chunk.
@pytest.mark.parametrize("size", mostly_slow([2**18, 16, 7, 1], [7]))
@pytest.mark.parametrize("run", [lambda f: f, graph, compiled])
def test_chunks_add_up_to_the_gramian(monkeypatch, size, run):
    monkeypatch.setattr(gramians, "_CHUNK_SIZE", size)
    rows = make_rows()
    found = run(gramians.compute_gramian)(rows)
    np.testing.assert_allclose(found, inner_products(rows), atol=1e-4)


@pytest.mark.parametrize("size", [2**18, 7])
def test_none_is_zero(monkeypatch, size):
    monkeypatch.setattr(gramians, "_CHUNK_SIZE", size)
    rows = make_rows()
    given = [list(row) for row in rows]
    # One task, all but one, and all of them do not reach a parameter.
    for index, column in [(1, 1), (0, 3), (2, 3), (0, 4), (1, 4), (2, 4)]:
        given[index][column] = None
        rows[index][column] = np.zeros_like(rows[index][column])
    found = gramians.compute_gramian(given)
    np.testing.assert_allclose(found, inner_products(rows), atol=1e-4)


def test_rows_without_any_gradient_have_a_zero_gramian():
    np.testing.assert_array_equal(
        gramians.compute_gramian([[None], [None]]), np.zeros((2, 2))
    )


def test_a_length_that_is_known_only_in_the_step(monkeypatch):
    monkeypatch.setattr(gramians, "_CHUNK_SIZE", 7)
    rows = [[row[1]] for row in make_rows()]
    function = tf.function(
        gramians.compute_gramian,
        input_signature=[[[tf.TensorSpec((None,))]] * len(rows)],
    )
    np.testing.assert_allclose(function(rows), inner_products(rows), atol=1e-4)
