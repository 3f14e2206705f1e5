"""Tests MultiMNIST: the digits, and the files they are read from."""

import keras
import numpy as np
import pytest

from mtl_keras.datasets import multi_mnist


def flat_digits(count, offset):
    """Digits without strokes, whose brightness tells class and part."""
    labels = (np.arange(count) % 10).astype("uint8")
    brightness = labels * 20 + offset
    images = np.ones((count, 28, 28), "uint8") * brightness[:, None, None]
    return images, labels


@pytest.fixture
def arrays():
    x_train, y_train = flat_digits(50, offset=21)
    x_test, y_test = flat_digits(30, offset=30)
    return {
        "x_train": x_train,
        "y_train": y_train,
        "x_test": x_test,
        "y_test": y_test,
    }


@pytest.fixture
def path(tmp_path, arrays):
    np.savez(tmp_path / "mnist.npz", **arrays)
    return tmp_path / "mnist.npz"


def test_shapes_dtypes_and_ranges(path):
    parts = multi_mnist.load_data(num_train=70, num_test=20, path=path)
    for (x, y), count in zip(parts, (70, 20), strict=True):
        assert x.shape == (count, 28, 28, 1)
        assert x.dtype == np.float32
        assert x.min() >= 0 and x.max() <= 1
        assert list(y) == ["left", "right"]
        for labels in y.values():
            assert labels.shape == (count,)
            assert labels.dtype == np.int32


def test_tasks_fit_the_targets(path):
    (_, y), _ = multi_mnist.load_data(num_train=1, num_test=1, path=path)
    assert [task.name for task in multi_mnist.tasks()] == list(y)


def test_left_is_top_left_right_is_bottom_right_brighter_wins(path):
    parts = multi_mnist.load_data(num_train=50, num_test=30, path=path)
    for (x, y), offset in zip(parts, (21, 30), strict=True):
        # The brightness tells the part: no digit crosses from one to another.
        left = (y["left"] * 20 + offset) / 255
        right = (y["right"] * 20 + offset) / 255
        np.testing.assert_allclose(x[:, 0, 0, 0], left, atol=1e-6)
        np.testing.assert_allclose(x[:, -1, -1, 0], right, atol=1e-6)
        both = np.maximum(left, right)
        np.testing.assert_allclose(x[:, 14, 14, 0], both, atol=1e-6)
        np.testing.assert_array_equal(x[:, 0, -1], 0)
        np.testing.assert_array_equal(x[:, -1, 0], 0)


def test_every_digit_is_used_before_any_is_repeated(path):
    (_, y), _ = multi_mnist.load_data(num_train=50, num_test=1, path=path)
    for labels in y.values():
        assert np.bincount(labels).tolist() == [5] * 10
    (_, y), _ = multi_mnist.load_data(num_train=125, num_test=1, path=path)
    for labels in y.values():
        assert np.bincount(labels[:100]).tolist() == [10] * 10
    # The second round pairs the digits differently.
    assert not np.array_equal(y["left"][:50], y["left"][50:100])


def test_deterministic_by_seed(path):
    first = multi_mnist.load_data(30, 30, seed=3, path=path)
    again = multi_mnist.load_data(30, 30, seed=3, path=str(path))
    other = multi_mnist.load_data(30, 30, seed=4, path=path)
    for part in (0, 1):
        np.testing.assert_array_equal(first[part][0], again[part][0])
        assert not np.array_equal(first[part][0], other[part][0])
        for name in ("left", "right"):
            np.testing.assert_array_equal(
                first[part][1][name], again[part][1][name]
            )


def test_parts_of_a_large_set_are_composed_like_small_ones(path):
    (x, y), _ = multi_mnist.load_data(num_train=5000, num_test=1, path=path)
    left = (y["left"] * 20 + 21) / 255
    np.testing.assert_allclose(x[:, 0, 0, 0], left, atol=1e-6)


def test_shrinking_averages_over_areas():
    shrink = multi_mnist._area_matrix(6, 4)
    expected = np.array(
        [[2, 1, 0, 0, 0, 0], [0, 1, 2, 0, 0, 0], [0, 0, 0, 2, 1, 0]]
    )
    np.testing.assert_allclose(shrink[:3], expected / 3, atol=1e-6)
    shrink = multi_mnist._area_matrix(36, 28)
    np.testing.assert_allclose(shrink.sum(axis=1), 1, atol=1e-6)
    # No pixel of the canvas is dropped.
    np.testing.assert_allclose(shrink.sum(axis=0), 28 / 36, atol=1e-6)


def test_any_file_in_the_keras_cache_is_read_and_kept(
    monkeypatch, tmp_path, arrays
):
    """Keras deletes a file of another checksum when it cannot download."""

    def fail():
        raise AssertionError("Keras was asked although the file is there")

    (tmp_path / "datasets").mkdir()
    cached = tmp_path / "datasets" / "mnist.npz"
    np.savez(cached, **arrays)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(keras.datasets.mnist, "load_data", fail)
    from_cache = multi_mnist.load_data(num_train=5, num_test=5)
    by_path = multi_mnist.load_data(num_train=5, num_test=5, path=cached)
    np.testing.assert_array_equal(from_cache[0][0], by_path[0][0])
    assert cached.is_file()


def test_without_a_path_the_digits_come_from_keras(
    monkeypatch, tmp_path, arrays
):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    train = (arrays["x_train"], arrays["y_train"])
    test = (arrays["x_test"], arrays["y_test"])
    monkeypatch.setattr(
        keras.datasets.mnist, "load_data", lambda: (train, test)
    )
    (x, _), _ = multi_mnist.load_data(num_train=5, num_test=5)
    assert x.shape == (5, 28, 28, 1)


def test_without_a_network_the_error_names_the_folder(monkeypatch):
    def fail():
        raise Exception("URL fetch failure")

    monkeypatch.setattr(keras.datasets.mnist, "load_data", fail)
    monkeypatch.setenv("KERAS_HOME", "somewhere")
    with pytest.raises(FileNotFoundError, match="URL fetch") as error:
        multi_mnist.load_data()
    assert "somewhere/datasets" in str(error.value)
    assert "`path`" in str(error.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"found nothing at.*no\.npz"):
        multi_mnist.load_data(path=tmp_path / "no.npz")
    with pytest.raises(FileNotFoundError, match="found a folder"):
        multi_mnist.load_data(path=tmp_path)


def test_a_missing_key_is_named(tmp_path, arrays):
    del arrays["y_test"]
    np.savez(tmp_path / "part.npz", **arrays)
    with pytest.raises(ValueError, match=r"lacks \['y_test'\]; it holds"):
        multi_mnist.load_data(path=tmp_path / "part.npz")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("x_train", np.zeros((50, 32, 32), "uint8"), r"\(num_train, 28, 28\)"),
        ("x_train", np.zeros((50, 784), "uint8"), r"found \(50, 784\)"),
        ("y_test", np.zeros(7, "uint8"), r"'y_test' in the shape \(30\)"),
        ("x_test", np.zeros((30, 28, 28)), "'x_test' as uint8"),
    ],
)
def test_an_invalid_array_is_named(tmp_path, arrays, key, value, message):
    np.savez(tmp_path / "odd.npz", **{**arrays, key: value})
    with pytest.raises(ValueError, match=message):
        multi_mnist.load_data(path=tmp_path / "odd.npz")


@pytest.mark.parametrize(
    "argument", [{"num_train": 0}, {"num_test": -1}, {"seed": 1.5}]
)
def test_arguments_out_of_range(path, argument):
    (name,) = argument
    with pytest.raises(ValueError, match=f"`{name}`"):
        multi_mnist.load_data(path=path, **argument)


def test_real_mnist(shared_data):
    path = shared_data("mnist") / "mnist.npz"
    (x, y), (x_test, y_test) = multi_mnist.load_data(2000, 500, path=path)
    assert x.shape == (2000, 28, 28, 1)
    assert x_test.shape == (500, 28, 28, 1)
    assert x.max() > 0.98
    for labels in (*y.values(), *y_test.values()):
        assert set(labels) == set(range(10))
    # Ones carry the least ink, on either side.
    ink = x.mean(axis=(1, 2, 3))
    for labels in y.values():
        means = [ink[labels == digit].mean() for digit in range(10)]
        assert np.argmin(means) == 1
