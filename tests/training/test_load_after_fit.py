"""A trained model can load weights, as `ModelCheckpoint` requires."""

import numpy as np
from factory_harness import build_small, eager, random_data


def test_weights_load_after_fit(engine_factory, rng, tmp_path):
    model = eager(build_small(engine_factory))
    data = random_data(model, 4, rng)
    model.fit(*data, verbose=0)
    before = model.get_weights()
    model.save_weights(tmp_path / "model.weights.h5")
    model.fit(*data, verbose=0)
    model.load_weights(tmp_path / "model.weights.h5")
    for found, expected in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(found, expected)
