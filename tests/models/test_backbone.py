"""Other networks as the shared trunk."""

import factory_harness
import keras
import numpy as np
import pytest
import tensorflow as tf
from factory_harness import eager, mostly_slow

from mtl_keras import (
    Classification,
    DenseRegression,
    Regression,
    Segmentation,
    SequenceTagging,
    build_from_backbone,
)
from mtl_keras.training.gradients.shared_graph import split_shared_graph

CLASS = Classification("kind", 3)
MASK = Segmentation("mask", 1)


@pytest.fixture(scope="module")
def network():
    """Returns one backbone for all wrong arguments."""
    return backbone()


def backbone(shape=(8, 8, 3), *, pooled=False, top=False):
    """Creates two levels with batch normalization and dropout."""
    inputs = x = keras.Input(shape)
    for level, filters in enumerate((4, 6), start=1):
        x = keras.layers.Conv2D(filters, 3, 2, "same", name=f"conv_{level}")(x)
        x = keras.layers.BatchNormalization(name=f"norm_{level}")(x)
        x = keras.layers.ReLU(name=f"relu_{level}")(x)
    x = keras.layers.Dropout(0.5, name="drop")(x)
    if pooled or top:
        x = keras.layers.GlobalAveragePooling2D(name="mean")(x)
    if top:
        x = keras.layers.Dense(5, "softmax", name="predictions")(x)
    network = keras.Model(inputs, x, name="two_levels")
    rng = np.random.default_rng(3)
    network.set_weights(
        [rng.uniform(0.1, 1.0, size=w.shape) for w in network.weights]
    )
    return network


def nested(shape=(8, 8, 3)):
    """Creates a backbone in a Sequential model with adapted preprocessing."""
    rng = np.random.default_rng(4)
    standardize = keras.layers.Normalization(name="standardize")
    standardize.adapt(rng.normal(2, 3, size=(16, *shape)))
    return keras.Sequential(
        [keras.Input(shape), standardize, backbone(shape)], name="nested"
    )


class Doubled(keras.Model):
    """Functional model that computes more than its graph."""

    def call(self, inputs):
        return 2 * super().call(inputs)


def doubled():
    """Creates a backbone that cannot be copied layer by layer."""
    network = backbone()
    return Doubled(network.inputs, network.outputs)


@pytest.fixture
def images(rng):
    return rng.normal(size=(4, 8, 8, 3)).astype("float32")


def targets(model, rng):
    _, y = factory_harness.random_data(model, 4, rng)
    return y


@pytest.mark.parametrize("make", [backbone, nested])
def test_it_computes_what_the_backbone_does(make, images):
    network = make()
    model = build_from_backbone(backbone=network, tasks=[CLASS])
    head, bias = model.get_layer("kind").get_weights()
    top = network(images).numpy().mean(axis=(1, 2))
    logits = top @ head + bias
    expected = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    found = model(images)["kind"]
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_the_backbone_does_not_change_and_models_share_nothing(images, rng):
    network = backbone()
    before = network.get_weights()
    first, second = (
        build_from_backbone(
            backbone=network, tasks=[CLASS], trainable=trainable
        )
        for trainable in (True, False)
    )
    eager(first).fit(images, targets(first, rng), verbose=0)
    kernel = first.get_layer("conv_1").kernel
    assert np.abs(kernel.numpy() - before[0]).max() > 1e-5
    for old, new in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    np.testing.assert_array_equal(second.get_layer("conv_1").kernel, before[0])
    assert all(layer.trainable for layer in network.layers)
    assert network.get_layer("conv_1").output is not None  # called once


@pytest.mark.parametrize("make", mostly_slow([backbone, nested], [backbone]))
def test_a_frozen_backbone_is_in_inference(make, images, rng, tmp_path):
    model = build_from_backbone(backbone=make(), tasks=[CLASS], trainable=False)
    assert {v.path for v in model.trainable_variables} == {
        "kind/kernel",
        "kind/bias",
    }
    trunk = model.get_weights()[:-2]
    # Dropout and batch statistics would change the outputs.
    np.testing.assert_allclose(
        model(images, training=True)["kind"],
        model(images, training=False)["kind"],
        rtol=1e-6,
    )
    eager(model).fit(images, targets(model, rng), epochs=2, verbose=0)
    model.run_eagerly = False
    for old, new in zip(trunk, model.get_weights()[:-2], strict=True):
        np.testing.assert_array_equal(old, new)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert len(loaded.trainable_variables) == 2
    np.testing.assert_allclose(
        loaded(images, training=True)["kind"],
        model(images)["kind"],
        rtol=1e-6,
    )


def test_fine_tuning_does_not_change_the_statistics(images, rng):
    model = build_from_backbone(
        backbone=backbone(), tasks=[CLASS], trainable=False
    )
    for layer in model.layers:
        layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
    model.compile("adam", run_eagerly=True)
    statistics = model.get_layer("norm_1").get_weights()
    kernel = model.get_layer("conv_1").kernel.numpy()
    model.fit(images, targets(model, rng), verbose=0)
    found = model.get_layer("norm_1").get_weights()
    for old, new in zip(statistics, found, strict=True):
        np.testing.assert_array_equal(old, new)
    assert np.abs(model.get_layer("conv_1").kernel - kernel).max() > 0


def test_a_trained_backbone_learns_its_statistics(images, rng):
    model = eager(build_from_backbone(backbone=backbone(), tasks=[CLASS]))
    statistics = model.get_layer("norm_1").moving_mean.numpy()
    model.fit(images, targets(model, rng), verbose=0)
    found = model.get_layer("norm_1").moving_mean.numpy()
    assert np.abs(found - statistics).max() > 0


def test_each_task_reads_the_named_layer():
    tasks = [CLASS, Regression("early"), MASK, DenseRegression("depth", 2)]
    model = build_from_backbone(
        backbone=backbone(),
        tasks=tasks,
        feature_layers={
            "early": "relu_1",
            "mask": ["relu_2", "relu_1"],
            "depth": "conv_1",
        },
    )
    read = {
        layer.name: layer.input._keras_history.operation.name
        for layer in model.layers
        if "lateral" in layer.name or layer.name.endswith("_read_pool")
    }
    assert read == {
        "drop_read_pool": "drop",
        "relu_1_read_pool": "relu_1",
        "mask_decoder_1_lateral": "relu_1",
        "mask_decoder_2_lateral": "relu_2",
        "depth_decoder_1_lateral": "conv_1",
    }
    assert model.task_output_shapes["depth"] == (8, 8, 2)
    graph = split_shared_graph(model)
    # Of what only later layers hold, the depth knows nothing.
    shared = {v.path for v in graph.shared}
    assert {"conv_1/kernel", "conv_2/kernel"} <= shared
    single = split_shared_graph(
        build_from_backbone(
            backbone=backbone(),
            tasks=[CLASS, Regression("early")],
            feature_layers={"early": "relu_1"},
        )
    )
    assert {v.path.split("/")[0] for v in single.shared} == {"conv_1", "norm_1"}
    own = {v.path.split("/")[0] for v in single.task_variables["kind"]}
    assert own == {"conv_2", "norm_2", "kind"}


def test_layers_of_inner_networks_are_found_by_name():
    model = build_from_backbone(
        backbone=nested(), tasks=[CLASS], feature_layers={"kind": "relu_1"}
    )
    read = model.get_layer("relu_1_read_pool").input._keras_history.operation
    assert read is model.get_layer("relu_1")
    assert not any(isinstance(layer, keras.Model) for layer in model.layers)


def test_layers_that_no_task_reads_are_left_out():
    model = build_from_backbone(
        backbone=backbone(), tasks=[CLASS], feature_layers={"kind": "relu_1"}
    )
    assert not any(layer.name == "conv_2" for layer in model.layers)


def test_tasks_on_pixels_read_the_last_layer_of_each_size():
    model = build_from_backbone(backbone=backbone(), tasks=[MASK])
    read = {
        layer.name: layer.input._keras_history.operation.name
        for layer in model.layers
        if "lateral" in layer.name
    }
    assert read == {
        "mask_decoder_1_lateral": "relu_1",
        "mask_decoder_2_lateral": "drop",
    }


def test_a_pooled_backbone_serves_both(images):
    model = build_from_backbone(
        backbone=backbone(pooled=True), tasks=[CLASS, MASK]
    )
    assert model.get_layer("kind").input._keras_history.operation.name == "mean"
    assert model(images)["mask"].shape == (4, 8, 8, 1)


@pytest.mark.parametrize(
    ("make", "gradients"),
    [
        (backbone, "parameters"),
        pytest.param(nested, "features", marks=pytest.mark.slow),
        pytest.param(backbone, "features", marks=pytest.mark.slow),
        pytest.param(nested, "parameters", marks=pytest.mark.slow),
    ],
)
def test_gradient_methods_see_the_shared_layers(make, gradients, images, rng):
    tasks = [CLASS, Regression("size")]
    model = build_from_backbone(
        backbone=make(), tasks=tasks, optimizer=keras.optimizers.SGD(0.1)
    )
    y = targets(model, rng)
    with tf.GradientTape(persistent=True) as tape:
        outputs = model(images, training=True)
        losses = [task.loss(y[task.name], outputs[task.name]) for task in tasks]
    trained = model.trainable_variables
    reached = [
        tape.gradient(loss, [v.value for v in trained]) for loss in losses
    ]
    both = {
        variable.path
        for variable, *found in zip(trained, *reached, strict=True)
        if None not in found
    }
    assert {v.path for v in split_shared_graph(model).shared} == both
    assert len(both) == 8
    model.compile(
        keras.optimizers.SGD(0.1), weighting="pcgrad", gradients=gradients
    )
    model.run_eagerly = True
    before = {v.path: v.numpy() for v in trained}
    logs = model.train_on_batch(images, y, return_dict=True)
    assert np.isfinite(logs["loss"])
    for variable in trained:
        assert np.isfinite(variable.numpy()).all()
        # A bias before batch normalization has no gradient.
        if "conv" in variable.path and "bias" in variable.path:
            continue
        assert np.abs(variable.numpy() - before[variable.path]).max() > 0


def test_a_frozen_backbone_leaves_nothing_to_compare():
    with pytest.raises(ValueError, match="share no trainable parameters"):
        build_from_backbone(
            backbone=backbone(),
            tasks=[CLASS, Regression("size")],
            trainable=False,
            weighting="pcgrad",
        )


def test_preprocessing_brings_images_to_the_backbone(rng):
    model = build_from_backbone(
        backbone=backbone(),
        tasks=[CLASS, MASK],
        input_shape=(16, 16, 3),
        preprocessing=keras.layers.Resizing(8, 8),
    )
    found = model(rng.normal(size=(2, 16, 16, 3)))
    assert found["mask"].shape == (2, 8, 8, 1)


def test_penalties_are_of_all_kernels_of_the_copy(images, rng):
    network = backbone()
    plain, penalized = (
        build_from_backbone(backbone=network, tasks=[CLASS], l2=l2)
        for l2 in (0.0, 0.5)
    )
    kernels = [network.get_layer(f"conv_{n}").kernel for n in (1, 2)]
    expected = 0.5 * sum(np.square(kernel).sum() for kernel in kernels)
    assert not plain.losses
    assert float(sum(penalized.losses)) == pytest.approx(expected, rel=1e-5)
    assert network.get_layer("conv_1").kernel_regularizer is None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "arguments", "levels"),
    [
        ("MobileNetV3Small", {"alpha": 0.75}, 5),
        ("MobileNetV2", {"alpha": 0.35}, 5),
        ("EfficientNetB0", {}, 5),
        ("ResNet50", {}, 5),
        ("VGG16", {}, 6),
        ("ConvNeXtTiny", {}, 4),
    ],
)
def test_applications_by_name(name, arguments, levels, rng):
    model = build_from_backbone(
        backbone=name,
        tasks=[CLASS, MASK],
        backbone_arguments=arguments,
        decoder_filters=4,
    )
    sizes = [
        layer.input.shape[1]
        for layer in model.layers
        if "lateral" in layer.name
    ]
    assert len(sizes) == levels
    assert min(sizes) == 2 and sorted(sizes)[-levels:] == sorted(set(sizes))
    x = rng.uniform(0, 255, size=(2, 64, 64, 3)).astype("float32")
    found = model.predict(x, verbose=0)
    assert found["mask"].shape == (2, 64, 64, 1)
    assert all(np.isfinite(values).all() for values in found.values())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"backbone": "MobilNet"}, "no backbone 'MobilNet'.*'MobileNet'"),
        ({"backbone": 3}, "backbone is 3 of type int"),
        ({"backbone": keras.Sequential()}, "functional keras.Model"),
        ({"backbone": doubled()}, "functional keras.Model"),
        ({"input_shape": (16, 16, 3)}, r"takes .*\(8, 8, 3\), found \(16"),
        (
            {"backbone": backbone(top=True)},
            "ends in a classification, layer 'predictions'.*include_top=False",
        ),
        (
            {"backbone_arguments": {"alpha": 0.5}},
            "backbone is already a model",
        ),
        (
            {
                "backbone": factory_harness.tiny_backbone,
                "backbone_arguments": {"include_top": True},
            },
            "holds 'include_top'",
        ),
        ({"feature_layers": "relu_1"}, "expected a dict from task name"),
        (
            {"feature_layers": {"mas": "relu_1"}},
            "not a task. Did you mean 'mask'",
        ),
        (
            {"feature_layers": {"kind": "relu_3"}},
            "'two_levels' has no layer 'relu_3'. Did you mean 'relu_",
        ),
        ({"feature_layers": {"kind": []}}, "expected the name of a layer"),
        (
            {"feature_layers": {"kind": ["relu_1", "relu_2"]}},
            r"lists 2 layers, .*a Classification reads one",
        ),
        (
            {
                "backbone": backbone(pooled=True),
                "feature_layers": {"mask": "mean"},
            },
            r"'mask' \(Segmentation\) reads layer 'mean' of shape \(None, 6\)",
        ),
        (
            {"backbone": backbone((10, 10, 3))},
            "ends in maps of 3 x 3, but a decoder needs 10 x 10",
        ),
        (
            {
                "backbone": backbone((10, 10, 3)),
                "feature_layers": {"mask": "relu_2"},
            },
            "'relu_2' has maps of 3 x 3, and 10 x 10 is not an integer",
        ),
        (
            {"backbone": backbone((None, None, 3))},
            "ends in maps of None x None",
        ),
        ({"tasks": [SequenceTagging("tags", 3)]}, "features of rank 3"),
        ({"decoder_filters": 0}, "decoder_filters: found 0"),
    ],
)
def test_wrong_arguments(network, arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        build_from_backbone(
            **{"backbone": network, "tasks": [CLASS, MASK], **arguments}
        )


def test_a_layer_of_another_rank():
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.Reshape((64, 3), name="tokens")(inputs)
    network = keras.Model(inputs, keras.layers.Dense(4, name="per_token")(x))
    with pytest.raises(ValueError, match=r"'per_token' of shape \(None, 64, 4"):
        build_from_backbone(backbone=network, tasks=[CLASS])
