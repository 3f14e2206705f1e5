"""Batches that are not a multiple of the replicas, or are shorter."""

import factory_harness
import keras
import numpy as np
import pytest
import tensorflow as tf
from factory_harness import mostly_slow


@pytest.fixture
def twins(engine_factory, two_replicas):
    """Builds the same model on one replica and on two."""
    arguments = {"optimizer": "sgd"}
    one = factory_harness.build_small(engine_factory, **arguments)
    with two_replicas.scope():
        two = factory_harness.build_small(engine_factory, **arguments)
    two.set_weights(one.get_weights())
    return one, two


def assert_same(found, expected, tolerance=1e-5):
    for of_two, of_one in zip(found, expected, strict=True):
        scale = max(np.abs(of_one).max(), 1e-6)
        assert np.abs(of_two - of_one).max() / scale < tolerance


@pytest.mark.slow
def test_a_last_batch_of_one_sample(twins, rng):
    one, two = twins
    data = factory_harness.random_data(one, 9, rng)
    how = {"batch_size": 4, "verbose": 0}
    logs = []
    for model in twins:
        model.fit(*data, epochs=2, shuffle=False, **how)
        logs.append(model.evaluate(*data, return_dict=True, **how))
    assert_same(two.get_weights(), one.get_weights())
    assert logs[1] == pytest.approx(logs[0], rel=1e-5, abs=1e-6)


@pytest.mark.slow
def test_logits_are_found_behind_probabilities(two_replicas, rng):
    """Losses of confident mistakes are not clipped."""
    logs = []
    data = None
    for strategy in (None, two_replicas):
        with strategy.scope() if strategy else keras.name_scope("one"):
            model = factory_harness.build_small("build_mlp")
        model.run_eagerly = True
        data = data or factory_harness.random_data(model, 4, rng)
        for layer in model.layers[-len(model.tasks) :]:
            bias = np.linspace(0, 40, layer.units)
            layer.set_weights([layer.kernel.numpy() * 0, bias])
        logs.append(model.evaluate(*data, verbose=0, return_dict=True))
    assert logs[0]["loss"] > 20
    assert logs[1] == pytest.approx(logs[0], rel=1e-6)


def test_predictions_of_short_batches(twins, rng):
    one, two = twins
    x, _ = factory_harness.random_data(one, 5, rng)
    stream = tf.data.Dataset.from_tensor_slices(x).batch(4)
    expected = one.predict(x, verbose=0)
    for found in (
        two.predict(x, batch_size=1, verbose=0),
        two.predict(stream.repeat(), steps=2, verbose=0),
    ):
        for name, values in expected.items():
            np.testing.assert_allclose(found[name], values, atol=1e-6)


@pytest.mark.slow
def test_missing_labels_in_short_batches(two_replicas, rng):
    one = factory_harness.build_small("build_mlp", optimizer="sgd")
    with two_replicas.scope():
        two = factory_harness.build_small("build_mlp", optimizer="sgd")
    two.set_weights(one.get_weights())
    x, y = factory_harness.random_data(one, 9, rng)
    for values in y.values():
        values[rng.random(9) < 0.4] = -1
        values[-1] = 0
    batches = tf.data.Dataset.from_tensor_slices((x, y)).batch(4)
    for model in (one, two):
        model.fit(batches, epochs=2, verbose=0)
    assert_same(two.get_weights(), one.get_weights())


class Batches(keras.utils.PyDataset):
    """Two batches; the second has one sample."""

    def __init__(self, x, y):
        super().__init__()
        self._data = x, y

    def __len__(self):
        return 2

    def __getitem__(self, index):
        part = slice(4 * index, 4 * index + 4)
        return keras.tree.map_structure(lambda a: a[part], self._data)


@pytest.mark.slow
def test_batches_of_python(two_replicas, rng):
    models = []
    for strategy in (None, two_replicas):
        with strategy.scope() if strategy else keras.name_scope("one"):
            keras.utils.set_random_seed(0)
            models.append(
                factory_harness.build_small("build_cnn", optimizer="sgd")
            )
    data = factory_harness.random_data(models[0], 5, rng)
    for model in models:
        model.fit(Batches(*data), shuffle=False, verbose=0)
    assert_same(models[1].get_weights(), models[0].get_weights())


@pytest.mark.parametrize("batch_size", mostly_slow([1, 5], ()))
def test_uneven_batches_are_warned_of(batch_size, two_replicas, rng):
    with two_replicas.scope():
        model = factory_harness.build_small("build_mlp")
    model.run_eagerly = True
    data = factory_harness.random_data(model, 6, rng)
    with pytest.warns(UserWarning, match=f"size {batch_size} is not"):
        model.fit(*data, batch_size=batch_size, verbose=0)


@pytest.mark.slow
def test_several_steps_in_an_execution(two_replicas, rng):
    """The last execution has fewer steps, the last step one sample."""
    models = []
    for strategy in (None, two_replicas):
        with strategy.scope() if strategy else keras.name_scope("one"):
            keras.utils.set_random_seed(0)
            model = factory_harness.build_small("build_mlp")
            model.compile(
                "sgd",
                weighting="pcgrad",
                steps_per_execution=3,
            )
            models.append(model)
    data = factory_harness.random_data(models[0], 17, rng)
    for model in models:
        model.fit(*data, batch_size=4, epochs=2, shuffle=False, verbose=0)
        assert model.optimizer.iterations.numpy() == 10
    assert_same(models[1].get_weights(), models[0].get_weights())
