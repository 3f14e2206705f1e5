"""Tests samples in memory: stored once, with small dtypes."""

import tracemalloc

import numpy as np
import pytest

from mtl_keras.datasets.reading.array_source import ArraySource


@pytest.mark.parametrize(
    ("dtype", "of_x", "of_y"),
    [
        ("uint8", "float32", "int32"),
        ("int8", "float32", "int32"),
        ("float16", "float32", "float32"),
        ("float32", "float32", "float32"),
        ("int32", "int32", "int32"),
        ("int64", "int64", "int64"),
        ("bool", "float32", "int32"),
    ],
)
def test_dtypes_of_samples(dtype, of_x, of_y):
    values = np.arange(12).reshape(6, 2).astype(dtype)
    source = ArraySource(values, {"y": values})
    indices = np.array([4, 0, 3])
    x, y = source.arrays(indices)
    ((streamed_x, streamed_y),) = source.batches(indices, 8, None)
    for found in (x, streamed_x.numpy()):
        np.testing.assert_array_equal(found, values[indices].astype(of_x))
        assert found.dtype == of_x
    for found in (y["y"], streamed_y["y"].numpy()):
        np.testing.assert_array_equal(found, values[indices].astype(of_y))
        assert found.dtype == of_y
    np.testing.assert_array_equal(next(source.targets(indices))["y"], y["y"])


def test_numbers_are_not_classes():
    values = np.arange(6, dtype="uint8")
    source = ArraySource(values, {"y": values, "z": values}, ["z"])
    _, y = source.arrays(np.arange(6))
    assert (y["y"].dtype, y["z"].dtype) == ("int32", "float32")
    ((_, y),) = source.batches(np.arange(6), 8, None)
    assert (y["y"].dtype, y["z"].dtype) == ("int32", "float32")


def test_targets_come_in_parts_of_a_bounded_size():
    masks = np.arange(40).reshape(40, 1) * np.ones((1, 2**16), "int8")
    source = ArraySource(np.zeros(40), {"y": masks})
    parts = [part["y"] for part in source.targets(np.arange(39, -1, -1))]
    assert [len(part) for part in parts] == [16, 16, 8]
    np.testing.assert_array_equal(np.concatenate(parts), masks[::-1])


def test_inputs_may_be_a_dict_with_strings():
    x = {"a": np.arange(3.0), "b": np.array(["u", "v", "w"], object)}
    source = ArraySource(x, {"y": np.arange(3)})
    found, _ = source.arrays(np.array([2, 0]))
    assert found["b"].tolist() == ["w", "u"]
    ((streamed, _),) = source.batches(np.array([2, 0]), 8, None)
    assert streamed["b"].numpy().tolist() == [b"w", b"u"]
    assert streamed["a"].numpy().tolist() == [2.0, 0.0]


def test_arrays_are_copies():
    source = ArraySource(np.arange(6.0), {"y": np.arange(6)})
    x, y = source.arrays(np.arange(6))
    x[:], y["y"][:] = 9, 9
    assert source.x.tolist() == source.y["y"].tolist() == list(range(6))


def test_reading_a_part_needs_little_memory():
    pixels = np.zeros((2048, 16, 16, 3), "uint8")
    source = ArraySource(pixels, {"y": pixels[..., :1]})
    tracemalloc.start()
    x, y = source.arrays(np.arange(2048))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1.2 * (x.nbytes + y["y"].nbytes)
