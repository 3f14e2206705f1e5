"""Data that all full-batch tests share."""

import numpy as np
import pytest


@pytest.fixture
def data(rng):
    x = rng.normal(size=(30, 3)).astype("float32")
    # Little of it: float32 tells losses of 1 apart by 1e-7, and so parameters
    # by no less than some 5e-4. Of losses of 0.002 it is less than a tenth.
    noise = rng.normal(0, 0.05, size=(30, 2)).astype("float32")
    y = x @ np.array([[1, -2], [0.5, 0], [0, 3]], "float32") + noise + 1
    return x, {"left": y[:, 0], "right": y[:, 1]}
