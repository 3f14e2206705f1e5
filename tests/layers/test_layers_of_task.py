"""The layers of one task compute the same as the layer of all tasks."""

import keras
import numpy as np
import pytest

from mtl_keras.layers import (
    CrossStitch,
    LowRankDense,
    SoftSharedDense,
    TaskRelationDense,
    WeightedSum,
)

CASES = {
    "cross_stitch": (lambda: CrossStitch(3), (WeightedSum,)),
    "cross_stitch_by_channel": (
        lambda: CrossStitch(3, per_channel=True),
        (WeightedSum,),
    ),
    "low_rank": (
        lambda: LowRankDense(5, 2, 3, activation="tanh"),
        (keras.layers.Dense, keras.layers.Dense),
    ),
    "low_rank_without_bias": (
        lambda: LowRankDense(5, 2, 3, use_bias=False),
        (keras.layers.Dense, keras.layers.Dense),
    ),
    "soft_shared": (
        lambda: SoftSharedDense(5, 3, activation="relu"),
        (keras.layers.Dense,),
    ),
    "soft_shared_without_bias": (
        lambda: SoftSharedDense(5, 3, use_bias=False),
        (keras.layers.Dense,),
    ),
    "relations": (lambda: TaskRelationDense(5, 3), (keras.layers.Dense,)),
    "relation_matrix": (
        lambda: TaskRelationDense(5, 3, form="matrix"),
        (keras.layers.Dense,),
    ),
}


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("case", CASES)
def test_the_layers_of_a_task_compute_its_call(case, policy, rng):
    make, kinds = CASES[case]
    layer = make()
    layer.dtype_policy = keras.dtype_policies.get(policy)
    x = rng.normal(size=(6, 4)).astype("float32")
    inputs = [x, 2 * x, -x] if isinstance(layer, CrossStitch) else x
    layer(inputs, task=0)
    layer.set_weights([rng.normal(size=w.shape) for w in layer.weights])
    for task in range(3):
        chain = layer.task_layers(_tensors(inputs), task=task)
        assert tuple(map(type, chain)) == kinds
        assert len({each.name for each in chain}) == len(chain)
        found = inputs
        for each in chain:
            assert each.dtype_policy.name == policy
            found = each(found)
        expected = layer(inputs, task=task)
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(
            np.asarray(found, "float32"),
            np.asarray(expected, "float32"),
            rtol=1e-5 if policy == "float32" else 0.05,
            atol=1e-6 if policy == "float32" else 0.05,
        )


def _tensors(inputs):
    return keras.tree.map_structure(keras.ops.convert_to_tensor, inputs)


def test_they_have_variables_of_their_own(rng):
    layer = SoftSharedDense(5, 2)
    x = rng.normal(size=(6, 4)).astype("float32")
    before = layer(x, task=1)
    (single,) = layer.task_layers(_tensors(x), task=1)
    single.kernel.assign(0 * single.kernel)
    np.testing.assert_array_equal(layer(x, task=1), before)


def test_they_keep_the_penalty_of_the_kernel(rng):
    layer = LowRankDense(5, 2, 2, kernel_regularizer="l2")
    x = rng.normal(size=(6, 4)).astype("float32")
    layer(x, task=0)
    chain = layer.task_layers(_tensors(x), task=1)
    found = sum(float(sum(each.losses)) for each in chain)
    kernels = [layer.basis, layer.factors[1]]
    expected = sum(0.01 * float((k.numpy() ** 2).sum()) for k in kernels)
    assert found == pytest.approx(expected, rel=1e-5)
