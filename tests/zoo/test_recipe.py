"""Reading recipes, and errors in them."""

import keras
import pytest

from mtl_keras import zoo
from mtl_keras.zoo.model import build_model
from mtl_keras.zoo.read import write_recipe

RECIPE = """
description = "A test."
seeds = [3]
[factory]
name = "build_mlp"
[factory.arguments]
hidden_units = [4]
[data]
name = "digit_scenes"
[data.arguments]
num_train = 20
[optimizer]
name = "adamw"
learning_rate = 0.01
[fit]
epochs = 2
"""


def read(tmp_path, old="", new=""):
    """Reads the recipe with one change."""
    path = tmp_path / "mine.toml"
    path.write_text(RECIPE.replace(old, new, 1) if old else RECIPE)
    return zoo.load_recipe(path)


def test_reads(tmp_path):
    recipe = read(tmp_path)
    assert (recipe.name, recipe.seeds, recipe.fit.epochs) == ("mine", (3,), 2)
    assert recipe.factory.arguments == {"hidden_units": [4]}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("epochs = 2", "epoch = 2", "'fit.epoch'. Did you mean 'epochs'"),
        ("seeds", "seds", "unknown key 'seds'. Did you mean 'seeds'"),
        ("epochs = 2", "epochs = 0", "'fit.epochs' is 0"),
        ("epochs = 2", 'epochs = "2"', "'fit.epochs' is '2'"),
        ("[3]", "[]", "'seeds' is"),
        ("hidden_units", "hidden_unit", "Did you mean 'hidden_units'"),
        ("hidden_units = [4]", "optimizer = 1", "is set in [optimizer]"),
        ("build_mlp", "build_mpl", "Did you mean 'build_mlp'"),
        ("num_train", "nun_train", "Did you mean 'num_train'"),
        ("digit_scenes", "digit_scene", "Did you mean 'digit_scenes'"),
        ("adamw", "adamm", "unknown 'adamm'. Did you mean"),
        (
            "learning_rate = 0.01",
            '[optimizer.learning_rate]\nnam = "CosineDecay"',
            "'optimizer.learning_rate.nam'. Did you mean 'name'",
        ),
        (
            "learning_rate = 0.01",
            '[optimizer.learning_rate]\nname = "CosineDeca"',
            "Did you mean 'CosineDecay'",
        ),
        ("[data]\n", "[[data]]\n", "'data' is"),
        ("[factory]\n", "[factory\n", "is not a TOML file"),
        ("epochs = 2", "validation_split = 1.5", "'fit.validation_split'"),
        (
            "epochs = 2",
            "validation_split = 0.5\nnum_validation = 3",
            "leave one of the two out",
        ),
        (
            "[fit]",
            '[[tasks]]\nkind = "Regresion"\nname = "r"\n[fit]',
            "Did you mean 'Regression'",
        ),
        (
            "[fit]",
            '[[tasks]]\nkind = "Regression"\nname = "r"\n'
            "[tasks.arguments]\nunit = 2\n[fit]",
            "Did you mean 'units'",
        ),
    ],
)
def test_errors_are_one_line(tmp_path, old, new, said):
    with pytest.raises(ValueError) as error:
        read(tmp_path, old, new)
    message = str(error.value)
    assert said in message
    assert "mine.toml" in message
    assert "\n" not in message


def test_missing_recipe():
    with pytest.raises(FileNotFoundError, match="Did you mean 'mlp_energy'"):
        zoo.load_recipe("mlp_enrgy")


def test_changed_copies(recipe):
    changed = zoo.change_recipe(
        recipe, epochs=7, loss_weights={"segmentation": 0.5}
    )
    assert changed.fit.epochs == 7
    assert changed.factory.arguments["loss_weights"] == {"segmentation": 0.5}
    assert recipe.fit.epochs == 3
    with pytest.raises(ValueError, match=r"unknown argument 'data.arguments"):
        zoo.change_recipe(recipe, data_path="somewhere.npz")


def test_written_recipe_is_read_again(recipe, tmp_path):
    task = {"kind": "Segmentation", "name": "segmentation"}
    values = recipe.model_dump() | {
        "description": 'With "quotes", a \\ and an é.',
        "tasks": [task | {"arguments": {"num_classes": 1}}],
    }
    recipe = zoo.Recipe.model_validate(values)
    write_recipe(recipe, tmp_path / "recipe.toml")
    assert zoo.load_recipe(tmp_path / "recipe.toml") == recipe


def test_decay_steps_follow_from_epochs(recipe):
    model = build_model(recipe, zoo.load_data(recipe))
    schedule = model.optimizer.get_config()["learning_rate"]["config"]
    # 40 samples to train on, in batches of 16: 3 steps an epoch.
    assert (schedule["warmup_steps"], schedule["decay_steps"]) == (3, 6)


def test_validation_and_test_are_disjoint(recipe):
    data = zoo.load_data(recipe)
    sizes = [len(x) for x, _ in (data.train, data.validation, data.test)]
    assert sizes == [40, 8, 8]
    everything = zoo.load_data(zoo.change_recipe(recipe, epochs=1))
    assert (everything.validation[0] == data.validation[0]).all()


def test_standardize_is_adapted_on_the_training_part():
    recipe = zoo.make_recipe(
        "build_mlp", "digit_scenes", preprocessing="standardize"
    )
    values = recipe.model_dump()
    values["data"]["arguments"] = {"num_train": 20, "num_test": 1}
    values["tasks"] = [
        {
            "kind": "Classification",
            "name": "classification",
            "arguments": {"num_classes": 10},
        }
    ]
    recipe = zoo.Recipe.model_validate(values)
    data = zoo.load_data(recipe)
    layer = build_model(recipe, data).get_layer("standardize")
    assert isinstance(layer, keras.layers.Normalization)
    x = keras.ops.convert_to_numpy(layer(data.train[0]))
    assert abs(x.mean()) < 1e-4 and abs(x.std() - 1) < 1e-2


def test_the_error_of_a_missing_file_names_its_origin():
    with pytest.raises(ValueError, match=r"--data-path.*archive\.ics\.uci"):
        zoo.load_data(zoo.load_recipe("mlp_energy"))
