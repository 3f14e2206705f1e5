"""Backbones with layers that a user has frozen."""

import keras

from mtl_keras import Classification, build_from_backbone


def test_layers_that_are_frozen_stay_so():
    inputs = x = keras.Input((8, 8, 3))
    for level in (1, 2):
        x = keras.layers.Conv2D(4, 3, 2, "same", name=f"conv_{level}")(x)
    backbone = keras.Model(inputs, x)
    backbone.get_layer("conv_1").trainable = False
    model = build_from_backbone(
        (8, 8, 3),
        [Classification("kind", 3)],
        backbone=backbone,
        compile=False,
    )
    found = [model.get_layer(f"conv_{level}").trainable for level in (1, 2)]
    assert found == [False, True]
