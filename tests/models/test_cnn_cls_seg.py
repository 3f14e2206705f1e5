"""U-Net with a classification."""

import keras
import numpy as np
import pytest
from factory_harness import eager, mostly_slow

from mtl_keras import (
    Classification,
    Regression,
    Segmentation,
    build_cnn_cls_seg,
)


def test_default_outputs_and_size():
    model = build_cnn_cls_seg()
    assert model.task_output_shapes == {
        "classification": (10,),
        "segmentation": (32, 32, 1),
    }
    assert model.count_params() < 200_000


@pytest.mark.parametrize(
    "size", mostly_slow([(16, 24), (64, 32), (96, 96)], [(16, 24)])
)
def test_any_size_that_the_pooling_divides(size, rng):
    model = build_cnn_cls_seg((*size, 1), trunk_width=4, num_mask_classes=3)
    x = rng.normal(size=(2, *size, 1))
    predicted = {name: y.numpy() for name, y in model(x).items()}
    assert predicted["segmentation"].shape == (2, *size, 3)
    np.testing.assert_allclose(predicted["segmentation"].sum(-1), 1, rtol=1e-5)
    np.testing.assert_allclose(
        predicted["classification"].sum(-1), 1, rtol=1e-5
    )


def test_sizes_left_open(rng):
    model = eager(build_cnn_cls_seg((None, None, 1), filters=(4, 8)))
    for size in ((8, 16), (16, 16)):
        x = rng.normal(size=(2, *size, 1))
        y = {
            "classification": rng.integers(10, size=2),
            "segmentation": rng.integers(2, size=(2, *size, 1)),
        }
        assert np.isfinite(model.train_on_batch(x, y, return_dict=True)["loss"])
        assert model(x)["segmentation"].shape[1:3] == size


def test_size_that_is_not_divisible():
    with pytest.raises(
        ValueError, match=r"height 36, which is not divisible by 8"
    ):
        build_cnn_cls_seg((36, 32, 3))
    with pytest.raises(ValueError, match="pad the width to 40"):
        build_cnn_cls_seg((32, 34, 3))


def test_a_network_needs_a_level():
    with pytest.raises(ValueError, match="filters is empty"):
        build_cnn_cls_seg(filters=())


def test_several_masks_share_one_decoder(rng):
    model = build_cnn_cls_seg(
        (16, 16, 3),
        [
            Segmentation("organ", 4),
            Segmentation("lesion", 1),
            Classification("stage", 3),
            Regression("age"),
        ],
        trunk_width=4,
    )
    assert model.task_output_shapes == {
        "organ": (16, 16, 4),
        "lesion": (16, 16, 1),
        "stage": (3,),
        "age": (1,),
    }
    joins = [
        layer.name
        for layer in model.layers
        if isinstance(layer, keras.layers.Concatenate)
    ]
    assert joins == ["decoder_3_skip", "decoder_2_skip", "decoder_1_skip"]


def test_width_doubles_and_the_decoder_has_half_of_it():
    model = build_cnn_cls_seg(trunk_width=8, trunk_depth=3)
    filters = {
        layer.name: layer.filters
        for layer in model.layers
        if isinstance(layer, keras.layers.Conv2D)
    }
    assert filters == {
        "encoder_1_conv_1": 8,
        "encoder_2_conv_1": 16,
        "encoder_2_conv_2": 16,
        "encoder_3_conv_1": 32,
        "decoder_2_narrow_conv_1": 8,
        "decoder_2_conv_1": 8,
        "decoder_1_narrow_conv_1": 8,
        "decoder_1_conv_1": 8,
        "segmentation": 1,
    }


def test_single_task_baselines_hold_only_what_they_need():
    only_class = build_cnn_cls_seg(tasks=[Classification("classification", 10)])
    only_mask = build_cnn_cls_seg(tasks=[Segmentation("segmentation", 1)])
    both = build_cnn_cls_seg()
    assert not any("decoder" in layer.name for layer in only_class.layers)
    assert not any("bottleneck" in layer.name for layer in only_mask.layers)
    assert only_class.count_params() < both.count_params()


@pytest.mark.slow
def test_overfits_a_few_scenes(rng):
    from mtl_keras.datasets import digit_scenes

    (x, y), _ = digit_scenes.load_data(32, 1)
    model = build_cnn_cls_seg(optimizer=keras.optimizers.Adam(0.01))
    model.fit(x, y, epochs=30, batch_size=16, verbose=0)
    logs = model.evaluate(x, y, return_dict=True, verbose=0)
    assert logs["classification_accuracy"] > 0.9
    assert logs["segmentation_iou"] > 0.7
