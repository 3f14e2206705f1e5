"""The studies of the repository are valid, with fair controls."""

import csv
import re
from pathlib import Path

import pytest

from mtl_keras import tuning, zoo

STUDIES = Path(__file__).parents[2] / "tuning"
FILES = sorted(STUDIES.rglob("study.toml"))
CONTROLS = [path for path in FILES if path.parent.name == "equal_weights"]


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.parent.name)
def test_a_study_is_valid_and_has_a_question(path):
    study = tuning.load_study_recipe(path)
    assert study.description and study.search.max_trials
    assert study.space


def test_there_are_studies():
    assert len(FILES) > len(CONTROLS) > 0


@pytest.mark.parametrize("path", CONTROLS, ids=lambda p: p.parents[1].name)
def test_a_control_differs_in_nothing_but_the_weights(path):
    control = tuning.load_study_recipe(path)
    study = tuning.load_study_recipe(path.parents[1])
    left_out = {"name", "description", "space"}
    assert control.model_dump(exclude=left_out) == study.model_dump(
        exclude=left_out
    )
    assert control.space == {
        name: dimension
        for name, dimension in study.space.items()
        if not name.startswith("loss_weight")
    }
    assert control.space != study.space


@pytest.mark.parametrize(
    "path", [p for p in FILES if p not in CONTROLS], ids=lambda p: p.parent.name
)
def test_a_study_is_in_the_list(path):
    assert path.parent.name in (STUDIES / "README.md").read_text()


def trials_of(path):
    """Reads the rows of the trials of a study."""
    with open(path.with_name("trials.csv"), newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.parent.name)
def test_a_study_was_run_to_its_end(path):
    study = tuning.load_study_recipe(path)
    trials = trials_of(path)
    assert len(trials) >= study.search.max_trials
    assert {trial["status"] for trial in trials} <= {"completed", "failed"}
    best = path.with_name("best.toml")
    recipe = zoo.load_recipe(best)
    assert recipe.factory.name == study.factory.name
    number = re.match(r"# Trial (\d+):", best.read_text()).group(1)
    (row,) = (trial for trial in trials if trial["trial"] == number)
    rate = recipe.optimizer.learning_rate
    if "learning_rate" in row:
        assert rate == pytest.approx(float(row["learning_rate"]))


@pytest.mark.parametrize(
    "path", [p for p in FILES if p not in CONTROLS], ids=lambda p: p.parent.name
)
def test_a_study_answers_by_test_data(path):
    text = path.with_name("README.md").read_text()
    with open(path.with_name("test.csv"), newline="") as file:
        rows = list(csv.DictReader(file))
    shown = [row for row in rows if f"{row['mean']} ± {row['std']}" in text]
    assert {"best", "best - default"} <= {row["arm"] for row in shown}
    measured = {(row["mean"].lstrip("-"), row["std"]) for row in rows}
    figures = re.findall(r"([\d.]+) ± ([\d.]*\d)", text)
    assert figures and set(figures) <= measured
