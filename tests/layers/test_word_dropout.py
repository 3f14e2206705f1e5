"""Dropout of words."""

import numpy as np

from mtl_keras.layers import WordDropout


def test_a_share_of_the_tokens_becomes_unknown(rng):
    ids = rng.integers(2, 50, size=(200, 30))
    ids[:, 20:] = 0
    found = np.asarray(WordDropout(0.2, seed=1)(ids, training=True))
    changed = found != ids
    assert (found[changed] == 1).all()
    assert not changed[:, 20:].any()  # padding stays
    assert abs(changed[:, :20].mean() - 0.2) < 0.03
    assert found.dtype == ids.dtype


def test_nothing_changes_outside_of_training(rng):
    ids = rng.integers(50, size=(4, 6))
    layer = WordDropout(0.9)
    np.testing.assert_array_equal(layer(ids), ids)
    np.testing.assert_array_equal(WordDropout(0.0)(ids, training=True), ids)


def test_config(copy_of, rng):
    layer = WordDropout(0.3, seed=4)
    again = copy_of(layer, (None, 6))
    ids = rng.integers(50, size=(4, 6))
    np.testing.assert_array_equal(
        again(ids, training=True), layer(ids, training=True)
    )
