"""Methods with the same direction for any unit of a loss."""

import numpy as np
import pytest
import tensorflow as tf
from weighting_harness import make

import mtl_keras

# docs/weighting.md names them.
SCALE_INVARIANT = {
    "conflict_free",
    "db_mtl",
    "fairgrad",
    "famo",
    "gls",
    "imtl",
    "imtl_g",
    "nash",
    "stch",
}


def first_direction(name, losses, jacobian):
    """Computes the normalized direction of the first step."""
    weighting = make(name)
    losses, jacobian = tf.constant(losses), tf.constant(jacobian)
    if weighting.requires == "losses":
        with tf.GradientTape() as tape:
            tape.watch(losses)
            loss = weighting.combine(losses)
        update = tape.gradient(loss, losses)[None] @ jacobian
    elif weighting.requires == "gramian":
        gramian = jacobian @ tf.transpose(jacobian)
        weights = weighting.weights(losses, gramian)
        update = tf.cast(weights, "float32")[None] @ jacobian
    else:
        weighting.build_jacobian(jacobian.shape[1])
        update, _ = weighting.aggregate(losses, jacobian)
        update = update[None]
    return (update / tf.norm(update)).numpy()[0]


@pytest.mark.parametrize("name", mtl_keras.weighting.names())
def test_unit_of_a_loss(name):
    rng = np.random.default_rng(0)
    losses = np.array([1.0, 2.0, 0.5], "float32")
    # Correlated gradients, as the effect of a unit would otherwise be small.
    jacobian = rng.normal(size=(3, 20)) + rng.normal(size=20)
    jacobian = jacobian.astype("float32")
    units = np.array([0.01, 1.0, 1.0], "float32")
    cosine = first_direction(name, losses, jacobian) @ first_direction(
        name, losses * units, jacobian * units[:, None]
    )
    if name in SCALE_INVARIANT:
        assert cosine == pytest.approx(1.0, abs=1e-4)
    else:
        assert cosine < 0.999
