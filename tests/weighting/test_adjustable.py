"""Arguments of weightings that change without retracing."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from weighting_harness import ARGUMENTS

import mtl_keras
from mtl_keras import weighting as weightings

ADJUSTABLE = [
    (name, argument)
    for name in weightings.names()
    for argument in weightings.get(
        {"class_name": name, "config": ARGUMENTS.get(name, {})}
    ).adjustable_arguments()
]


def make(name):
    config = ARGUMENTS.get(name, {})
    return weightings.get({"class_name": name, "config": config})


def test_adjustable_arguments_are_found():
    assert ("dwa", "temperature") in ADJUSTABLE
    assert make("equal").adjustable_arguments() == []


@pytest.mark.parametrize(("name", "argument"), ADJUSTABLE)
def test_an_argument_keeps_its_value_and_bounds(name, argument):
    weighting = make(name)
    default = getattr(weighting, argument)
    assert isinstance(default, float)
    for _ in range(2):  # before it is built, and after
        setattr(weighting, argument, 0.3)
        assert getattr(weighting, argument) == 0.3
        assert weighting.get_config()[argument] == 0.3
        with pytest.raises(ValueError, match=f"{argument}=-1"):
            setattr(weighting, argument, -1.0)
        with pytest.raises(TypeError, match=f"{argument}='a'"):
            setattr(weighting, argument, "a")
        weighting.build(["left", "right"])
        assert getattr(weighting, argument) == 0.3
    again = type(weighting).from_config(weighting.get_config())
    assert getattr(again, argument) == 0.3
    # Instances do not share it.
    assert getattr(make(name), argument) == default


def test_a_traced_graph_reads_the_new_value():
    weighting = weightings.DWA(temperature=1.0)
    weighting.build(["left", "right"])
    weighting.on_epoch_end(np.array([1.0, 1.0], "float32"))
    weighting.on_epoch_end(np.array([1.0, 0.5], "float32"))
    traced = []

    @tf.function
    def combine(losses):
        traced.append(1)
        return weighting.combine(losses)

    for temperature in (1.0, 0.2, 5.0):
        weighting.temperature = temperature
        exponents = np.exp(np.array([1.0, 0.5]) / temperature)
        shares = 2 * exponents / exponents.sum()
        found = combine(np.array([3.0, 4.0], "float32"))
        assert float(found) == pytest.approx(shares @ [3.0, 4.0], rel=1e-5)
    assert len(traced) == 1


def test_a_model_saves_the_current_value(tmp_path):
    model = mtl_keras.build_mlp((4,), num_classes=2, weighting="dwa")
    model.weighting.temperature = 0.7
    model.build_optimizer()
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.weighting.temperature == 0.7
    # Loading weights changes no argument.
    other = mtl_keras.build_mlp((4,), num_classes=2, weighting="dwa")
    other.build_optimizer()
    model.save_weights(tmp_path / "model.weights.h5")
    other.load_weights(tmp_path / "model.weights.h5")
    assert other.weighting.temperature == 2.0


def test_all_replicas_read_the_new_value(two_replicas):
    with two_replicas.scope():
        weighting = weightings.UWSO(temperature=1.0)
        weighting.build(["left", "right"])
    losses = np.array([1.0, 4.0], "float32")

    @tf.function
    def combine():
        return two_replicas.run(weighting.combine, args=(losses,))

    for temperature in (1.0, 0.25):
        weighting.temperature = temperature
        assert weighting.temperature == temperature
        exponents = np.exp(1 / losses / temperature)
        expected = exponents @ losses / exponents.sum()
        for found in two_replicas.experimental_local_results(combine()):
            assert float(found) == pytest.approx(expected, rel=1e-5)
