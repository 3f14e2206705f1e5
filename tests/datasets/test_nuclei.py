"""Tests nuclei: the three targets, and invalid files."""

import numpy as np
import pytest

from mtl_keras.datasets import nuclei


@pytest.fixture
def arrays():
    rng = np.random.default_rng(0)
    number = np.arange(10)
    x = rng.integers(0, 256, (10, 96, 96, 3), dtype="uint8")
    # The first pixel tells the image, the first count its number.
    x[:, 0, 0, 0] = number
    mask = np.zeros((10, 96, 96), "uint8")
    mask[:, 0, : number.max() + 1] = number[:, None] >= number
    return {
        "x": x,
        "mask": mask,
        "count": (number + 1).astype("uint16"),
        "modality": (number % 3).astype("uint8"),
        "is_test": number >= 7,
    }


@pytest.fixture
def write(tmp_path, arrays):
    def write(**changes):
        changed = {**arrays, **changes}
        path = tmp_path / "nuclei.npz"
        np.savez(path, **{k: v for k, v in changed.items() if v is not None})
        return path

    return write


def test_shapes_dtypes_and_ranges(write):
    parts = nuclei.load_data(write())
    for (x, y), count in zip(parts, (7, 3), strict=True):
        assert x.shape == (count, 96, 96, 3)
        assert x.dtype == np.float32
        assert x.min() == 0 and x.max() == 1
        assert y["mask"].shape == (count, 96, 96, 1)
        assert y["mask"].dtype == np.float32
        assert set(np.unique(y["mask"])) == {0, 1}
        assert y["modality"].shape == y["count"].shape == (count,)
        assert y["modality"].dtype == np.int32
        assert y["count"].dtype == np.float32


def test_samples_stay_whole_and_parts_follow_is_test(write):
    (x_train, y_train), (x_test, y_test) = nuclei.load_data(write())
    for x, y, numbers in (
        (x_train, y_train, np.arange(7)),
        (x_test, y_test, np.arange(7, 10)),
    ):
        np.testing.assert_allclose(x[:, 0, 0, 0] * 255, numbers, atol=1e-5)
        np.testing.assert_array_equal(y["count"], numbers + 1)
        np.testing.assert_array_equal(y["modality"], numbers % 3)
        np.testing.assert_array_equal(y["mask"].sum((1, 2, 3)), numbers + 1)


def test_tasks_fit_the_targets(write):
    (_, y), _ = nuclei.load_data(write())
    assert [task.name for task in nuclei.tasks()] == list(y)


def test_masks_of_0_and_255_and_splits_of_0_and_1_are_read(write, arrays):
    path = write(
        mask=arrays["mask"] * 255, is_test=arrays["is_test"].astype("uint8")
    )
    (x, y), _ = nuclei.load_data(path)
    assert len(x) == 7
    assert y["mask"].max() == 1


def test_other_image_sizes_are_read(write, arrays):
    path = write(x=arrays["x"][:, :64, :48], mask=arrays["mask"][:, :64, :48])
    (x, y), _ = nuclei.load_data(path)
    assert x.shape == (7, 64, 48, 3)
    assert y["mask"].shape == (7, 64, 48, 1)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing at.*no\.npz"):
        nuclei.load_data(tmp_path / "no.npz")


def test_another_file_type_is_named(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros(3))
    with pytest.raises(ValueError, match="must name an npz file"):
        nuclei.load_data(tmp_path / "x.npy")


@pytest.mark.parametrize("key", ["x", "mask", "count", "modality", "is_test"])
def test_a_missing_key_is_named(write, key):
    with pytest.raises(ValueError, match=rf"lacks \['{key}'\]; it holds"):
        nuclei.load_data(write(**{key: None}))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("x", np.zeros((10, 96, 96), "uint8"), r"\(n, height, width, 3\)"),
        ("x", np.zeros((10, 96, 96, 4), "uint8"), r"found \(10, 96, 96, 4\)"),
        ("x", np.zeros((10, 96, 96, 3)), "'x' as uint8.*found float64"),
        ("mask", np.zeros((10, 48, 48)), r"'mask' in the shape \(10, 96, 96\)"),
        ("count", np.zeros(9), "'count' in the shape"),
        ("modality", np.full(10, 3), r"\[0, 1, 2\].*found \[3\]"),
    ],
)
def test_an_invalid_array_is_named(write, key, value, message):
    with pytest.raises(ValueError, match=message):
        nuclei.load_data(write(**{key: value}))


def test_real_nuclei(shared_data):
    path = shared_data("dsb2018_nuclei") / "dsb2018.npz"
    (x_train, y_train), (x_test, y_test) = nuclei.load_data(path)
    assert x_train.shape == (532, 96, 96, 3)
    assert x_test.shape == (132, 96, 96, 3)
    counts = np.concatenate([y_train["count"], y_test["count"]])
    assert (counts.min(), np.median(counts), counts.max()) == (1, 27, 375)
    for y in (y_train, y_test):
        assert set(y["modality"]) == {0, 1, 2}
        assert 0.05 < y["mask"].mean() < 0.5
    # Under fluorescence, nuclei are brighter than the rest.
    light = x_train.mean(axis=-1, keepdims=True)
    fluorescent = y_train["modality"] == 0
    light, mask = light[fluorescent], y_train["mask"][fluorescent]
    inside = (light * mask).sum() / mask.sum()
    assert inside > 2 * (light * (1 - mask)).sum() / (1 - mask).sum()
