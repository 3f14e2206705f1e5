"""Search spaces: ranges, choices, fixed values and errors."""

import inspect

import keras
import keras_tuner
import pytest
from factory_harness import mostly_slow
from tuning_problem import SMALL, build

import mtl_keras
from mtl_keras import models, tuning
from mtl_keras.tuning.dimensions import (
    Choices,
    Fixed,
    Range,
    read_dimension,
)
from mtl_keras.tuning.loss_weight_ratios import from_ratios


def hyper_model(space, factory=build, **arguments):
    arguments = {"merge": False, **arguments}
    return tuning.MultiTaskHyperModel(factory, space, **arguments)


def values(space, **given):
    """Returns the arguments of the factory for values of a space."""
    model = hyper_model(space, **given.pop("arguments", {}))
    hp = keras_tuner.HyperParameters()
    hp.values.update(given.pop("hp", {}))
    return model.arguments(model.space.declare(hp))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((1, 4), Range("x", 1, 4, "linear")),
        ((8, 80), Range("x", 8, 80, "log")),
        ((0.0, 0.5), Range("x", 0.0, 0.5, "linear")),
        ((1e-4, 1e-2), Range("x", 1e-4, 1e-2, "log")),
        ((1e-4, 1e-2, "linear"), Range("x", 1e-4, 1e-2, "linear")),
        ({"low": 1, "high": 4, "scale": "log"}, Range("x", 1, 4, "log")),
        ((3, 3), Fixed("x", 3)),
        ([1, 2], Choices("x", (1, 2))),
        ([(8, 4)], Fixed("x", (8, 4))),
        ((32, 32, 3), Fixed("x", (32, 32, 3))),
        ("batch", Fixed("x", "batch")),
        (None, Fixed("x", None)),
    ],
)
def test_dimensions_are_read(given, expected):
    assert read_dimension("x", given) == expected


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((5, 2), r"x: the range \(5, 2\) begins above its end"),
        ((0.0, float("inf")), "not finite"),
        ((0.0, 1.0, "log"), "on a log scale begins at 0"),
        ((1.0, 2.0, "square"), "scale 'square'"),
        ([], "the list of choices is empty"),
        (["a", "a"], "has a duplicate choice"),
        ({"low": 1, "high": 2, "sampling": "log"}, "sampling"),
    ],
)
def test_bad_dimensions_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        read_dimension("x", given)


def test_choices_of_any_kind_go_through_keras_tuner_and_back():
    content = [None, "batch", 3, (8, 4), {"class_name": "dwa"}]
    choices = read_dimension("x", content)
    for at, label in enumerate(choices.labels):
        hp = keras_tuner.HyperParameters()
        hp.values["x"] = label
        assert choices.declare(hp) == content[at]
        assert choices.value(label) == content[at]


@pytest.mark.parametrize(
    "name", mostly_slow(models.names(), ["build_esmm", "build_mlp"])
)
def test_every_factory_publishes_a_space_of_its_arguments(name):
    factory = models.get(name)
    space = tuning.space_of(factory)
    assert {"learning_rate", "loss_weight"} <= set(space)
    taken = inspect.signature(factory).parameters
    assert ("trunk_width" in space) == ("trunk_width" in taken)
    found = tuning.MultiTaskHyperModel(factory)
    tasks = list(found.tasks)
    assert list(found.space.weighted_tasks) == tasks[1:]
    model = found.build(keras_tuner.HyperParameters())
    assert model.compiled


def own_space(name):
    """Returns the entries of a factory besides the default space."""
    published = getattr(models.get(name), "search_space", {})
    usual = {"learning_rate", "trunk_width", "trunk_depth"}
    return {n: published[n] for n in sorted(published.keys() - usual)}


@pytest.mark.parametrize(
    "name",
    mostly_slow(
        [name for name in models.names() if own_space(name)], ["build_mmoe"]
    ),
)
def test_published_spaces_can_be_built_with_the_narrowest_trunk(name):
    factory = models.get(name)
    space = tuning.space_of(factory)
    least = {n: min(space[n]) for n in ("trunk_width",) if n in space}
    for argument, values in own_space(name).items():
        assert space[argument] == values
        for value in (min(values), max(values)):
            factory(**{**least, argument: value}, compile=False)


def test_families_publish_their_experts_and_their_rank():
    assert tuning.space_of(mtl_keras.build_mmoe)["num_experts"] == [2, 4, 8, 16]
    assert {"shared_experts", "task_experts"} <= set(
        tuning.space_of(mtl_keras.build_ple)
    )
    assert "rank" in tuning.space_of(mtl_keras.build_low_rank_mlp)


def test_custom_callables_publish_their_space():
    def factory(width=4):
        return build(width)

    assert tuning.space_of(factory) == {}
    factory.search_space = {"width": [4, 8]}
    assert tuning.space_of(factory) == {"width": [4, 8]}
    found = tuning.MultiTaskHyperModel(factory)
    assert found.space["width"].values == (4, 8)


def test_a_space_overrides_the_factorys_space():
    space = {"input_shape": [(6,)], "trunk_width": [4, 8], "dropout": 0.0}
    found = tuning.MultiTaskHyperModel(mtl_keras.build_mlp, space).space
    assert found["trunk_width"].values == (4, 8)
    assert isinstance(found["dropout"], Fixed)
    assert found["learning_rate"].scale == "log"


def test_explicit_widths_replace_the_published_ones():
    found = tuning.MultiTaskHyperModel(mtl_keras.build_mlp, SMALL).space
    assert "trunk_width" not in found and "trunk_depth" not in found


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({}, "The space is empty"),
        ({"trunk_widht": [4, 8]}, "Did you mean 'trunk_width'"),
        ({"loss_weight/rigth": (0.1, 10)}, "Did you mean 'loss_weight/right'"),
        ({"loss_weight/left": (0.1, 10)}, "ratios to the weight of"),
        ({"loss_weight/right": (-1.0, 1.0)}, "0 or more"),
        ({"loss_weight/right": ["a", "b"]}, "0 or more"),
        (
            {"loss_weight": (0.1, 10), "loss_weights": {"left": 2.0}},
            "Leave one of the two out",
        ),
    ],
)
def test_bad_spaces_are_refused(space, message):
    with pytest.raises(ValueError, match=message):
        hyper_model(space)


@pytest.mark.parametrize(
    "space",
    [
        {"loss_weight": 0},
        {"loss_weight/left": (0.0, 1.0), "loss_weight/right": [0, 1]},
    ],
)
def test_weights_that_cannot_sum_are_refused(space):
    with pytest.raises(ValueError, match="all tasks"):
        hyper_model(space, loss_weights="plain")


def test_other_types_of_spaces_are_refused():
    with pytest.raises(TypeError, match="expected a dict"):
        hyper_model([1, 2])
    with pytest.raises(ValueError, match="loss_weights='rations'"):
        hyper_model({"trunk_width": 4}, loss_weights="rations")


def test_a_factory_that_takes_no_loss_weights_is_refused():
    def factory(width):
        return build(width)

    with pytest.raises(ValueError, match="has no such argument"):
        hyper_model({"loss_weight": (0.1, 10), "width": 4}, factory)


def test_ratios_sum_to_the_number_of_tasks():
    own = {"a": 1.0, "b": 1.0, "c": 2.0}
    weights = from_ratios({"b": 4.0}, own)
    assert sum(weights.values()) == pytest.approx(3)
    assert weights["b"] / weights["a"] == pytest.approx(4)
    assert weights["c"] / weights["a"] == pytest.approx(2)


def test_weights_arrive_as_ratios_or_plain():
    space = {"loss_weight/right": (0.1, 10.0)}
    hp = {"loss_weight/right": 3.0}
    assert values(space, hp=hp).loss_weights == {"left": 0.5, "right": 1.5}
    plain = values(space, hp=hp, arguments={"loss_weights": "plain"})
    assert plain.loss_weights == {"right": 3.0}


def test_learning_rate_goes_to_the_optimizer_that_the_space_names():
    space = {"learning_rate": (1e-4, 1e-1), "optimizer": ["sgd", "adam"]}
    hp = {"learning_rate": 0.02, "optimizer": "adam"}
    found = values(space, hp=hp).keywords(build)["optimizer"]
    assert isinstance(found, keras.optimizers.Adam)
    assert float(found.learning_rate) == pytest.approx(0.02)


def test_a_schedule_and_a_rate_contradict():
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
    optimizer = keras.optimizers.SGD(schedule)
    space = {"optimizer": optimizer, "learning_rate": (0.1, 0.2)}
    model = hyper_model(space)
    with pytest.raises(ValueError, match="ExponentialDecay"):
        model.build(keras_tuner.HyperParameters())


def test_arguments_of_a_weighting_go_to_those_that_accept_them():
    space = {
        "input_shape": [(6,)],
        "weighting": [None, "dwa", "uncertainty"],
        "weighting/temperature": (0.5, 4.0),
    }
    model = hyper_model(space, mtl_keras.build_mlp)
    hp = keras_tuner.HyperParameters()
    hp.values.update({"weighting": "dwa", "weighting/temperature": 3.0})
    assert model.build(hp).weighting.temperature == 3.0
    hp = keras_tuner.HyperParameters()
    hp.values["weighting"] = "uncertainty"
    assert type(model.build(hp).weighting).__name__ == "Uncertainty"
    hp = keras_tuner.HyperParameters()
    hp.values["weighting"] = model.space["weighting"].labels[0]
    assert model.build(hp).weighting is None


def test_an_unknown_argument_of_a_weighting_is_refused():
    space = {"weighting": ["dwa", "rlw"], "weighting/temprature": (1.0, 2.0)}
    with pytest.raises(ValueError, match="Did you mean 'temperature'"):
        hyper_model({**SMALL, **space}, mtl_keras.build_mlp)


def test_points_are_counted():
    space = {"trunk_width": [2, 4, 8], "loss_weight/right": [0.5, 1, 2]}
    assert hyper_model(space).space.num_points == 9
    space["learning_rate"] = (0.1, 0.2)
    assert hyper_model(space).space.num_points is None


def test_any_callable_that_takes_all_arguments_does():
    seen = []

    def factory(**arguments):
        seen.append(arguments)
        return build(arguments.get("width", 4))

    model = hyper_model({"width": [2, 3], "depth": 1}, factory)
    model.build(keras_tuner.HyperParameters())
    assert seen[-1] == {"width": 2, "depth": 1}


def test_uncompiled_models_are_refused():
    def factory(width):
        return build(width, compile=False)

    model = hyper_model({"width": [2, 3]}, factory)
    with pytest.raises(TypeError, match="without compiling"):
        model.build(keras_tuner.HyperParameters())


def test_equal_objects_are_described_alike():
    def described(rate, given):
        optimizers = [keras.optimizers.Adam(rate), keras.optimizers.SGD()]
        layers = [keras.layers.Normalization(axis=-1)]
        space = {
            "optimizer": optimizers if given is list else optimizers[0],
            "preprocessing": [layers],
            "input_shape": [(6,)],
        }
        model = hyper_model(space, mtl_keras.build_mlp)
        return model.space.describe()

    for kind in (list, None):
        assert described(0.1, kind) == described(0.1, kind)
    assert described(0.1, None) != described(0.2, None)
