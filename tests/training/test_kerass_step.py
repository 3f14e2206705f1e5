"""Keras's own step is taken as Keras takes it, and traced once."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from factory_harness import build_small, random_data

import mtl_keras
from mtl_keras import Classification, Regression

TASKS = [Classification("kind", 3), Regression("size")]


class Counting(mtl_keras.MultiTaskModel):
    """Counts how often its train step is traced, and logs a number."""

    traces = 0

    def train_step(self, data):
        self.traces += 1
        return {**super().train_step(data), "extra": tf.constant(7.0)}


def counting(**kwargs):
    """A small model whose `train_step` is its own."""
    model = mtl_keras.build_mlp((4,), TASKS, hidden_units=(3,), compile=False)
    model = Counting(model.input, model.output, tasks=TASKS)
    model.compile("adam", **kwargs)
    return model


def both_functions(monkeypatch, run):
    """What `run` gives with our function of Keras's step, and with Keras's."""
    ours = run()
    monkeypatch.setattr(
        mtl_keras.MultiTaskModel,
        "_kerass_function",
        lambda self, mode, make: (
            make(force=True) or getattr(self, f"{mode}_function")
        ),
    )
    return ours, run()


@pytest.mark.slow
def test_numbers_are_those_of_kerass_function(monkeypatch, rng):
    def run():
        keras.utils.set_random_seed(1)
        model = build_small("build_mlp", normalization="batch", dropout=0.5)
        x, y = random_data(model, 7, np.random.default_rng(1))
        history = model.fit(
            x, y, batch_size=3, epochs=2, validation_data=(x, y), verbose=0
        ).history
        assert not model.takes_own_step("train")
        return history, model.evaluate(x, y, verbose=0), model.get_weights()

    ours, kerass = both_functions(monkeypatch, run)
    assert ours[:2] == kerass[:2]
    for found, expected in zip(ours[2], kerass[2], strict=True):
        np.testing.assert_array_equal(found, expected)


def test_logs_are_those_of_an_overridden_step(rng):
    model = counting()
    x, y = random_data(model, 8, rng)
    history = model.fit(x, y, batch_size=4, verbose=0).history
    assert history["extra"] == [7.0]


@pytest.mark.slow
def test_the_step_is_traced_once(rng):
    model = counting()
    x, y = random_data(model, 8, rng)
    model.fit(x, y, batch_size=4, epochs=2, verbose=0)
    model.fit(x, y, batch_size=4, verbose=0)
    assert model.traces == 1


@pytest.mark.parametrize(
    "settings",
    [
        {"run_eagerly": True},
        pytest.param({"steps_per_execution": 2}, marks=pytest.mark.slow),
    ],
)
def test_several_steps_and_eager_ones_are_left_to_keras(settings, rng):
    model = counting(**settings)
    x, y = random_data(model, 12, rng)
    history = model.fit(x, y, batch_size=4, verbose=0).history
    assert history["extra"] == [7.0]
    assert int(model.optimizer.iterations) == 3


def test_an_eager_step_is_never_traced(rng):
    def of_values(y_true, y_pred):
        return (y_true - y_pred) ** 2 * float(y_pred.numpy().std() >= 0)

    model = counting(run_eagerly=True, loss={"size": of_values})
    x, y = random_data(model, 8, rng)
    model.fit(x, y, batch_size=4, verbose=0)
    assert model.traces == 2


@pytest.mark.slow
def test_single_batches(rng):
    model = counting()
    x, y = random_data(model, 4, rng)
    logs = model.train_on_batch(x, y, return_dict=True)
    assert logs["extra"] == 7.0
    assert int(model.optimizer.iterations) == 1


def test_a_stream_that_ends_early_ends_the_epoch(rng):
    model = counting()
    x, y = random_data(model, 8, rng)
    stream = tf.data.Dataset.from_tensor_slices((x, y)).batch(4)
    with pytest.warns(UserWarning, match="ran out of data"):
        model.fit(stream, steps_per_epoch=5, verbose=0)
    assert int(model.optimizer.iterations) == 2


@pytest.mark.slow
def test_weights_of_samples_that_are_none(rng):
    model = counting()
    x, y = random_data(model, 8, rng)

    def batches():
        yield x[:4], {n: v[:4] for n, v in y.items()}, None
        yield x[4:], {n: v[4:] for n, v in y.items()}, None

    model.fit(batches(), steps_per_epoch=2, verbose=0)
    assert int(model.optimizer.iterations) == 2
