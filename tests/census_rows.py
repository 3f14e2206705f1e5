"""Rows of a small table in the format of census income."""

from mtl_keras.datasets import census_income


def make_cells(number):
    """Returns a row whose cells each contain its number."""
    cells = {name: f"{name} {number}" for name in census_income.COLUMNS}
    cells |= {name: str(number) for name in census_income.NUMBERS}
    cells["income_50k"] = "50000+." if number % 3 == 0 else "- 50000."
    cells["marital_stat"] = "Never married" if number % 2 else "Divorced"
    cells["instance_weight"] = f"{number}.5"
    return cells


def line(**changes):
    """Returns a line of the file, with some cells changed by column."""
    number = changes.pop("number", 1)
    return ", ".join({**make_cells(number), **changes}.values())
