"""A factory from outside the package keeps all promises of the harness.

It is what CONTRIBUTING.md asks for: a function in its own file, a line in the
registry, and an entry of the harness.
"""

import inspect
import runpy
from pathlib import Path
from typing import Unpack

import keras
import numpy as np
import pytest
from factory_harness import INPUTS, SMALL, mostly_slow

from mtl_keras import models, trunks, tuning
from mtl_keras.models import arguments, factories
from mtl_keras.models.build_model import ModelOptions, build_model
from mtl_keras.models.default_tasks import left_and_right
from mtl_keras.models.factory import factory
from mtl_keras.models.heads import add_heads
from mtl_keras.models.inputs import vector_inputs
from mtl_keras.models.trunk_sizes import resolve_hidden_units


@factory("vectors", search_space={"gain": [1.0, 2.0]})
def build_toy(
    input_shape=(20,),
    tasks=None,
    *,
    num_classes=None,
    gain=2.0,
    hidden_units=None,
    trunk_width=None,
    trunk_depth=None,
    activation="relu",
    normalization=None,
    dropout=0.0,
    l1=0.0,
    l2=0.0,
    preprocessing=None,
    name="toy",
    **options: Unpack[ModelOptions],
):
    """Builds a multilayer perceptron that reads amplified features.

    Args:
        gain: Factor of the features. Defaults to `2.0`.
        hidden_units: Width of each hidden layer. Defaults to `(16,)`.
    """
    shape = arguments.check_vector_shape(input_shape)
    tasks = arguments.resolve_tasks(
        tasks, left_and_right, num_classes=num_classes
    )
    widths = resolve_hidden_units(
        hidden_units, trunk_width, trunk_depth, default=(16,)
    )
    settings = arguments.dense_settings(
        activation, normalization, dropout, l1, l2
    )
    inputs, x = vector_inputs(shape, preprocessing)
    x = keras.layers.Rescaling(gain, name="amplified")(x)
    x = trunks.mlp(x, widths, **settings)
    outputs = add_heads({task.name: x for task in tasks}, tasks)
    return build_model(inputs, outputs, tasks, name, **options)


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    """Adds the line of the registry and the entry of the harness."""
    monkeypatch.setattr(factories, "build_toy", build_toy, raising=False)
    small = {"input_shape": (6,), "hidden_units": (8,), "num_classes": 3}
    monkeypatch.setitem(SMALL, "build_toy", small)


# Arguments of the tests that are not fixtures, or have many values.
VALUES = {
    "engine_factory": "build_toy",
    "factory_name": "build_toy",
    "normalization": "batch",
    "policy": "mixed_float16",
}
HARNESS = runpy.run_path(str(Path(__file__).with_name("test_every_factory.py")))
PROMISES = {
    name: test
    for name, test in HARNESS.items()
    if name.startswith("test_")
    and inspect.signature(test).parameters.keys() & VALUES.keys()
    and name != "test_plot_model_draws_it"  # needs graphviz
}
QUICK = (
    "test_fit_learns_from_arrays_and_logs_every_task",
    "test_keras_file_brings_the_model_back",
    "test_split_gives_a_plain_model_a_task",
    "test_trunk_width_and_depth_vary_the_size",
    "test_wrong_arguments",
)


@pytest.mark.parametrize("promise", mostly_slow(sorted(PROMISES), QUICK))
def test_it_keeps_the_promises_of_all_factories(promise, request):
    test = PROMISES[promise]
    test(
        **{
            name: VALUES.get(name) or request.getfixturevalue(name)
            for name in inspect.signature(test).parameters
        }
    )


def test_it_is_listed_documented_and_searched():
    assert "build_toy" in models.names()
    assert models.get("build_toy") is build_toy
    (row,) = [row for row in models.table() if row.name == "build_toy"]
    assert row.inputs == "vectors"
    assert row.summary.endswith("reads amplified features.")
    assert "    dropout: Dropout rate after each" in build_toy.__doc__
    assert "    optimizer: Name, config or instance" in build_toy.__doc__
    space = tuning.space_of(build_toy)
    assert space["gain"] == [1.0, 2.0]
    assert {"trunk_width", "learning_rate"} <= set(space)


def test_it_needs_no_function_for_its_inputs(rng):
    assert "build_toy" not in INPUTS
    model = build_toy((6,), hidden_units=(), gain=3.0)
    x = np.ones((1, 6), "float32")
    amplified = model.get_layer("amplified")(x)
    np.testing.assert_array_equal(amplified, 3 * x)
