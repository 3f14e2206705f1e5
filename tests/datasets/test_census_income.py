"""Tests census income: rows, labels and invalid files."""

import gzip
import itertools

import numpy as np
import pytest
from census_rows import line

from mtl_keras.datasets import census_income

COUNT = 20
# Sizes of the parts, labels and codes of the first real rows, and of all.
FOUND = {
    False: ([1700, 300], 123, 0.44, 47),
    True: ([84798, 14964], 6186, 0.4325, 52),
}


@pytest.fixture
def write(tmp_path):
    def write(lines=None):
        path = tmp_path / "census.csv"
        rows = [line(number=n) for n in range(COUNT)]
        path.write_text("\n".join(rows if lines is None else lines) + "\n")
        return path

    return write


def test_shapes_dtypes_and_whole_rows(write):
    parts = census_income.load_data(write())
    for (x, y), count in zip(parts, (17, 3), strict=True):
        assert list(x) == list(census_income.FEATURES)
        assert list(y) == ["income_50k", "never_married"]
        number = x["age"].astype(int)
        assert number.shape == (count,)
        for name, column in x.items():
            if name in census_income.NUMBERS:
                assert column.dtype == np.float32
                np.testing.assert_array_equal(column, number)
            else:
                assert column.tolist() == [f"{name} {n}" for n in number]
        np.testing.assert_array_equal(y["income_50k"], number % 3 == 0)
        np.testing.assert_array_equal(y["never_married"], number % 2)
        assert {labels.dtype for labels in y.values()} == {np.dtype("int32")}
    ages = np.concatenate([x["age"] for x, _ in parts])
    assert sorted(ages) == list(range(COUNT))


def test_inputs_do_not_contain_the_labels():
    left_out = {"marital_stat", "instance_weight", "income_50k"}
    assert len(census_income.COLUMNS) == 42
    assert not left_out & set(census_income.FEATURES)
    assert left_out | set(census_income.FEATURES) == set(census_income.COLUMNS)


def test_tasks_fit_the_targets(write):
    (_, y), _ = census_income.load_data(write())
    assert [task.name for task in census_income.tasks()] == list(y)


def test_seed_and_fraction_decide_the_split(write):
    def ages(**arguments):
        (x, _), (x_test, _) = census_income.load_data(write(), **arguments)
        return x["age"], x_test["age"]

    train, test = ages(test_fraction=0.25, seed=1)
    assert len(test) == 5
    np.testing.assert_array_equal(train, ages(test_fraction=0.25, seed=1)[0])
    assert not np.array_equal(train, ages(test_fraction=0.25, seed=2)[0])


def test_gzip_and_blank_lines(write, tmp_path):
    text = write().read_text().replace("\n", "\r\n\r\n")
    packed = tmp_path / "census.csv.gz"
    packed.write_bytes(gzip.compress(text.encode()))
    (plain, _), _ = census_income.load_data(write())
    (x, _), _ = census_income.load_data(packed)
    for name, column in plain.items():
        np.testing.assert_array_equal(x[name], column)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing at.*no\.csv.*117"):
        census_income.load_data(tmp_path / "no.csv")


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("1, 2, 3", "42 cells in each line.*found 3 in line 2"),
        (line() + ", 1", "42 cells in each line.*found 43 in line 2"),
        (
            line(age="old"),
            "finite numbers, found 'old' in line 2, column 'age'",
        ),
        (line(weeks_worked="nan"), "'nan' in line 2, column 'weeks_worked'"),
        (line(income_50k="?"), r"'50000\+\.' in column 'income_50k', found"),
    ],
)
def test_a_bad_row_is_named(write, bad, message):
    with pytest.raises(ValueError, match=message):
        census_income.load_data(write([line(), bad, line()]))


def test_an_empty_file_has_no_parts(write):
    with pytest.raises(ValueError, match="an empty file"):
        census_income.load_data(write([]))


@pytest.mark.parametrize("fraction", [0, 1, 1.5, float("nan")])
def test_a_fraction_must_be_between_0_and_1(write, fraction):
    with pytest.raises(ValueError, match="`test_fraction`"):
        census_income.load_data(write(), test_fraction=fraction)


@pytest.fixture(
    params=[2_000, pytest.param(None, marks=pytest.mark.slow)],
    ids=["few", "all"],
)
def real_path(request, shared_data, tmp_path):
    """Returns the real test file; quickly, its first rows."""
    path = shared_data("census_income_kdd") / "census-income.test.gz"
    if request.param is None:
        return path
    few = tmp_path / "few.csv"
    with gzip.open(path, "rt") as file:
        few.write_text("".join(itertools.islice(file, request.param)))
    return few


def test_real_census_income(real_path):
    parts = census_income.load_data(real_path)
    y = {
        name: np.concatenate([y[name] for _, y in parts])
        for name in ("income_50k", "never_married")
    }
    whole = real_path.suffix == ".gz"
    sizes, high, never, codes = FOUND[whole]
    assert [len(x["age"]) for x, _ in parts] == sizes
    assert y["income_50k"].sum() == high
    assert round(y["never_married"].mean(), 4) == never
    (x, _), _ = parts
    # Nothing of the separator is left in a text, and none is empty.
    texts = {t for k in x if k not in census_income.NUMBERS for t in x[k]}
    assert all(text and text == text.strip() for text in texts)
    assert len(set(x["det_ind_code"])) == codes
