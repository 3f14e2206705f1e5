"""Census income: two binary tasks, income and marriage, on a table.

Origin: T. Lane and R. Kohavi, the UCI set "Census-Income (KDD)" from the
Current Population Surveys of the US Census Bureau of 1994 and 1995
(https://doi.org/10.24432/C5N30T).

Licence: CC BY 4.0.
"""

import os

import numpy as np

from mtl_keras.datasets.files import existing_file
from mtl_keras.datasets.random_split import random_split
from mtl_keras.datasets.reading.column import Column, finite_numbers
from mtl_keras.datasets.reading.csv_table import read_csv_table
from mtl_keras.datasets.samples import ColumnSamples
from mtl_keras.tasks import BinaryClassification, Task

COLUMNS = (
    "age",
    "class_worker",
    "det_ind_code",
    "det_occ_code",
    "education",
    "wage_per_hour",
    "hs_college",
    "marital_stat",
    "major_ind_code",
    "major_occ_code",
    "race",
    "hisp_origin",
    "sex",
    "union_member",
    "unemp_reason",
    "full_or_part_emp",
    "capital_gains",
    "capital_losses",
    "stock_dividends",
    "tax_filer_stat",
    "region_prev_res",
    "state_prev_res",
    "det_hh_fam_stat",
    "det_hh_summ",
    "instance_weight",
    "mig_chg_msa",
    "mig_chg_reg",
    "mig_move_reg",
    "mig_same",
    "mig_prev_sunbelt",
    "num_emp",
    "fam_under_18",
    "country_father",
    "country_mother",
    "country_self",
    "citizenship",
    "own_or_self",
    "vet_question",
    "vet_benefits",
    "weeks_worked",
    "year",
    "income_50k",
)
NUMBERS = (
    "age",
    "wage_per_hour",
    "capital_gains",
    "capital_losses",
    "stock_dividends",
    "num_emp",
    "weeks_worked",
)
# The source of a label, a weight of the survey, and a label.
LEFT_OUT = ("marital_stat", "instance_weight", "income_50k")
FEATURES = tuple(name for name in COLUMNS if name not in LEFT_OUT)

_NEVER_MARRIED = "Never married"
_INCOMES = {"- 50000.": 0, "50000+.": 1}
_ORIGIN = (
    "The tables are in census.tar.gz at "
    "https://archive.ics.uci.edu/dataset/117 (census-income.test.gz, or "
    "census-income.data.gz for more rows)."
)


def load_data(
    path: str | os.PathLike, test_fraction: float = 0.15, seed: int = 0
) -> tuple[ColumnSamples, ColumnSamples]:
    """Reads a census table and splits its rows at random.

    39 of the 42 columns of the file are inputs: `census_income.NUMBERS` are
    numbers, the others strings, including the codes of industry and
    occupation. `income_50k` and `marital_stat` are the labels.
    `instance_weight`, the number of people that a row represents, is dropped,
    as the documentation of the data set recommends. Other columns that depend
    on marriage remain inputs, such as the place in the household ("Child 18+
    never marr Not in a subfamily"), so that `never_married` is an easy task.

    A quarter of the rows of `census-income.test`, 24,820, are duplicates of
    other rows, and a random split may separate them.

    Args:
        path: String or path of `census-income.test` (99,762 rows) or
            `census-income.data` (199,523), as it is or with gzip (`.gz`).
        test_fraction: Float between 0 and 1, fraction of the rows to use for
            the test. Defaults to 0.15.
        seed: Integer of at least 0, seed of the split. Defaults to 0.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: x is a dict with an array of
        shape `(n,)` for each name in `census_income.FEATURES`, float32 for
        numbers and strings (dtype object) for the others; y is a dict with
        `"income_50k"`, 1 for an income above 50,000 dollars a year (6.2 %),
        and `"never_married"` (43 %), int32 of shape `(n,)`.
        `mtl_keras.tables` encodes the columns as vectors.

    Raises:
        FileNotFoundError: If the file does not exist.
        ValueError: If a row does not have 42 cells, a number or label cannot
            be read, or an argument is out of range.

    Example:

    ```python
    (x_train, y_train), (x_test, y_test) = census_income.load_data(
        "census-income.test.gz"
    )
    assert x_train["age"].shape == y_train["income_50k"].shape == (84798,)
    ```

    Reference:

    - Ma et al., "Modeling Task Relationships in Multi-task Learning with
      Multi-gate Mixture-of-Experts", KDD 2018, which uses these two tasks.
    """
    table = read_csv_table(existing_file(path, _ORIGIN), names=COLUMNS)
    columns = {name: table.column(name, "path") for name in COLUMNS}
    x = {
        name: finite_numbers(columns[name])
        if name in NUMBERS
        else columns[name].values
        for name in FEATURES
    }
    married = columns["marital_stat"].values
    y = {
        "income_50k": _read_incomes(columns["income_50k"]),
        "never_married": (married == _NEVER_MARRIED).astype("int32"),
    }
    return random_split(x, y, test_fraction, seed)


def tasks() -> list[Task]:
    """Returns the tasks that fit the targets of `load_data`.

    Returns:
        Two `BinaryClassification` tasks, `"income_50k"` and
        `"never_married"`.

    Example:

    ```python
    [task.name for task in census_income.tasks()]
    # ['income_50k', 'never_married']
    ```
    """
    return [
        BinaryClassification("income_50k"),
        BinaryClassification("never_married"),
    ]


def _read_incomes(column: Column) -> np.ndarray:
    for row in np.flatnonzero(~np.isin(column.values, list(_INCOMES))):
        raise ValueError(
            f"`path` must hold {' or '.join(map(repr, _INCOMES))} in column "
            f"'income_50k', found {column.values[row]!r} in "
            f"{column.where(row)}. {_ORIGIN}"
        )
    return column.by_value(_INCOMES.get, -1, "int32")
