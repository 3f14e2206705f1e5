"""Tests energy efficiency: rows, and invalid tables."""

import gzip

import numpy as np
import pytest

from mtl_keras.datasets import energy

HEADER = ",".join([f"X{k}" for k in range(1, 9)] + ["Y1", "Y2"])


def row(number):
    """Returns a row whose cells each contain its number."""
    cells = [*[number + k / 10 for k in range(8)], number * 2, number * 3]
    return ",".join(map(str, cells))


def lines(count):
    return [HEADER, *map(row, range(count))]


@pytest.fixture
def write(tmp_path):
    def write(lines):
        path = tmp_path / "table.csv"
        path.write_text("\n".join(lines) + "\n")
        return path

    return write


def test_shapes_dtypes_and_whole_rows(write):
    (x_train, y_train), (x_test, y_test) = energy.load_data(write(lines(10)))
    assert x_train.shape == (8, 8)
    assert x_test.shape == (2, 8)
    for x, y in ((x_train, y_train), (x_test, y_test)):
        assert x.dtype == np.float32
        assert list(y) == ["heating", "cooling"]
        for k in range(8):
            np.testing.assert_allclose(x[:, k] - x[:, 0], k / 10, atol=1e-6)
        np.testing.assert_array_equal(y["heating"], x[:, 0] * 2)
        np.testing.assert_array_equal(y["cooling"], x[:, 0] * 3)
        assert y["heating"].dtype == y["cooling"].dtype == np.float32
    numbers = [*x_train[:, 0], *x_test[:, 0]]
    assert sorted(numbers) == list(range(10))


def test_tasks_fit_the_targets(write):
    (_, y), _ = energy.load_data(write(lines(10)))
    assert [task.name for task in energy.tasks()] == list(y)


def test_seed_and_fraction_decide_the_split(write):
    path = write(lines(40))
    (x, _), (x_test, _) = energy.load_data(path, test_fraction=0.25, seed=1)
    (again, _), _ = energy.load_data(path, test_fraction=0.25, seed=1)
    (other, _), _ = energy.load_data(path, test_fraction=0.25, seed=2)
    assert len(x_test) == 10
    np.testing.assert_array_equal(x, again)
    assert not np.array_equal(x, other)


def test_gzip_blank_lines_and_byte_order_mark(write, tmp_path):
    (plain, _), _ = energy.load_data(write(lines(10)))
    text = "\ufeff" + "\r\n".join([*lines(10), "", ""])
    (tmp_path / "table.csv.gz").write_bytes(gzip.compress(text.encode()))
    (packed, _), _ = energy.load_data(str(tmp_path / "table.csv.gz"))
    np.testing.assert_array_equal(plain, packed)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"nothing at.*no\.csv.*archive"
    ):
        energy.load_data(tmp_path / "no.csv")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda all: [line + ",1" for line in all], "found 11 in line 1"),
        (lambda all: [*all, "1,2,3"], "found 3 in line 12"),
        (lambda all: [*all[:3], "", "1," + "x" + ",1" * 8], "'x' in line 5"),
        (lambda all: [*all, "1," * 9 + "?"], "'[?]' in line 12, column 'Y2'"),
        (lambda all: [*all, "1," * 8 + ",1"], "'' in line 12, column 'Y1'"),
        (lambda all: [*all, "nan" + ",1" * 9], "'nan' in line 12, column 'X1'"),
        (lambda all: all[1:], "numbers in line 1"),
        (lambda all: [], "an empty file"),
        (lambda all: all[:1], "a header and no rows"),
        (lambda all: all[:3], "2 rows gives 0 test and 2 training"),
    ],
)
def test_a_bad_table_is_told_by_line_and_column(write, change, message):
    with pytest.raises(ValueError, match=message):
        energy.load_data(write(change(lines(10))))


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 1.5, float("nan")])
def test_a_fraction_must_be_between_0_and_1(write, fraction):
    with pytest.raises(ValueError, match="`test_fraction`"):
        energy.load_data(write(lines(10)), test_fraction=fraction)


def test_a_seed_must_be_an_integer(write):
    with pytest.raises(ValueError, match="`seed`"):
        energy.load_data(write(lines(10)), seed=None)


def test_real_energy(shared_data):
    path = shared_data("multi_target_regression") / "enb.csv.gz"
    (x_train, y_train), (x_test, y_test) = energy.load_data(path)
    assert x_train.shape == (614, 8)
    assert x_test.shape == (154, 8)
    heating = np.concatenate([y_train["heating"], y_test["heating"]])
    cooling = np.concatenate([y_train["cooling"], y_test["cooling"]])
    np.testing.assert_allclose([heating.min(), heating.max()], [6.01, 43.1])
    np.testing.assert_allclose([cooling.min(), cooling.max()], [10.9, 48.03])
    # Twelve shapes of building, as the docstring says.
    x = np.concatenate([x_train, x_test])
    assert len(np.unique(x[:, :5], axis=0)) == 12
