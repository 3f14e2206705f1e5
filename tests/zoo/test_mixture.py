"""Recipes with mixtures of small files in the original formats."""

import json

import image_files
import keras
import numpy as np
import pytest

import mtl_keras
from mtl_keras import zoo
from mtl_keras.zoo import batches, mixture
from mtl_keras.zoo.read import check_recipe

DIGITS, CIFAR = "cnn_mnist_fashion", "cnn_cifar10_cifar100"
# Number of samples of both sets to train on, to validate and to test.
PARTS = {DIGITS: (72, 8, 40), CIFAR: (144, 16, 30)}
TASKS = {
    DIGITS: {"digit": 10, "clothing": 10},
    CIFAR: {"cifar10": 10, "cifar100": 100},
}


@pytest.fixture(autouse=True)
def keras_home(monkeypatch, tmp_path):
    """Creates a Keras cache with small data sets."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    cache = tmp_path / "keras" / "datasets"
    image_files.write_mnist(cache / "mnist.npz")
    image_files.write_fashion_mnist(cache / "fashion-mnist")
    image_files.write_cifar10(cache / "cifar-10-batches-py")
    image_files.write_cifar100(cache / "cifar-100-python")


def entry(name, **fit):
    """Returns the recipe of an entry with a small network and few epochs."""
    values = zoo.load_recipe(name).model_dump()
    values["factory"]["arguments"] |= {"filters": [2, 2], "hidden_units": [8]}
    values["fit"] |= {"epochs": 1, "batch_size": 16, **fit}
    return zoo.Recipe.model_validate(values)


def changed(recipe, **arguments):
    """Returns a recipe with other arguments of the mixture."""
    values = recipe.model_dump()
    values["data"]["arguments"] = arguments
    return zoo.Recipe.model_validate(values)


@pytest.mark.parametrize("family", PARTS)
def test_parts_of_each_set_are_joined(family):
    data = zoo.load_data(entry(f"{family}_joint"))
    names = list(TASKS[family])
    assert [task.name for task in data.tasks] == names
    assert [task.num_classes for task in data.tasks] == [
        *TASKS[family].values()
    ]
    parts = (data.train, data.validation, data.test)
    assert tuple(len(x) for x, _ in parts) == PARTS[family]
    for x, y in parts:
        labelled = [y[name] >= 0 for name in names]
        # Each sample is labelled for the task of its own set.
        np.testing.assert_array_equal(labelled[0], ~labelled[1])
        # So that the first few show samples of both.
        assert set(labelled[0][:4]) == {True, False} or x is data.train[0]
    sizes = [len(x) for x, _ in data.sets.values()]
    assert sum(sizes) == len(data.train[0])
    assert all(
        np.shares_memory(x, data.train[0]) for x, _ in data.sets.values()
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("family", "schedule"),
    [
        (DIGITS, "alternate"),
        pytest.param(CIFAR, "joint", marks=pytest.mark.slow),
        pytest.param(CIFAR, "alternate", marks=pytest.mark.slow),
        pytest.param(DIGITS, "joint", marks=pytest.mark.slow),
    ],
)
def test_entries_train(family, schedule, tmp_path):
    recipe = entry(f"{family}_{schedule}")
    metrics = zoo.train(recipe, tmp_path / "run")
    model = mtl_keras.load_model(tmp_path / "run" / "model.keras")
    shapes = {task: (count,) for task, count in TASKS[family].items()}
    assert model.task_output_shapes == shapes
    again = zoo.load_recipe(tmp_path / "run" / "recipe.toml")
    assert again.data == recipe.data
    assert set(metrics["test"]) == set(shapes)
    # The metrics are those of the model on each data set alone.
    for table in again.data.sets:
        dataset = mtl_keras.datasets.get(table)
        (task,) = (task.name for task in dataset.tasks())
        _, (x, y) = dataset.load_data()
        predicted = model.predict(x, verbose=0)[task].argmax(axis=-1)
        accuracy = (predicted == y[task]).mean()
        assert metrics["test"][task]["accuracy"] == pytest.approx(accuracy)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("schedule", "options"),
    [("annealed", {"steps_per_epoch": 4}), ("joint", {})],
)
def test_resumed_runs_equal_uninterrupted_ones(tmp_path, schedule, options):
    recipe = changed(
        entry(f"{DIGITS}_joint", epochs=3), schedule=schedule, **options
    )

    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                raise KeyboardInterrupt

    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    zoo.train(recipe, whole, seed=3)
    with pytest.raises(KeyboardInterrupt):
        zoo.train(recipe, stopped, seed=3, callbacks=[Stop()])
    assert not (stopped / "metrics.json").exists()
    zoo.train(recipe, stopped, seed=3, resume=True)
    histories = [(run / "history.csv").read_text() for run in (stopped, whole)]
    assert histories[0] == histories[1]
    arrays = [
        mtl_keras.load_model(folder / "model.keras").get_weights()
        for folder in (whole, stopped)
    ]
    for here, there in zip(*arrays, strict=True):
        np.testing.assert_array_equal(here, there)


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param({"schedule": "joint"}, marks=pytest.mark.slow),
        {"schedule": "joint", "shares": {"mnist": 3, "fashion_mnist": 1}},
        pytest.param(
            {"schedule": "alternate", "steps_per_epoch": "shortest"},
            marks=pytest.mark.slow,
        ),
        {"schedule": "annealed"},
        {"schedule": "square_root", "steps_per_epoch": 5, "shuffle": False},
    ],
)
def test_steps_are_those_of_the_stream(arguments):
    recipe = changed(entry(f"{DIGITS}_joint", epochs=2), **arguments)
    data = zoo.load_data(recipe)
    stream = mixture.mixed_batches(recipe, data, 0)
    assert len(stream) == 2 * batches.steps_per_epoch(recipe, data)


def test_recipes_adapt_data_sets_of_several_shapes(tmp_path):
    values = entry(f"{DIGITS}_joint").model_dump()
    values["data"] = {
        "name": "mix",
        "arguments": {"image_size": [16, 16], "channels": 3},
        "sets": {"mnist": {}, "colour": {"name": "cifar10"}},
    }
    recipe = zoo.Recipe.model_validate(values)
    data = zoo.load_data(recipe)
    assert data.train[0].shape[1:] == (16, 16, 3)
    x, y = next(iter(mixture.mixed_batches(recipe, data, 0)))
    assert x.shape == (16, 16, 16, 3)
    assert set(y) == {"digit", "cifar10"}
    with pytest.raises(ValueError, match=r"'mnist' has .* image_size="):
        zoo.load_data(changed(recipe))


def test_tasks_of_the_recipe_are_chosen():
    values = entry(f"{DIGITS}_joint").model_dump()
    values["tasks"] = [
        {
            "kind": "Classification",
            "name": "clothing",
            "arguments": {"num_classes": 10, "loss_weight": 2.0},
        }
    ]
    data = zoo.load_data(zoo.Recipe.model_validate(values))
    assert [task.loss_weight for task in data.tasks] == [2.0]
    assert list(data.train[1]) == ["clothing"]
    assert all(list(y) == ["clothing"] for _, y in data.sets.values())


def test_one_name_for_two_tasks_is_refused():
    values = entry(f"{DIGITS}_joint").model_dump()
    values["data"]["arguments"] = {"image_size": [28, 28], "channels": 1}
    values["data"]["sets"] = {"mnist": {}, "other": {"name": "mnist"}}
    data = zoo.load_data(zoo.Recipe.model_validate(values))
    assert [task.name for task in data.tasks] == ["digit"]
    parts = {
        "one": data,
        "two": zoo.RecipeData(
            data.train,
            data.validation,
            data.test,
            (mtl_keras.Classification("digit", num_classes=5),),
        ),
    }
    recipe = zoo.Recipe.model_validate(values)
    with pytest.raises(ValueError, match="'digit' of data set 'two' differs"):
        mixture.join(parts, recipe)


def mix_tables(tmp_path, **scales):
    """Returns the recipe of a mixture of tables of one input."""
    sets = {}
    for name, scale in scales.items():
        path = tmp_path / f"{name}.csv"
        rows = [f"{n % 7 * scale},{n % 5 / 4}" for n in range(30)]
        path.write_text("\n".join([f"a,y_{name}", *rows]) + "\n")
        arguments = {"path": str(path), "tasks": [f"y_{name}"]}
        sets[name] = {"name": "from_csv", "arguments": arguments}
    values = {
        "name": "tables",
        "factory": {"name": "build_mlp", "arguments": {"hidden_units": [2]}},
        "data": {"name": "mix", "sets": sets},
    }
    return check_recipe(values, "a test")


def test_tables_of_other_encodings_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"'one' and 'two'.*standardized"):
        zoo.load_data(mix_tables(tmp_path, one=1, two=100))


@pytest.mark.parametrize("chosen", [False, True])
def test_tables_of_one_encoding_keep_it_with_all_their_tasks(tmp_path, chosen):
    recipe = mix_tables(tmp_path, one=1, two=1)
    if chosen:
        values = recipe.model_dump()
        tasks = [
            {"kind": "Regression", "name": f"y_{n}"} for n in recipe.data.sets
        ]
        recipe = check_recipe({**values, "tasks": tasks}, "a test")
    data = zoo.load_data(recipe)
    assert [task.name for task in data.encoding.tasks] == ["y_one", "y_two"]
    assert set(data.encoding.columns) == {"y_one", "y_two"}
    assert len(data.files) == 2
    encoded = data.encoding.encode({"a": np.arange(7.0)})[:, 0]
    for x, _ in data.sets.values():
        np.testing.assert_allclose(np.unique(x[:, 0]), np.sort(encoded))


RECIPE = """
[factory]
name = "build_cnn"
[data]
name = "mix"
arguments = { schedule = "joint" }
[data.sets.mnist]
[data.sets.clothes]
name = "fashion_mnist"
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("schedule", "shedule", "mean 'schedule'"),
        ("schedule =", "seed = 1, schedule =", "is set in seeds"),
        ("[data.sets.mnist]", "[data.sets.mnits]", "mean 'mnist'"),
        (
            "[data.sets.mnist]",
            "[data.sets.mnist]\narguments = { pth = 1 }",
            "unknown argument 'data.sets.mnist.arguments.pth'",
        ),
        (
            "[data.sets.mnist]",
            "[data.sets.mnist]\nargments = {}",
            "'data.sets.mnist.argments'. Did you mean 'arguments'",
        ),
        ('name = "mix"', 'name = "mnist"', "needs name = 'mix'"),
        (RECIPE[RECIPE.index("[data.sets.mnist]") :], "", "'data.sets' is mis"),
    ],
)
def test_errors_are_one_line(tmp_path, old, new, said):
    path = tmp_path / "mine.toml"
    path.write_text(RECIPE)
    assert len(zoo.load_recipe(path).data.sets) == 2
    path.write_text(RECIPE.replace(old, new, 1))
    with pytest.raises(ValueError) as error:
        zoo.load_recipe(path)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_written_recipe_is_read_again(tmp_path):
    recipe = entry(f"{CIFAR}_alternate")
    path = tmp_path / "recipe.toml"
    zoo.read.write_recipe(recipe, path)
    again = zoo.load_recipe(path)
    assert json.loads(again.data.model_dump_json()) == json.loads(
        recipe.data.model_dump_json()
    )
