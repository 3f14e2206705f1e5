"""What every factory hands on to `compile`, its inputs and its layers.

Nothing is trained or traced: what arrived is read from the model.
"""

import keras
import numpy as np
from factory_harness import build_small, skip_without, takes


def test_arguments_of_compile_arrive(factory_name):
    arguments = {"gradients": "features", "weighting": "uncertainty"}
    arguments = {k: v for k, v in arguments.items() if takes(factory_name, k)}
    first, *others = build_small(factory_name, compile=False).tasks
    model = build_small(
        factory_name,
        loss_weights={first.name: 0.25},
        optimizer=keras.optimizers.SGD(0.5),
        name="mine",
        **arguments,
    )
    assert dict(model.loss_weights) == {
        first.name: 0.25,
        **{task.name: task.loss_weight for task in others},
    }
    assert isinstance(model.optimizer, keras.optimizers.SGD)
    assert model.name == "mine"
    found = model.get_compile_config()
    assert found["gradients"] == "features"
    assert type(model.weighting).__name__ == "Uncertainty"


def test_weights_arrive(factory_name, tmp_path):
    model = build_small(factory_name, compile=False)
    model.save_weights(tmp_path / "model.weights.h5")
    again = build_small(
        factory_name, compile=False, weights=tmp_path / "model.weights.h5"
    )
    for mine, theirs in zip(model.weights, again.weights, strict=True):
        np.testing.assert_array_equal(theirs.numpy(), mine.numpy())


def test_preprocessing_comes_first(factory_name):
    skip_without(factory_name, "preprocessing")
    layer = keras.layers.Identity(name="mine")
    model = build_small(factory_name, compile=False, preprocessing=layer)
    (node,) = model.get_layer("mine")._inbound_nodes
    (read,) = node.input_tensors
    assert read is model.inputs[0]
    assert model.get_layer("mine") is layer


def test_settings_of_hidden_layers_arrive(factory_name):
    skip_without(factory_name, "dropout", "l2")
    model = build_small(factory_name, compile=False, dropout=0.2, l2=0.1)
    kinds = [type(layer).__name__ for layer in model.layers]
    assert any("Dropout" in kind for kind in kinds)
    assert any(v.regularizer is not None for v in model.trainable_variables)


def test_heads_compute_in_float32(factory_name):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = build_small(factory_name, compile=False)
    finally:
        keras.config.set_dtype_policy("float32")
    dtypes = {output.dtype for output in model.output.values()}
    assert dtypes == {"float32"}
