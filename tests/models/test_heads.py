"""Heads: identical heads on one tensor are computed together."""

import keras
import numpy as np
import pytest

from mtl_keras.layers import GroupedDense
from mtl_keras.models.heads import add_heads
from mtl_keras.tasks import Classification, Regression, Segmentation, groups


@pytest.fixture(autouse=True)
def least(monkeypatch):
    """Groups three identical tasks or more."""
    monkeypatch.setattr(groups, "MIN_GROUP_SIZE", 3)


def layers_of(outputs):
    """Returns the layers that compute the outputs, by task."""
    return {n: y._keras_history.operation for n, y in outputs.items()}


def test_a_group_equals_separate_heads(rng):
    tasks = [Classification(f"kind_{n}", 4) for n in range(3)]
    tasks.insert(1, Regression("size"))
    features = keras.Input((6,))
    keras.utils.set_random_seed(3)
    outputs = add_heads(dict.fromkeys((t.name for t in tasks), features), tasks)
    assert list(outputs) == [task.name for task in tasks]
    together = keras.Model(features, outputs)
    kinds = [type(layer) for layer in together.layers[1:]]
    assert kinds.count(GroupedDense) == 1
    assert kinds.count(keras.layers.Dense) == 1
    keras.utils.set_random_seed(3)
    single = keras.Model(features, {t.name: t.head(features) for t in tasks})
    x = rng.normal(size=(5, 6)).astype("float32")
    for name, expected in single(x).items():
        np.testing.assert_allclose(together(x)[name], expected, atol=1e-6)


@pytest.mark.parametrize(
    "tasks",
    [
        [Regression("a"), Regression("b")],
        [Regression("a"), Regression("b"), Regression("c", units=2)],
        [
            Regression("a"),
            Regression("b"),
            Regression("c", activation="relu"),
        ],
    ],
)
def test_few_identical_heads_are_separate(tasks):
    features = keras.Input((6,))
    outputs = add_heads(dict.fromkeys((t.name for t in tasks), features), tasks)
    for layer in layers_of(outputs).values():
        assert type(layer) is keras.layers.Dense


def test_heads_on_different_tensors_are_separate():
    tasks = [Regression(name) for name in "abc"]
    features = {task.name: keras.Input((6,)) for task in tasks}
    for layer in layers_of(add_heads(features, tasks)).values():
        assert type(layer) is keras.layers.Dense


def test_heads_that_are_not_dense_layers_are_separate():
    tasks = [Segmentation(name, 1) for name in "abc"]
    features = dict.fromkeys("abc", keras.Input((4, 4, 2)))
    for layer in layers_of(add_heads(features, tasks)).values():
        assert type(layer) is keras.layers.Conv2D


def test_features_of_another_rank_are_named():
    tasks = [Regression(name) for name in "abc"]
    features = dict.fromkeys("abc", keras.Input((4, 6)))
    with pytest.raises(ValueError, match=r"Task 'a' .* rank 2"):
        add_heads(features, tasks)
