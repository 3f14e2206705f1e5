"""Shared encoder, with a decoder for each task on pixels."""

import numpy as np
import pytest
from factory_harness import eager

from mtl_keras import (
    Classification,
    DenseRegression,
    Regression,
    Segmentation,
    build_cnn_cls_seg,
    build_cnn_multi_task,
)
from mtl_keras.training.gradients.shared_graph import split_shared_graph

TASKS = [
    Segmentation("organ", 4),
    Segmentation("lesion", 1),
    DenseRegression("depth"),
    DenseRegression("normal", 3),
    Classification("stage", 3),
    Regression("age"),
]


def build(tasks=None, **arguments):
    """Builds a small model."""
    return build_cnn_multi_task((8, 8, 3), tasks, filters=(4, 8), **arguments)


def test_any_number_of_tasks_of_each_kind():
    model = build(TASKS)
    assert model.task_output_shapes == {
        "organ": (8, 8, 4),
        "lesion": (8, 8, 1),
        "depth": (8, 8, 1),
        "normal": (8, 8, 3),
        "stage": (3,),
        "age": (1,),
    }


def test_the_encoder_is_shared_and_the_decoders_are_not():
    graph = split_shared_graph(build(TASKS))
    assert graph.shared
    assert all(v.path.startswith("encoder_") for v in graph.shared)
    for task in TASKS:
        own = {v.path.split("/")[0] for v in graph.task_variables[task.name]}
        assert all(name.startswith(task.name) for name in own)
        assert (len(own) > 1) == (task.feature_rank == 4)


def test_single_task_baselines_hold_only_what_they_need():
    for task in TASKS:
        model = build([task])
        names = [layer.name for layer in model.layers]
        is_map = task.feature_rank == 4
        assert any("decoder" in name for name in names) == is_map
        assert any("bottleneck" in name for name in names) != is_map


def test_sizes_left_open(rng):
    model = build_cnn_multi_task((None, None, 1), filters=(2, 4))
    for height, width in ((8, 16), (4, 6)):
        x = rng.normal(size=(2, height, width, 1))
        shapes = {name: y.shape for name, y in model(x).items()}
        assert shapes["depth"] == (2, height, width, 1)
    with pytest.raises(
        ValueError, match="height 9, which is not divisible by 2"
    ):
        build_cnn_multi_task((9, 8, 1), filters=(2, 4))


def test_pixels_without_a_depth_teach_nothing(rng):
    """Depths that are missing in one half do not affect training."""
    x = rng.normal(size=(4, 8, 8, 3)).astype("float32")
    y = {
        "classification": rng.integers(3, size=4),
        "segmentation": rng.integers(2, size=(4, 8, 8, 1)),
        "depth": rng.normal(size=(4, 8, 8)).astype("float32"),
    }
    y["depth"][:, 4:] = np.nan
    model = eager(build(num_classes=3, optimizer="sgd"))
    start, results = model.get_weights(), []
    for weight in (1.0, 1e6):
        weights = {name: np.ones(4, "float32") for name in y}
        weights["depth"] = np.ones((4, 8, 8), "float32")
        weights["depth"][:, 4:] = weight
        model.set_weights(start)
        model.train_on_batch(x, y, sample_weight=weights)
        results.append(model.get_weights())
    for first, second, before in zip(*results, start, strict=True):
        np.testing.assert_array_equal(first, second)
        assert np.isfinite(first).all()
        assert first.shape == before.shape
    logs = model.evaluate(x, y, return_dict=True, verbose=0)
    predicted = model(x)["depth"].numpy()[..., 0]
    errors = (predicted - y["depth"])[:, :4]
    assert logs["depth_mae"] == pytest.approx(np.abs(errors).mean(), 1e-4)
    rmse = np.sqrt(np.square(errors).mean())
    assert logs["depth_rmse"] == pytest.approx(rmse, 1e-4)


def test_the_u_net_takes_depths_too():
    model = build_cnn_cls_seg(
        (8, 8, 3),
        [DenseRegression("depth"), Segmentation("mask", 2)],
        filters=(4, 8),
    )
    assert model.task_output_shapes["depth"] == (8, 8, 1)
    joins = [n.name for n in model.layers if n.name.endswith("_skip")]
    assert joins == ["decoder_1_skip"]  # one decoder for both


def test_wrong_width_of_a_decoder():
    with pytest.raises(ValueError, match="decoder_filters: found 0"):
        build(decoder_filters=0)
