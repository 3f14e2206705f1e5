"""Both parts of impartial learning, against numpy."""

import numpy as np
import pytest
import tensorflow as tf
from weighting_harness import make, run, take_step

from mtl_keras.weighting import IMTL, IMTLG, serialize


@pytest.fixture
def trained(rng):
    """Returns a weighting with scales other than 1."""
    weighting = IMTL()
    weighting.build(["left", "middle", "right"])
    run(weighting, np.exp(rng.normal(size=(2, 5, 3))))
    return weighting


def loss_scales(weighting):
    """Returns the scales of the losses."""
    (log_scales,) = weighting.trainable_variables
    return np.exp(log_scales.numpy())


def weigh(weighting, losses, jacobian):
    """Computes the weights for a Jacobian."""
    losses = tf.constant(losses, "float32")
    gramian = tf.constant(jacobian @ jacobian.T, "float32")
    return weighting.weights(losses, gramian).numpy()


def test_the_loss_part_is_imtl_l(rng):
    both, half = IMTL(), make("imtl_l")
    both.build(half.task_names)
    epochs = np.exp(rng.normal(size=(2, 5, 3)))
    np.testing.assert_array_equal(run(both, epochs), run(half, epochs))


def test_the_gradient_part_gets_scaled_gradients(trained, rng):
    jacobian = rng.normal(size=(3, 10))
    scales = loss_scales(trained)
    assert not np.allclose(scales, 1)
    scaled = scales[:, None] * jacobian
    units = scaled / np.linalg.norm(scaled, axis=1, keepdims=True)
    gramian = scaled @ scaled.T
    alpha = np.linalg.pinv(gramian) @ np.linalg.norm(scaled, axis=1)
    alpha /= alpha.sum()
    weights = weigh(trained, np.ones(3), jacobian)
    np.testing.assert_allclose(weights, scales * alpha, rtol=1e-3)
    projections = units @ (weights @ jacobian)
    np.testing.assert_allclose(projections, projections[0], rtol=1e-3)


def test_before_the_first_step_it_is_imtl_g(rng):
    jacobian = rng.normal(size=(3, 10))
    both, half = IMTL(), IMTLG()
    for weighting in (both, half):
        weighting.build(["left", "middle", "right"])
    np.testing.assert_allclose(
        weigh(both, np.ones(3), jacobian), weigh(half, np.ones(3), jacobian)
    )


def test_an_absent_task_has_no_weight_and_keeps_its_scale(trained, rng):
    jacobian = rng.normal(size=(3, 10))
    jacobian[1] = 0
    before = loss_scales(trained)
    losses = np.array([1.3, 0.0, 0.4])
    weights = weigh(trained, losses, jacobian)
    assert np.isfinite(weights).all()
    assert weights[1] == 0
    take_step(trained, losses)
    assert loss_scales(trained)[1] == before[1]


def test_one_task_has_the_weight_of_its_scaled_loss(rng):
    weighting = IMTL()
    weighting.build(["left"])
    jacobian = rng.normal(size=(1, 10))
    weighting.trainable_variables[0].assign([0.5])
    found = weigh(weighting, np.ones(1), jacobian)
    np.testing.assert_allclose(found, np.exp([0.5]), rtol=1e-6)


def test_it_reads_the_gramian_and_combines_losses():
    weighting = IMTL()
    assert weighting.requires == "gramian"
    assert weighting.combines
    assert serialize(weighting)["class_name"] == "IMTL"
