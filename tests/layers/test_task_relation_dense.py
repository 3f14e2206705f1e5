"""Kernels of several tasks and their relations."""

import numpy as np
import pytest
import tensorflow as tf

from mtl_keras.layers import TaskRelationDense


def built(rng, **arguments):
    layer = TaskRelationDense(2, num_tasks=3, **arguments)
    layer.build((None, 4))
    layer.set_weights([rng.normal(size=w.shape) for w in layer.weights])
    return layer


def columns_of(layer):
    return np.stack([k.numpy().ravel() for k in layer.kernels], axis=1)


def covariance(columns):
    """Computes Omega of the paper."""
    values, vectors = np.linalg.eigh(columns.T @ columns)
    root = vectors @ np.diag(np.sqrt(values)) @ vectors.T
    return root / np.trace(root)


def test_trace_form_is_a_dense_layer_for_each_task(rng):
    layer = built(rng)
    x = rng.normal(size=(5, 4)).astype("float32")
    for task in range(3):
        kernel, bias = layer.kernels[task].numpy(), layer.biases[task].numpy()
        np.testing.assert_allclose(
            layer(x, task=task), x @ kernel + bias, atol=1e-5
        )


def test_the_penalty_is_the_trace_at_the_best_omega(rng):
    layer = built(rng, penalty=0.3)
    columns = columns_of(layer)
    omega = covariance(columns)
    np.testing.assert_allclose(layer.relations, omega, atol=1e-5)
    expected = 0.3 * np.trace(columns @ np.linalg.inv(omega) @ columns.T)
    assert float(sum(layer.losses)) == pytest.approx(expected, rel=1e-4)
    # The minimum over all Omega is the square of the nuclear norm.
    nuclear = np.linalg.svd(columns, compute_uv=False).sum()
    assert expected == pytest.approx(0.3 * nuclear**2, rel=1e-6)
    for _ in range(20):
        other = rng.normal(size=(3, 3))
        other = other @ other.T
        other /= np.trace(other)
        worse = np.trace(columns @ np.linalg.inv(other) @ columns.T)
        assert 0.3 * worse > expected


def test_its_gradient_is_that_at_a_fixed_omega(rng):
    layer = built(rng, penalty=0.3)
    columns = columns_of(layer)
    with tf.GradientTape() as tape:
        penalty = sum(layer.losses)
    found = tape.gradient(penalty, [k.value for k in layer.kernels])
    found = np.stack([g.numpy().ravel() for g in found], axis=1)
    expected = 2 * 0.3 * columns @ np.linalg.inv(covariance(columns))
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("equal", [True, False])
def test_equal_or_zero_kernels_have_finite_gradients(rng, equal):
    layer = built(rng)
    first = layer.kernels[0].numpy() if equal else np.zeros((4, 2))
    for kernel in layer.kernels:
        kernel.assign(first)
    with tf.GradientTape() as tape:
        penalty = sum(layer.losses)
    for gradient in tape.gradient(penalty, [k.value for k in layer.kernels]):
        assert np.isfinite(gradient).all()
    if equal:
        np.testing.assert_allclose(layer.correlations, 1, atol=1e-2)


def test_opposite_tasks_correlate_negatively(rng):
    layer = built(rng)
    layer.kernels[1].assign(-layer.kernels[0].numpy())
    correlations = layer.correlations
    np.testing.assert_allclose(np.diag(correlations), 1, atol=1e-5)
    assert correlations[0, 1] < -0.9


def test_matrix_form_mixes_the_outputs_of_the_tasks(rng):
    layer = built(rng, form="matrix", penalty=0.3)
    x = rng.normal(size=(5, 4)).astype("float32")
    listed = [
        x @ kernel.numpy() + bias.numpy()
        for kernel, bias in zip(layer.kernels, layer.biases, strict=True)
    ]
    for task, row in enumerate(layer.relations):
        expected = sum(a * y for a, y in zip(row, listed, strict=True))
        np.testing.assert_allclose(layer(x, task=task), expected, atol=1e-5)
    assert float(sum(layer.losses)) == pytest.approx(
        0.3 * np.sum(columns_of(layer) ** 2), rel=1e-5
    )


def test_the_matrix_starts_as_the_identity():
    layer = TaskRelationDense(2, num_tasks=3, form="matrix")
    layer.build((None, 4))
    np.testing.assert_array_equal(layer.relations, np.eye(3))


@pytest.mark.parametrize("form", ["trace", "matrix"])
def test_a_task_reaches_the_variables_that_it_lists(rng, form):
    layer = built(rng, form=form)
    x = rng.normal(size=(5, 4)).astype("float32")
    for task in range(3):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer(x, task=task))
        found = tape.gradient(loss, [v.value for v in layer.weights])
        reached = {
            v.name
            for v, g in zip(layer.weights, found, strict=True)
            if g is not None
        }
        listed = {v.name for v in layer.call_variables(x, task=task)}
        assert reached == listed


@pytest.mark.parametrize("form", ["trace", "matrix"])
def test_config_and_shape(rng, copy_of, form):
    layer = built(rng, form=form, penalty=0.2)
    x = rng.normal(size=(5, 4)).astype("float32")
    assert layer.compute_output_shape((5, 4)) == layer(x, task=2).shape
    again = copy_of(layer, (5, 4))
    np.testing.assert_array_equal(again(x, task=2), layer(x, task=2))
    assert sum(map(float, again.losses)) == sum(map(float, layer.losses))


def test_wrong_arguments(rng):
    with pytest.raises(ValueError, match="form='omega'; expected one of"):
        TaskRelationDense(1, 2, form="omega")
    with pytest.raises(ValueError, match=r"penalty=-1; expected a number"):
        TaskRelationDense(1, 2, penalty=-1)
    with pytest.raises(ValueError, match="learns no covariance"):
        _ = built(rng, form="matrix").correlations
