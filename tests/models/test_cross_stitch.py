"""Cross-stitched towers."""

import numpy as np
import pytest
from factory_harness import build_small, predictions, random_inputs

from mtl_keras import (
    Regression,
    build_cnn,
    build_cross_stitch_cnn,
    build_cross_stitch_mlp,
    build_mlp,
)

TASKS = [Regression("a"), Regression("b", units=2)]


def copy_tower(single, model, name):
    """Sets the weights of a single-task model to those of a tower."""
    kernel_layers = [layer for layer in single.layers if layer.weights]
    of_tower = [
        layer
        for layer in model.layers
        if layer.weights and layer.name.startswith((f"{name}_tower", name))
    ]
    for mine, theirs in zip(kernel_layers, of_tower, strict=True):
        mine.set_weights(theirs.get_weights())


@pytest.mark.parametrize("kind", ["mlp", "cnn"])
def test_with_the_identity_towers_are_independent(kind, rng):
    if kind == "mlp":
        options = {"hidden_units": (8, 4)}
        model = build_cross_stitch_mlp((5,), TASKS, own=1.0, **options)
        singles = [build_mlp((5,), [task], **options) for task in TASKS]
    else:
        options = {"filters": (3, 4), "hidden_units": (6,)}
        model = build_cross_stitch_cnn((8, 8, 1), TASKS, own=1.0, **options)
        singles = [build_cnn((8, 8, 1), [task], **options) for task in TASKS]
    x = random_inputs(model, 4, rng)
    found = predictions(model, x)
    for task, single in zip(TASKS, singles, strict=True):
        copy_tower(single, model, task.name)
        expected = predictions(single, x)[task.name]
        np.testing.assert_allclose(found[task.name], expected, atol=1e-6)


def test_a_level_is_alpha_times_the_towers(rng):
    model = build_cross_stitch_mlp((5,), TASKS, hidden_units=(8,), own=0.7)
    stitch = model.get_layer("cross_stitch_1")
    stitch.set_weights([rng.normal(size=w.shape) for w in stitch.weights])
    x = rng.normal(size=(4, 5)).astype("float32")
    towers = []
    for task in TASKS:
        kernel, bias = model.get_layer(
            f"{task.name}_tower_dense_1"
        ).get_weights()
        towers.append(np.maximum(x @ kernel + bias, 0))
    for row, task in zip(stitch.matrix, TASKS, strict=True):
        kernel, bias = model.get_layer(task.name).get_weights()
        mixed = sum(
            alpha * tower for alpha, tower in zip(row, towers, strict=True)
        )
        np.testing.assert_allclose(
            predictions(model, x)[task.name],
            mixed @ kernel + bias,
            atol=1e-5,
        )


@pytest.mark.parametrize(
    ("factory", "levels", "channels"),
    [("build_cross_stitch_mlp", 1, 8), ("build_cross_stitch_cnn", 3, 4)],
)
def test_stitches_may_be_per_channel(factory, levels, channels):
    model = build_small(factory, per_channel=True)
    layers = [x for x in model.layers if "cross_stitch" in x.name]
    assert len(layers) == levels
    assert layers[0].matrix.shape == (2, 2, channels)


def test_towers_of_different_depth():
    with pytest.raises(ValueError, match="they need the same depth"):
        build_cross_stitch_mlp(
            (5,), TASKS, hidden_units={"a": (8, 8), "b": (8,)}
        )
    with pytest.raises(ValueError, match=r"filters: the tower of 'a' has"):
        build_cross_stitch_cnn((8, 8, 1), TASKS, filters={"a": (8,), "b": (4,)})


def test_images_that_are_too_small():
    with pytest.raises(ValueError, match="too small for 2 poolings"):
        build_cross_stitch_cnn((2, 8, 1), TASKS)
    with pytest.raises(ValueError, match="height must be a number"):
        build_cross_stitch_cnn((None, 8, 1), TASKS)
