"""A small table, and labels that follow from it."""

import numpy as np
import pytest

from mtl_keras import BinaryClassification
from mtl_keras.tables import fit_feature_space

ENCODINGS = {
    "default": {},
    "bins": {"numbers": "float_discretized", "num_bins": 4},
    "plain": {"numbers": "float"},
    "piecewise": {"numbers": "piecewise_linear", "num_bins": 5},
    "codes": {"categories": ["code"]},
    "embedded": {"embed": ["job", "code"], "numbers": "piecewise_linear"},
    "crossed": {"categories": ["code"], "crosses": [("job", "code")]},
    "chosen": {"features": {"gain": "float_discretized", "code": "float"}},
}


@pytest.fixture(params=ENCODINGS)
def encoding_name(request):
    """Returns the name of each encoding in turn."""
    return request.param


def make_columns():
    """Returns 120 rows: numbers, integers that are categories, and texts."""
    rng = np.random.default_rng(0)
    return {
        "job": rng.choice(["cook", "nurse", "pilot"], 120).astype(object),
        "age": rng.integers(18, 80, 120).astype("float64"),
        "gain": np.where(rng.random(120) < 0.8, 0, 7688),
        "code": rng.choice([3, 30, 300], 120),
    }


@pytest.fixture
def columns():
    """Columns that a test may change."""
    return make_columns()


@pytest.fixture(scope="module")
def encoded():
    """Fits an encoding to these columns, once for each in a file."""

    def fit(name):
        if name not in fitted:
            fitted[name] = fit_feature_space(make_columns(), **ENCODINGS[name])
        return fitted[name]

    fitted = {}
    return fit


@pytest.fixture
def targets(columns):
    return {
        "old": (columns["age"] > 50).astype(int),
        "flies": (columns["job"] == "pilot").astype(int),
    }


@pytest.fixture
def tasks():
    return [BinaryClassification("old"), BinaryClassification("flies")]
