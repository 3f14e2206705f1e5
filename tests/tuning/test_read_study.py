"""Reading study files, and errors in them."""

import re
from pathlib import Path

import pytest
from small_studies import quick_study, write_study

from mtl_keras import tuning
from mtl_keras.zoo.recipe import Recipe

STUDY = """
description = "A test."
[factory]
name = "build_mlp"
arguments = {hidden_units = [4]}
[data]
name = "digit_scenes"
[fit]
epochs = 2
[search]
objective = "classification_accuracy"
max_trials = 3
[space]
dropout = [0.0, 0.5]
learning_rate = {low = 1e-4, high = 1e-2}
"""


def read(folder, old="", new=""):
    """Reads the study with one change."""
    path = folder / "mine.toml"
    path.write_text(STUDY.replace(old, new, 1) if old else STUDY)
    return tuning.load_study_recipe(path)


def test_reads(tmp_path):
    study = read(tmp_path)
    assert study.name == "mine"
    assert study.search.max_trials == 3 and study.search.tuner == "bayesian"
    assert study.space["dropout"] == [0.0, 0.5]
    assert isinstance(study.recipe, Recipe)
    assert study.recipe.fit.epochs == 2 and study.recipe.fit.patience == 5


def test_a_folder_stands_for_the_study_in_it(tmp_path):
    path = write_study(tmp_path / "widths")
    study = tuning.load_study_recipe(path.parent)
    assert study == tuning.load_study_recipe(path)
    assert study.name == "widths"


def test_patience_0_is_none(tmp_path):
    study = read(tmp_path, "epochs = 2", "patience = 0")
    assert study.recipe.fit.patience is None
    assert study.recipe.fit.epochs == 10


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[search]", "[serch]", "unknown key 'serch'. Did you mean 'search'"),
        ("max_trials", "max_trial", "Did you mean 'max_trials'"),
        ("max_trials = 3", "max_trials = 0", "'search.max_trials' is 0"),
        ("max_trials = 3", "seed = -1", "'search.seed' is -1"),
        ("max_trials = 3", "folds = 1", "'search.folds' is 1"),
        ("max_trials = 3", 'loss_weights = "sum"', "'ratios' or 'plain'"),
        ("max_trials = 3", 'tuner = "baysian"', "Did you mean 'bayesian'"),
        ('objective = "classification_accuracy"', "", "'search.objective' is"),
        ("epochs = 2", "epoch = 2", "'fit.epoch'. Did you mean 'epochs'"),
        ("epochs = 2", "patience = -1", "'fit.patience' is -1"),
        ("build_mlp", "build_mpl", "Did you mean 'build_mlp'"),
        ("hidden_units", "hidden_unit", "Did you mean 'hidden_units'"),
        ("digit_scenes", "digit_scene", "Did you mean 'digit_scenes'"),
        ("[data]\n", "[data", "is not a TOML file"),
        ("dropout =", "hidden_units =", "has 'hidden_units', but"),
        (
            "[fit]",
            "[optimizer]\nlearning_rate = 0.1\n[fit]",
            "has 'learning_rate', but",
        ),
        (
            "epochs = 2\n[search]",
            "num_validation = 9\n[search]\nfolds = 2",
            "leave one of the two out",
        ),
        (
            "dropout = [0.0, 0.5]\nlearning_rate = {low = 1e-4, high = 1e-2}",
            "batch_size = [8, 16]\n[optimizer.learning_rate]\n"
            'name = "CosineDecay"\narguments = {initial_learning_rate = 0.1}',
            "needs a fixed batch size",
        ),
        (
            'name = "digit_scenes"',
            'name = "mix"\n[data.sets.mnist]\n[data.sets.fashion_mnist]',
            "trains on one data set",
        ),
    ],
)
def test_errors_are_one_line(tmp_path, old, new, said):
    with pytest.raises(ValueError) as error:
        read(tmp_path, old, new)
    message = str(error.value)
    assert said in message and "mine.toml" in message
    assert "\n" not in message


def test_missing_study(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no study file .*study\.toml"):
        tuning.load_study_recipe(tmp_path)


def test_changed_copies(tmp_path):
    study = read(tmp_path)
    changed = tuning.change_study(
        study, epochs=7, max_trials=9, data_arguments={"num_train": 20}
    )
    assert changed.fit.epochs == 7 and changed.search.max_trials == 9
    assert changed.data.arguments == {"num_train": 20}
    assert study.fit.epochs == 2
    assert tuning.change_study(study) == study
    with pytest.raises(ValueError, match=r"unknown argument 'data.arguments"):
        tuning.change_study(study, data_path="somewhere.npz")


def test_the_small_study_of_the_tests_is_valid():
    values = quick_study(name="quick", fit={"epochs": 1})
    assert tuning.StudyRecipe.model_validate(values).fit.epochs == 1


def test_the_example_of_the_guide_is_valid(tmp_path):
    guide = Path(__file__).parents[2] / "tuning" / "README.md"
    (text,) = re.findall(r"```toml\n(.*?)```", guide.read_text(), re.DOTALL)
    path = tmp_path / "study.toml"
    path.write_text(text)
    study = tuning.load_study_recipe(path)
    # And so is what it has in comments, where nothing contradicts it.
    hints = [line[2:] for line in text.splitlines() if line.startswith("# ")]
    kept = [h for h in hints if " = " in h and "folds" not in h]
    assert len(kept) == 4
    for hint in kept[:3]:
        path.write_text(text.replace("seed = 0", hint.split("#")[0]))
        tuning.load_study_recipe(path)
    assert study.fit.patience == 3
