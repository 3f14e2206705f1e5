"""A recipe file, and a way to run commands in this process."""

import pytest
import small_recipes
from typer.testing import CliRunner

from mtl_keras import zoo
from mtl_keras.cli import app
from mtl_keras.zoo.read import write_recipe


@pytest.fixture(scope="session")
def recipe_path(tmp_path_factory):
    """Writes a recipe of the smallest model with two seeds."""
    path = tmp_path_factory.mktemp("recipes") / "quick.toml"
    values = {**small_recipes.QUICK, "name": "quick", "seeds": [0, 1]}
    recipe = zoo.change_recipe(zoo.Recipe.model_validate(values), epochs=1)
    write_recipe(recipe, path)
    return path


@pytest.fixture(scope="session")
def run_command():
    """Runs a command; returns its result, with `exit_code` and outputs."""
    runner = CliRunner(env={"COLUMNS": "200"})

    def run(*arguments):
        return runner.invoke(app, [str(argument) for argument in arguments])

    return run


@pytest.fixture
def trainings(monkeypatch):
    """Records the arguments of `zoo.train` instead of training."""

    def train(recipe, output, **how):
        calls.append((recipe, output, how))
        return {"test": {"classification": {"loss": 0.5}}}

    calls = []
    monkeypatch.setattr(zoo, "train", train)
    return calls


@pytest.fixture(scope="session")
def trained(recipe_path, run_command, tmp_path_factory):
    """Returns the folder of a run of that recipe with seed 0."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    result = run_command("train", recipe_path, "--seed", 0, "--output", folder)
    assert result.exit_code == 0, result.output
    assert "classification" in result.stdout and "accuracy" in result.stdout
    return folder
