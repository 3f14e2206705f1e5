"""Every factory passes its arguments on to `compile`, layers and heads.

Nothing is trained or traced: one model shows the arguments that arrived.
"""

import keras
import pytest
from factory_harness import SMALL, built, takes

from mtl_keras import models


@pytest.fixture
def half_precision():
    """Builds models under mixed precision."""
    keras.config.set_dtype_policy("mixed_bfloat16")
    yield
    keras.config.set_dtype_policy("float32")


def test_arguments_arrive(factory_name, half_precision):
    build, small = models.get(factory_name), SMALL[factory_name]
    optimizer = keras.optimizers.SGD(0.5)
    preprocessing = keras.layers.Identity(name="mine")
    weights = {task.name: 0.25 for task in built(factory_name).tasks}
    of_layers = {"dropout": 0.2, "l2": 0.1, "preprocessing": preprocessing}
    model = build(
        **small,
        **{k: v for k, v in of_layers.items() if takes(factory_name, k)},
        weighting="uncertainty",
        gradients="features",
        loss_weights=weights,
        optimizer=optimizer,
        name="called",
    )
    assert model.name == "called"
    assert model.optimizer is optimizer
    assert dict(model.loss_weights) == weights
    assert type(model.weighting).__name__ == "Uncertainty"
    assert model.get_compile_config()["gradients"] == "features"
    # Heads compute in float32.
    assert {out.dtype for out in model.output.values()} == {"float32"}
    kinds = [type(layer).__name__ for layer in model.layers]
    if takes(factory_name, "dropout"):
        assert any("Dropout" in kind for kind in kinds)
    if takes(factory_name, "l2"):
        assert any(v.regularizer for v in model.trainable_variables)
    if takes(factory_name, "preprocessing"):
        assert model.get_layer("mine") is preprocessing
        (node,) = preprocessing._inbound_nodes
        assert node.input_tensors[0] is model.inputs[0]
