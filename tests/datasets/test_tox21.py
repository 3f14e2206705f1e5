"""Tests Tox21: molecules, missing labels and invalid files."""

import numpy as np
import pytest

from mtl_keras.datasets import tox21

COUNT = 20


def decode_numbers(x):
    """Decodes the number of each molecule from its first five bits."""
    return x[:, :5].astype(int) @ [16, 8, 4, 2, 1]


@pytest.fixture
def arrays():
    number = np.arange(COUNT)
    bits = np.zeros((COUNT, tox21.NUM_INPUTS), "uint8")
    bits[:, :5] = (number[:, None] >> np.arange(5)[::-1]) & 1
    # The label of each assay follows from the number and the assay's place.
    y = (number[:, None] + np.arange(12)) % 3 - 1
    return {
        "fp_packed": np.packbits(bits, axis=1),
        "y": y.astype("int8"),
        "tasks": np.array(tox21.ASSAYS),
    }


@pytest.fixture
def write(tmp_path, arrays):
    def write(**changes):
        changed = {**arrays, **changes}
        path = tmp_path / "tox21.npz"
        np.savez(path, **{k: v for k, v in changed.items() if v is not None})
        return path

    return write


def test_shapes_dtypes_and_whole_molecules(write):
    parts = tox21.load_data(write())
    for (x, y), count in zip(parts, (16, 4), strict=True):
        assert x.shape == (count, 1024)
        assert x.dtype == np.float32
        assert list(y) == list(tox21.ASSAYS)
        for place, labels in enumerate(y.values()):
            assert labels.dtype == np.int32
            np.testing.assert_array_equal(
                labels, (decode_numbers(x) + place) % 3 - 1
            )
    (x_train, _), (x_test, _) = parts
    numbers = [*decode_numbers(x_train), *decode_numbers(x_test)]
    assert sorted(numbers) == list(range(COUNT))


def test_tasks_fit_the_targets(write):
    (_, y), _ = tox21.load_data(write())
    assert [task.name for task in tox21.tasks()] == list(y)
    assert {task.primary_metric for task in tox21.tasks()} == {"auc"}


def test_labels_follow_the_names_in_the_file(write, arrays):
    path = write(y=arrays["y"][:, ::-1], tasks=arrays["tasks"][::-1])
    (x, y), _ = tox21.load_data(path)
    assert list(y) == list(tox21.ASSAYS)
    np.testing.assert_array_equal(y["NR-AR"], decode_numbers(x) % 3 - 1)


def test_seed_and_fraction_decide_the_split(write):
    path = write()
    (x, _), (x_test, _) = tox21.load_data(path, test_fraction=0.25, seed=1)
    (again, _), _ = tox21.load_data(path, test_fraction=0.25, seed=1)
    (other, _), _ = tox21.load_data(path, test_fraction=0.25, seed=2)
    assert len(x_test) == 5
    np.testing.assert_array_equal(x, again)
    assert not np.array_equal(x, other)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing at.*no\.npz.*Build"):
        tox21.load_data(tmp_path / "no.npz")


@pytest.mark.parametrize("key", ["fp_packed", "y", "tasks"])
def test_a_missing_key_is_named(write, key):
    with pytest.raises(ValueError, match=rf"lacks \['{key}'\]; it holds"):
        tox21.load_data(write(**{key: None}))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        (
            "fp_packed",
            np.zeros((COUNT, 1024), "uint8"),
            r"'fp_packed' in the shape \(n, 128\)",
        ),
        ("fp_packed", np.zeros((COUNT, 128)), "as uint8.*found float64"),
        ("y", np.zeros((COUNT - 1, 12)), r"'y' in the shape \(20, 12\)"),
        ("y", np.full((COUNT, 12), 2), r"and -1 \(missing\), found \[2\]"),
        ("y", np.full((COUNT, 12), np.nan), r"and -1 \(missing\), found \[nan"),
        ("tasks", np.array(["NR-AR"] * 12), "names.*in any order, found"),
    ],
)
def test_an_invalid_array_is_named(write, key, value, message):
    with pytest.raises(ValueError, match=message):
        tox21.load_data(write(**{key: value}))


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 1.5, 0.01, float("nan")])
def test_both_parts_must_have_molecules(write, fraction):
    with pytest.raises(ValueError, match="`test_fraction"):
        tox21.load_data(write(), test_fraction=fraction)


def test_a_seed_must_be_an_integer(write):
    with pytest.raises(ValueError, match="`seed`"):
        tox21.load_data(write(), seed=None)


def test_real_tox21(shared_data):
    path = shared_data("tox21") / "tox21_ecfp4_1024.npz"
    (x_train, y_train), (x_test, y_test) = tox21.load_data(path)
    assert x_train.shape == (6258, 1024)
    assert x_test.shape == (1565, 1024)
    x = np.concatenate([x_train, x_test])
    assert set(np.unique(x)) == {0, 1}
    y = np.stack(
        [np.concatenate([y_train[k], y_test[k]]) for k in tox21.ASSAYS], axis=1
    )
    assert round((y == -1).mean(), 2) == 0.17
    assert round((y == 1).mean(), 2) == 0.06
    # As the docstring says: no molecule is without a label, some are alike.
    assert (y != -1).any(axis=1).all()
    _, counts = np.unique(x, axis=0, return_counts=True)
    assert counts[counts > 1].sum() == 607
    np.testing.assert_array_equal(
        (y == 1).sum(axis=0),
        [308, 237, 768, 300, 791, 349, 186, 942, 264, 372, 918, 423],
    )
