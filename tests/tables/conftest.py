"""A small table, and labels that follow from it."""

import numpy as np
import pytest

from mtl_keras import BinaryClassification


@pytest.fixture
def columns(rng):
    """120 rows: numbers, integers that are categories, and texts."""
    return {
        "job": rng.choice(["cook", "nurse", "pilot"], 120).astype(object),
        "age": rng.integers(18, 80, 120).astype("float64"),
        "gain": np.where(rng.random(120) < 0.8, 0, 7688),
        "code": rng.choice([3, 30, 300], 120),
    }


@pytest.fixture
def targets(columns):
    return {
        "old": (columns["age"] > 50).astype(int),
        "flies": (columns["job"] == "pilot").astype(int),
    }


@pytest.fixture
def tasks():
    return [BinaryClassification("old"), BinaryClassification("flies")]
