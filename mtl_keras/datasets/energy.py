"""Energy efficiency: heating and cooling load of simulated buildings.

Origin: A. Tsanas and A. Xifara, 2012, the UCI set "Energy Efficiency"
(ENB2012, https://doi.org/10.24432/C51307).

Licence: CC BY 4.0.
"""

import os

import numpy as np

from mtl_keras.datasets.files import existing_file
from mtl_keras.datasets.random_split import random_split
from mtl_keras.datasets.reading.column import finite_numbers
from mtl_keras.datasets.reading.csv_table import read_csv_table
from mtl_keras.datasets.samples import Samples
from mtl_keras.tasks import Regression, Task

NUM_INPUTS = 8
TARGETS = ("heating", "cooling")

_NUM_COLUMNS = NUM_INPUTS + len(TARGETS)
_ORIGIN = (
    "The table is at https://archive.ics.uci.edu/dataset/242; save it as csv "
    "with its header."
)


def load_data(
    path: str | os.PathLike, test_fraction: float = 0.2, seed: int = 0
) -> tuple[Samples, Samples]:
    """Reads the 768 buildings of ENB2012, and splits them at random.

    The inputs are relative compactness, surface, wall and roof area (m^2),
    overall height (m), orientation (2 to 5), glazing area (a fraction of the
    floor area) and glazing area distribution (0 to 5). They are not scaled:
    pass a `keras.layers.Normalization` as `preprocessing` of a factory. The
    768 buildings have 12 shapes, each with 4 orientations and 16 glazings, so
    that a random split tests new variants of known shapes, not new shapes.

    Args:
        path: String or path of a csv or csv.gz file with a header and ten
            columns, heating and cooling load last.
        test_fraction: Float between 0 and 1, fraction of the rows to use for
            the test. Defaults to 0.2.
        seed: Integer of at least 0, seed of the split. Defaults to 0.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: x is float32 of shape
        `(n, 8)`; y is a dict with `"heating"` and `"cooling"`, float32 of
        shape `(n,)`, in kWh/m^2.

    Raises:
        FileNotFoundError: If the file does not exist.
        ValueError: If a row does not have ten numbers, the header is missing,
            or an argument is out of range.

    Example:

    ```python
    (x_train, y_train), (x_test, y_test) = energy.load_data("enb2012.csv")
    assert x_train.shape == (614, 8)
    assert y_test["heating"].shape == (154,)
    ```

    Reference:

    - Tsanas and Xifara, Accurate quantitative estimation of energy
      performance of residential buildings using statistical machine learning
      tools, Energy and Buildings 49, 2012.
    """
    table = _read_table(existing_file(path, _ORIGIN))
    x = table[:, :NUM_INPUTS]
    y = dict(zip(TARGETS, table[:, NUM_INPUTS:].T, strict=True))
    return random_split(x, y, test_fraction, seed)


def tasks() -> list[Task]:
    """Returns the tasks that fit the targets of `load_data`.

    Returns:
        Two `Regression` tasks, `"heating"` and `"cooling"`.

    Example:

    ```python
    [task.name for task in energy.tasks()]
    # ['heating', 'cooling']
    ```
    """
    return [Regression(name) for name in TARGETS]


def _read_table(file):
    """Returns the numbers of a csv file as float32 of shape (n, 10)."""
    table = read_csv_table(file)
    if len(table.names) != _NUM_COLUMNS:
        raise ValueError(
            f"`path` must have {_NUM_COLUMNS} columns ({NUM_INPUTS} inputs, "
            f"then {' and '.join(TARGETS)} load), found {len(table.names)} in "
            f"line 1 of '{file}'. {_ORIGIN}"
        )
    columns = [table.column(name, "path") for name in table.names]
    return np.stack([finite_numbers(column) for column in columns], axis=1)
