"""A new head on a trained model."""

import contextlib

import keras
import numpy as np
import pytest
from factory_harness import (
    build_small,
    built,
    predictions,
    random_data,
    random_inputs,
)

import mtl_keras
from mtl_keras import MultiTaskModel, Regression, Segmentation, add_task

NEW = Regression("new")


def build():
    return build_small(
        "build_mlp",
        normalization="batch",
        optimizer=keras.optimizers.Adam(0.02),
        loss_weights={"left": 0.3},
        weighting="uncertainty",
    )


def fit(model, x, y, epochs=1):
    """Trains eagerly, because tracing a graph takes longer."""
    model.run_eagerly = True
    return model.fit(x, y, epochs=epochs, verbose=0).history


def get_node_variables(model):
    """Returns all variables that training changes."""
    return [
        *model.variables,
        *model.optimizer.variables,
        *model.weighting.variables,
    ]


@pytest.fixture(scope="module")
def training():
    """Returns a trained model and the values of its variables."""
    keras.utils.set_random_seed(0)
    model = build()
    data = random_data(model, 16, np.random.default_rng(0))
    fit(model, *data)
    return model, [variable.numpy() for variable in get_node_variables(model)]


@pytest.fixture
def trained(training):
    """Returns a trained model with batch normalization."""
    model, values = training
    model.loss_weights.update({"left": 0.3, "right": 1.0})
    for variable, value in zip(get_node_variables(model), values, strict=True):
        variable.assign(value)
    return model


@contextlib.contextmanager
def untouched(model):
    """Checks that a model does not change meanwhile."""

    def calls():
        return [len(layer._inbound_nodes) for layer in model.layers]

    before, calls_before = weights_by_path(model), calls()
    state = [v.numpy() for v in model.optimizer.variables]
    flags = [v.trainable for v in model.variables]
    yield
    assert not moved(before, model)
    assert flags == [v.trainable for v in model.variables]
    assert calls_before == calls()
    for old, now in zip(state, model.optimizer.variables, strict=True):
        np.testing.assert_array_equal(old, now.numpy())
    assert model.output_names == ["left", "right"]


def targets(model, count, rng, **others):
    y = {"new": rng.normal(size=count).astype("float32")}
    return {task.name: None for task in model.tasks} | others | y


def weights_by_path(model):
    return {w.path: w.numpy() for w in model.weights}


def moved(before, model):
    """Returns the paths of the weights that changed."""
    return {
        w.path
        for w in model.weights
        if w.path in before and (before[w.path] != w.numpy()).any()
    }


def test_a_frozen_trunk_and_the_other_tasks_do_not_change(trained, rng):
    extended = add_task(trained, NEW)
    assert [task.name for task in extended.tasks] == ["left", "right", "new"]
    x = random_inputs(trained, 12, rng)
    expected = predictions(trained, x)
    before = weights_by_path(extended)
    history = fit(extended, x, targets(trained, 12, rng), epochs=2)
    assert moved(before, extended) == {"new/kernel", "new/bias"}
    found = predictions(extended, x)
    for task, values in expected.items():
        np.testing.assert_array_equal(found[task], values)
    assert set(history) == {"loss", "new_loss", "new_mae", "new_rmse"}


@pytest.mark.slow
def test_a_frozen_trunk_learns_the_new_task_from_the_features(trained, rng):
    extended = add_task(trained, NEW, optimizer=keras.optimizers.Adam(0.1))
    x = random_inputs(trained, 64, rng)
    features = keras.Model(
        trained.input, trained.get_layer("trunk_activation_1").output
    )(x)
    y = 1 + np.asarray(features) @ rng.normal(size=(8,)).astype("float32")
    history = extended.fit(
        x, targets(trained, 64, rng) | {"new": y}, epochs=150, verbose=0
    ).history
    # A linear function of what the head reads: it can be learned whole.
    assert history["new_rmse"][-1] < 0.1 * y.std()


def test_a_fine_tuned_trunk_trains_with_only_the_new_task(trained, rng):
    tuned = add_task(trained, NEW, trunk="fine_tuned", name="tuned")
    assert tuned.output_names == ["new"] and tuned.name == "tuned"
    x = random_inputs(trained, 12, rng)
    before = weights_by_path(tuned)
    fit(tuned, x, {"new": targets(trained, 12, rng)["new"]})
    assert moved(before, tuned) == set(before)
    assert tuned.weighting is None


def test_joint_training_keeps_the_compile_arguments(trained, rng):
    trained.loss_weights["right"] = 0.7
    new = Regression("new", loss_weight=0.2)
    with untouched(trained):
        joint = add_task(trained, new, trunk="joint")
    assert dict(joint.loss_weights) == {"left": 0.3, "right": 0.7, "new": 0.2}
    assert type(joint.weighting) is type(trained.weighting)
    assert joint.weighting is not trained.weighting
    assert joint.weighting.task_names == ("left", "right", "new")
    assert joint.optimizer.get_config() == trained.optimizer.get_config()
    assert int(joint.optimizer.iterations) == 0
    before = weights_by_path(joint)
    with untouched(trained):
        history = fit(joint, *random_data(joint, 16, rng))
    assert moved(before, joint) == set(before)
    assert {"left_accuracy", "right_accuracy", "new_rmse"} <= set(history)


@pytest.mark.slow
@pytest.mark.parametrize("trunk", ["frozen", "fine_tuned", "joint"])
def test_the_original_is_untouched(trained, rng, trunk):
    with untouched(trained):
        extended = add_task(trained, NEW, trunk=trunk)
        x = random_inputs(trained, 12, rng)
        y = random_data(extended, 12, rng)[1]
        extended.fit(x, y, verbose=0)


def test_compile_arguments_replace_those_of_the_model(trained):
    joint = add_task(
        trained,
        NEW,
        trunk="joint",
        optimizer="sgd",
        weighting=None,
        loss_weights={"new": 2.0},
        metrics={"new": ["mse"]},
    )
    assert isinstance(joint.optimizer, keras.optimizers.SGD)
    assert joint.weighting is None
    assert dict(joint.loss_weights) == {"left": 0.3, "right": 1.0, "new": 2.0}


def test_saving_loading_and_splitting(trained, rng, tmp_path):
    extended = add_task(trained, NEW)
    x = random_inputs(trained, 12, rng)
    fit(extended, x, targets(trained, 12, rng))
    extended.save(tmp_path / "extended.keras")
    loaded = keras.models.load_model(tmp_path / "extended.keras")
    before = weights_by_path(loaded)
    expected = predictions(extended, x)
    for task, values in predictions(loaded, x).items():
        np.testing.assert_allclose(values, expected[task], rtol=1e-6)
    fit(loaded, x, targets(trained, 12, rng))
    assert moved(before, loaded) == {"new/kernel", "new/bias"}
    part = mtl_keras.split(extended)["new"]
    np.testing.assert_allclose(
        predictions(part, x), expected["new"], rtol=1e-6, atol=1e-6
    )


@pytest.mark.slow
def test_two_tasks_in_a_row(trained, rng):
    extended = add_task(add_task(trained, NEW), Regression("newer"))
    x = random_inputs(trained, 8, rng)
    y = targets(trained, 8, rng) | {"new": None, "newer": rng.normal(size=8)}
    before = weights_by_path(extended)
    fit(extended, x, y)
    assert moved(before, extended) == {"newer/kernel", "newer/bias"}


@pytest.mark.slow
def test_two_replicas_train_the_head_alike(rng, two_replicas):
    results = []
    x = rng.normal(size=(16, 6)).astype("float32")
    y = rng.normal(size=16).astype("float32")
    model = build_small("build_mlp", optimizer="sgd")
    weights = model.get_weights()
    with two_replicas.scope():
        twin = build_small("build_mlp", optimizer="sgd")
    twin.set_weights(weights)
    for each in (model, twin):
        extended = add_task(each, NEW)
        head = extended.get_layer("new")
        head.set_weights([np.ones((8, 1)), np.zeros(1)])
        targets = {"left": None, "right": None, "new": y}
        extended.fit(x, targets, batch_size=8, shuffle=False, verbose=0)
        results.append(head.get_weights())
    for mine, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(theirs, mine, rtol=1e-4, atol=1e-6)


# Where it is attached.


def features_of(model):
    """Returns the layer that the new head reads."""
    (tensor,) = model.get_layer("new")._inbound_nodes[0].input_tensors
    return tensor._keras_history.operation.name


def test_the_default_are_the_shared_features():
    assert features_of(add_task(build_small("build_mlp"), NEW)) == (
        "trunk_activation_1"
    )
    one = mtl_keras.build_mlp((4,), [Regression("a")], hidden_units=(3,))
    assert features_of(add_task(one, NEW)) == "trunk_activation_1"


def test_a_layer_can_be_named():
    model = built("build_hierarchical_mlp")
    low = "trunk_1_activation_1"
    assert features_of(add_task(model, NEW)) == low
    high = "trunk_2_activation_1"
    assert features_of(add_task(model, NEW, features=high)) == high


def test_a_tensor_computed_from_the_model(rng):
    model = built("build_cnn_cls_seg")
    level = model.get_layer("encoder_1_activation_1").output
    pooled = keras.layers.GlobalMaxPooling2D(name="pooled")(level)
    extended = add_task(model, NEW, features=pooled)
    assert features_of(extended) == "pooled"
    found = predictions(extended, random_inputs(model, 2, rng))
    assert np.isfinite(found["new"]).all()


def test_a_pixel_task_reads_a_map():
    model = built("build_cnn_cls_seg")
    mask = Segmentation("new", 1)
    with pytest.raises(ValueError, match="share several: 'encoder_2_act"):
        add_task(model, mask)
    extended = add_task(model, mask, features="decoder_1_activation_1")
    assert extended.output["new"].shape == (None, 8, 8, 1)


def test_fine_tuning_a_tower_removes_variables_of_other_tasks(rng):
    model = build_small("build_low_rank_mlp")
    tower = "two_way_tower_activation_1"
    tuned = add_task(model, NEW, features=tower, trunk="fine_tuned")
    assert all("factor_1" not in w.path for w in tuned.weights)
    before = weights_by_path(tuned)
    fit(tuned, random_inputs(model, 8, rng), {"new": np.ones(8)})
    assert moved(before, tuned) == set(before)


@pytest.mark.parametrize(
    ("factory", "message"),
    [
        ("build_soft_sharing_mlp", "share none. Choose one with features="),
        ("build_mmoe", "'experts_activation_1' of shape .None, 3, 4.. Choose"),
        ("build_cross_stitch_mlp", "share several: 'left_tower_activation_1'"),
        ("build_cnn_cls_seg", r"one of \['bottleneck_pool'\]"),
    ],
)
def test_ambiguous_defaults(factory, message):
    with pytest.raises(ValueError, match=message):
        add_task(built(factory), NEW)


@pytest.mark.parametrize(
    ("features", "error", "message"),
    [
        ("trunk_activation_2", ValueError, "Did you mean 'trunk_activation_1'"),
        ("trunk_1_pool", ValueError, "rank 2; features='trunk_1_pool' has"),
        ("image", ValueError, "is an input"),
        (3, TypeError, "features=3 of type int"),
    ],
)
def test_wrong_features(features, error, message):
    with pytest.raises(error, match=message):
        add_task(built("build_cnn"), NEW, features=features)


def test_a_layer_with_several_outputs_is_ambiguous():
    model = build_small("build_soft_sharing_mlp")
    with pytest.raises(ValueError, match="with 2 outputs"):
        add_task(model, NEW, features="trunk_dense_1")


def test_a_tensor_of_another_model_is_refused():
    other = build_small("build_mlp").get_layer("trunk_activation_1").output
    with pytest.raises(ValueError, match="does not depend on the"):
        add_task(build_small("build_mlp"), NEW, features=other)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"task": Regression("left")}, ValueError, "already has a task 'left'"),
        (
            {"task": Regression("trunk_dense_1")},
            ValueError,
            "also the name of a layer",
        ),
        ({"task": "left"}, TypeError, "task is 'left' of type str"),
        ({"trunk": "frosen"}, ValueError, "Did you mean 'frozen'"),
        ({"model": keras.Sequential()}, TypeError, "model is a Sequential"),
    ],
)
def test_wrong_arguments(arguments, error, message):
    given = {"model": built("build_mlp"), "task": NEW} | arguments
    with pytest.raises(error, match=message):
        add_task(given.pop("model"), given.pop("task"), **given)


def test_a_model_that_was_not_compiled_gets_the_default():
    model = build_small("build_mlp", compile=False)
    extended = add_task(model, NEW)
    assert extended.compiled and isinstance(extended, MultiTaskModel)
