"""The entries of the zoo: recipes that load, and cards with true numbers."""

import csv
import json
import re

import pytest

from mtl_keras import zoo
from mtl_keras.zoo_index import RESULT_COLUMNS

ENTRIES = zoo.entries()
RUN = [entry for entry in ENTRIES if entry.metrics.is_file()]


def test_there_are_entries():
    names = [entry.name for entry in ENTRIES]
    assert {"cnn_cls_seg_digit_scenes", "mlp_energy"} <= set(names)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_recipe_loads(entry):
    recipe = zoo.load_recipe(entry.name)
    assert recipe == zoo.load_recipe(entry.recipe)
    assert recipe.name == entry.name
    assert recipe.description == entry.description
    assert len(recipe.seeds) == 3


@pytest.mark.parametrize("entry", RUN, ids=lambda entry: entry.name)
def test_metrics_are_of_the_recipe(entry):
    metrics = json.loads(entry.metrics.read_text())
    recipe = zoo.load_recipe(entry.name)
    assert metrics["recipe"] == entry.name
    assert tuple(metrics["seeds"]) == recipe.seeds
    # Published files contain no path of a machine and no host name.
    assert "/" not in json.dumps(metrics)


@pytest.mark.parametrize("entry", RUN, ids=lambda entry: entry.name)
def test_card_says_what_metrics_say(entry):
    """Rows of the card's table are `| task | metric | mean ± std |`."""
    card = (entry.folder / "README.md").read_text()
    rows = re.findall(
        r"^\| ([\w.-]+) +\| (\w+) +\| ([\d.]+) ± ([\d.]+)", card, re.M
    )
    test = json.loads(entry.metrics.read_text())["test"]
    assert {task for task, *_ in rows} == set(test)
    for task, metric, mean, std in rows:
        digits = len(mean.partition(".")[2])
        spread = test[task][metric]
        assert float(mean) == round(spread["mean"], digits)
        assert float(std) == round(spread["std"], digits)


def test_results_are_up_to_date(tmp_path):
    written = zoo.write_results(tmp_path / "results.csv")
    rows = list(csv.DictReader(written.read_text().splitlines()))
    assert {row["entry"] for row in rows} == {entry.name for entry in RUN}
    assert not rows or list(rows[0]) == list(RESULT_COLUMNS)
    kept = ENTRIES[0].folder.parent / "results.csv"
    if RUN:
        assert kept.read_text() == written.read_text(), (
            "run `mtl-keras results`"
        )
