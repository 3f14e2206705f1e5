"""Registry of factories, and the names and tables that follow from it."""

from pathlib import Path

import pytest

import mtl_keras
from mtl_keras import models

ROOT = Path(__file__).parents[2]


def test_every_factory_is_public_in_both_packages():
    assert len(models.names()) >= 20
    for package in (mtl_keras, models):
        listed = [name for name in package.__all__ if name[:6] == "build_"]
        assert sorted(listed) == models.names()
        for name in models.names():
            assert getattr(package, name) is models.get(name)


def test_every_factory_in_the_folder_is_registered():
    files = (ROOT / "mtl_keras" / "models").glob("*.py")
    decorated = [path for path in files if "\n@factory(" in path.read_text()]
    assert len(decorated) == len(models.names())


def test_an_unknown_name_gets_the_nearest_one():
    with pytest.raises(ValueError, match="Did you mean 'build_mlp'"):
        models.get("build_mpl")


def test_the_table_has_inputs_and_a_summary_of_every_factory():
    rows = models.table()
    assert [row.name for row in rows] == models.names()
    kinds = {"vectors", "images", "sequences", "text"}
    assert {row.inputs for row in rows} == kinds
    for row in rows:
        assert row.summary.startswith("Builds ")
        assert row.summary.endswith(".")
