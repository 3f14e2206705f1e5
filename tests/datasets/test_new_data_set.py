"""Tests that a new data set is one module and one line of the registry."""

import sys
from pathlib import Path

import numpy as np
import pytest

import mtl_keras
from mtl_keras import datasets, zoo

MODULE = '''
"""Toy waves: the class and the height of a wave.

Origin: generated from a seed.

Licence: none needed.
"""

import numpy as np

from mtl_keras.datasets.samples import Samples
from mtl_keras.tasks import Classification, Regression, Task


def load_data(num_train: int = 60) -> tuple[Samples, Samples]:
    """Generates waves."""
    return _waves(num_train, 0), _waves(20, 1)


def tasks() -> list[Task]:
    """Returns the tasks that fit the targets of `load_data`."""
    return [Classification("shape", 3), Regression("height")]


def _waves(count, seed):
    x = np.random.default_rng(seed).normal(size=(count, 4)).astype("float32")
    return x, {
        "shape": x[:, :3].argmax(axis=1).astype("int32"),
        "height": x.max(axis=1),
    }
'''
LINE = "from mtl_keras.datasets import tox21 as tox21\n"


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """Adds a module to the package, and a line to its registry."""
    (tmp_path / "toy_waves.py").write_text(MODULE)
    source = Path(datasets.__file__).read_text()
    assert source.count(LINE) == 1
    source = source.replace(LINE, LINE + LINE.replace("tox21", "toy_waves"))
    monkeypatch.setattr(
        datasets, "__path__", [*datasets.__path__, str(tmp_path)]
    )
    registry = {"__name__": datasets.__name__}
    exec(compile(source, datasets.__file__, "exec"), registry)
    for name in ("_DATASETS", "__all__"):
        monkeypatch.setattr(datasets, name, registry[name])
    yield registry["toy_waves"]
    del datasets.toy_waves, sys.modules["mtl_keras.datasets.toy_waves"]


def test_a_new_data_set_is_listed_and_found(toy):
    assert "toy_waves" in datasets.names()
    assert "toy_waves" in datasets.__all__
    assert datasets.get("toy_waves") is toy
    assert toy.__doc__.strip().startswith("Toy waves: ")


def test_a_new_data_set_is_described_and_mixed(toy):
    train, test = toy.load_data()
    described = datasets.describe((train, test), toy.tasks())
    assert described.parts["train"].samples == 60
    assert sum(described.tasks["shape"].class_counts.values()) == 80
    other = np.zeros((40, 4), "float32"), {"size": np.zeros(40, "float32")}
    x, y = next(iter(datasets.mix({"toy": train, "other": other})))
    assert x.shape == (32, 4) and set(y) == {"shape", "height", "size"}


def test_a_new_data_set_fits_a_factory_and_a_recipe(toy):
    recipe = zoo.make_recipe("build_mlp", "toy_waves", epochs=1)
    data = zoo.load_data(recipe)
    sizes = [len(x) for x, _ in (data.train, data.validation, data.test)]
    assert sizes == [54, 6, 20]
    assert [task.name for task in data.tasks] == ["shape", "height"]
    model = mtl_keras.build_mlp(
        input_shape=data.train[0].shape[1:],
        tasks=data.tasks,
        hidden_units=(4,),
    )
    logs = model.fit(*data.train, epochs=1, verbose=0).history
    assert np.isfinite(logs["shape_loss"]).all()
    assert np.isfinite(logs["height_loss"]).all()
