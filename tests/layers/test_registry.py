"""The registry of layers, and a layer from outside the package."""

import importlib
import inspect
from pathlib import Path

import keras
import numpy as np

import mtl_keras
from mtl_keras import layers

FOLDER = Path(layers.__file__).parent


def test_every_layer_in_the_folder_is_public_and_serializable():
    defined = set()
    for path in FOLDER.glob("[!_]*.py"):
        module = importlib.import_module(f"mtl_keras.layers.{path.stem}")
        for name, value in vars(module).items():
            if (
                inspect.isclass(value)
                and issubclass(value, keras.layers.Layer)
                and value.__module__ == module.__name__
            ):
                defined.add(name)
    assert layers.__all__ == sorted(defined)
    for name in layers.__all__:
        registered = keras.saving.get_registered_name(getattr(layers, name))
        assert registered == f"mtl_keras>{name}"


@keras.saving.register_keras_serializable("toys")
class ScaledDense(keras.layers.Layer):
    """A shared kernel, and a scale of each task."""

    def __init__(self, units, num_tasks, **kwargs):
        super().__init__(**kwargs)
        self.units, self.num_tasks = units, num_tasks

    def build(self, input_shape):
        shape = (input_shape[-1], self.units)
        self.kernel = self.add_weight(shape=shape, name="kernel")
        self.scales = [
            self.add_weight(shape=(self.units,), name=f"scale_{task}")
            for task in range(self.num_tasks)
        ]

    def call(self, inputs, task=0):
        return keras.ops.matmul(inputs, self.kernel) * self.scales[task]

    def call_variables(self, inputs, task=0):
        return [self.kernel, self.scales[task]]

    def task_layers(self, inputs, task=0):
        dense = keras.layers.Dense(
            self.units, use_bias=False, name=f"{self.name}_{task}"
        )
        dense.build(inputs.shape)
        dense.set_weights([self.kernel.numpy() * self.scales[task].numpy()])
        return [dense]

    def get_config(self):
        config = {"units": self.units, "num_tasks": self.num_tasks}
        return super().get_config() | config


def test_a_layer_from_outside_is_shared_saved_and_split(rng, tmp_path):
    tasks = [mtl_keras.Regression("a"), mtl_keras.Regression("b")]
    inputs = keras.Input((6,))
    layer = ScaledDense(4, num_tasks=2, name="scaled")
    outputs = {
        task.name: task.head(layer(inputs, task=index))
        for index, task in enumerate(tasks)
    }
    model = mtl_keras.MultiTaskModel(inputs, outputs, tasks=tasks)
    # PCGrad compares gradients of shared variables: only the kernel is one.
    model.compile("sgd", weighting="pcgrad", run_eagerly=True)
    x = rng.normal(size=(8, 6)).astype("float32")
    y = {name: rng.normal(size=(8, 1)) for name in "ab"}
    before = [weight.numpy() for weight in layer.weights]
    model.fit(x, y, verbose=0)
    assert all(
        (weight.numpy() != old).any()
        for weight, old in zip(layer.weights, before, strict=True)
    )
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    expected = {name: np.asarray(out) for name, out in model(x).items()}
    parts = mtl_keras.split(model)
    for name, values in expected.items():
        np.testing.assert_allclose(loaded(x)[name], values, rtol=1e-6)
        np.testing.assert_allclose(parts[name](x), values, rtol=1e-5)
        kinds = [type(one).__name__ for one in parts[name].layers]
        assert "ScaledDense" not in kinds
