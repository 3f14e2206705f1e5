"""Mixtures of experts."""

import keras
import numpy as np
import pytest
from factory_harness import (
    build_small,
    eager,
    predictions,
    random_data,
    random_inputs,
)

import mtl_keras
from mtl_keras import Regression, build_mlp, build_mmoe
from mtl_keras.training.gradients.shared_graph import split_shared_graph

TASKS = [Regression("a"), Regression("b", units=2)]
SMALL = {"hidden_units": (4,), "tower_units": (3,), "activation": "tanh"}


def softmax(logits):
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def weights_of(model, name):
    return [w.numpy() for w in model.get_layer(name).weights]


def experts_of(model, name, x):
    """Computes the outputs of experts, of shape `(batch, experts, units)`."""
    kernel, bias = weights_of(model, name)
    return np.tanh(np.einsum("bi,ieo->beo", x, kernel) + bias)


def gated(model, name, x, experts):
    (kernel,) = weights_of(model, name)
    return np.einsum("be,beu->bu", softmax(x @ kernel), experts)


def tower(model, name, x):
    kernel, bias = weights_of(model, f"{name}_tower_dense_1")
    x = np.tanh(x @ kernel + bias)
    kernel, bias = weights_of(model, name)
    return x @ kernel + bias


def assert_predicts(model, x, expected):
    for name, values in predictions(model, x).items():
        np.testing.assert_allclose(values, expected[name], atol=1e-5)


def test_mmoe_is_the_formula(rng):
    model = build_mmoe((5,), TASKS, num_experts=3, **SMALL)
    x = rng.normal(size=(6, 5)).astype("float32")
    experts = experts_of(model, "experts_dense_1", x)
    expected = {
        name: tower(model, name, gated(model, f"{name}_gate", x, experts))
        for name in ("a", "b")
    }
    assert_predicts(model, x, expected)


def test_mmoe_with_one_expert_is_hard_sharing(rng):
    model = build_mmoe(
        (5,), TASKS, num_experts=1, hidden_units=(8, 4), tower_units=()
    )
    hard = build_mlp((5,), TASKS, hidden_units=(8, 4))
    for mine, theirs in zip(
        hard.trainable_variables, model.trainable_variables, strict=True
    ):
        mine.assign(keras.ops.reshape(theirs, mine.shape))
    x = rng.normal(size=(6, 5)).astype("float32")
    assert_predicts(model, x, predictions(hard, x))


def test_cgc_is_the_formula(rng):
    model = mtl_keras.build_cgc(
        (5,), TASKS, shared_experts=2, task_experts=3, **SMALL
    )
    x = rng.normal(size=(6, 5)).astype("float32")
    shared = experts_of(model, "shared_experts_1_dense_1", x)
    expected = {}
    for name in ("a", "b"):
        own = experts_of(model, f"{name}_experts_1_dense_1", x)
        both = np.concatenate([own, shared], axis=1)
        expected[name] = tower(
            model, name, gated(model, f"{name}_gate_1", x, both)
        )
    assert_predicts(model, x, expected)


def test_ple_of_two_levels_is_the_formula(rng):
    model = mtl_keras.build_ple(
        (5,), TASKS, levels=2, shared_experts=2, task_experts=1, **SMALL
    )
    x = rng.normal(size=(6, 5)).astype("float32")
    own, shared = {"a": x, "b": x}, x
    for level in (1, 2):
        of_shared = experts_of(model, f"shared_experts_{level}_dense_1", shared)
        of_task = {
            name: experts_of(
                model, f"{name}_experts_{level}_dense_1", own[name]
            )
            for name in own
        }
        own = {
            name: gated(
                model,
                f"{name}_gate_{level}",
                own[name],
                np.concatenate([of_task[name], of_shared], axis=1),
            )
            for name in own
        }
        if level == 1:
            every = np.concatenate([*of_task.values(), of_shared], axis=1)
            shared = gated(model, "shared_gate_1", shared, every)
    expected = {name: tower(model, name, h) for name, h in own.items()}
    assert_predicts(model, x, expected)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        # PLE of one level is CGC, and CGC without own experts is MMoE.
        (("build_ple", {"levels": 1}), ("build_cgc", {})),
        (
            ("build_cgc", {"shared_experts": 3, "task_experts": 0}),
            ("build_mmoe", {"num_experts": 3}),
        ),
    ],
    ids=["ple-cgc", "cgc-mmoe"],
)
def test_special_cases_are_equal(first, second, rng):
    one, other = (
        mtl_keras.models.get(name)((5,), TASKS, **SMALL, **options)
        for name, options in (first, second)
    )
    other.set_weights(one.get_weights())
    x = random_inputs(one, 6, rng)
    assert_predicts(one, x, predictions(other, x))


def test_without_shared_experts_tasks_share_nothing():
    model = mtl_keras.build_ple((5,), TASKS, shared_experts=0, **SMALL)
    assert split_shared_graph(model).shared == ()


def test_dselect_k_is_its_gate_over_the_experts(rng):
    model = mtl_keras.build_dselect_k(
        (5,), TASKS, num_experts=4, k=2, per_sample=True, **SMALL
    )
    x = rng.normal(size=(6, 5)).astype("float32")
    experts = experts_of(model, "experts_dense_1", x)
    expected = {}
    for name in ("a", "b"):
        weights = model.get_layer(f"{name}_gate")(x).numpy()
        mixed = np.einsum("be,beu->bu", weights, experts)
        expected[name] = tower(model, name, mixed)
    assert_predicts(model, x, expected)


def test_an_expert_that_no_sharp_gate_selects_gets_no_gradient(rng):
    model = build_small("build_dselect_k", optimizer=keras.optimizers.SGD(0.1))
    model.run_eagerly = True
    for name in ("left", "right"):
        gate = model.get_layer(f"{name}_gate")
        gate.digits.assign([[-9.0, -9.0], [9.0, -9.0]])  # experts 0 and 1
    before = weights_of(model, "experts_dense_1")[0]
    model.train_on_batch(*random_data(model, 8, rng))
    moved = np.abs(weights_of(model, "experts_dense_1")[0] - before)
    assert moved[:, :2].max() > 0
    assert moved[:, 2:].max() == 0


def test_the_entropy_of_selectors_is_in_the_loss(rng):
    plain, pushed = (
        build_small("build_dselect_k", entropy=entropy) for entropy in (0, 0.5)
    )
    pushed.set_weights(plain.get_weights())
    x, y = random_data(plain, 8, rng)
    losses = [eager(m).evaluate(x, y, verbose=0)[0] for m in (plain, pushed)]
    # At the start all selectors are near uniform over 4 experts.
    assert losses[1] - losses[0] == pytest.approx(
        0.5 * 2 * 2 * np.log(4), rel=0.01
    )


@pytest.mark.parametrize("normalization", ["batch", "group", "layer"])
def test_experts_are_normalized_separately(normalization, rng):
    """Scaling one expert does not change the others."""
    model = build_mmoe(
        (5,),
        TASKS,
        num_experts=3,
        hidden_units=(32,),
        normalization=normalization,
    )
    # More than the small number that keeps variances above 0.
    x = 10 * random_inputs(model, 6, rng)
    layer = model.get_layer("experts_dense_1")
    experts = keras.Model(
        model.input, model.get_layer("experts_activation_1").output
    )
    before = experts(x, training=True).numpy()
    kernel = layer.kernel.numpy()
    kernel[:, 1] *= 5
    layer.kernel.assign(kernel)
    after = experts(x, training=True).numpy()
    np.testing.assert_allclose(after, before, atol=0.02)
    kernel[:, 1] = rng.normal(size=kernel[:, 1].shape)
    layer.kernel.assign(kernel)
    after = experts(x, training=True).numpy()
    np.testing.assert_allclose(after[:, [0, 2]], before[:, [0, 2]], atol=1e-5)
    assert np.abs(after[:, 1] - before[:, 1]).max() > 0.1


@pytest.mark.parametrize(
    ("factory", "arguments", "message"),
    [
        ("build_mmoe", {"num_experts": 0}, "num_experts: found 0"),
        (
            "build_cgc",
            {"shared_experts": 0, "task_experts": 0},
            "leave the gates without experts",
        ),
        ("build_ple", {"task_experts": -1}, "task_experts: found -1"),
        ("build_ple", {"levels": 0}, "levels: found 0"),
        ("build_ple", {"tasks": [Regression("shared")]}, "Task name 'shared'"),
        ("build_dselect_k", {"k": 9}, "k=9 is above num_experts=8"),
        ("build_dselect_k", {"num_experts": 1}, "leaves nothing to select"),
        ("build_mmoe", {"hidden_units": ()}, "hidden_units is empty"),
        ("build_mmoe", {"tower_units": (0,)}, "tower_units: found 0"),
    ],
)
def test_wrong_arguments(factory, arguments, message):
    with pytest.raises(ValueError, match=message):
        mtl_keras.models.get(factory)((5,), **arguments)
