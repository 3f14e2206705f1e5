"""Recipes that train in seconds."""

import pytest
import small_recipes

from mtl_keras import zoo


@pytest.fixture(scope="session")
def quick():
    """Creates a recipe of the smallest model."""
    return zoo.Recipe.model_validate(small_recipes.QUICK)


@pytest.fixture(scope="session")
def recipe():
    """Creates a recipe of a small model on 48 digit scenes."""
    return zoo.Recipe.model_validate(small_recipes.SMALL)
