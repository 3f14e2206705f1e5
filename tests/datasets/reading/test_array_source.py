"""Arrays in memory: held once, small until they are asked for."""

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
def test_what_comes_out(dtype, of_x, of_y):
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
    np.testing.assert_array_equal(source.targets(indices)[0]["y"], y["y"])


def test_inputs_may_be_a_dict_with_texts():
    x = {"a": np.arange(3.0), "b": np.array(["u", "v", "w"], object)}
    source = ArraySource(x, {"y": np.arange(3)})
    found, _ = source.arrays(np.array([2, 0]))
    assert found["b"].tolist() == ["w", "u"]
    ((streamed, _),) = source.batches(np.array([2, 0]), 8, None)
    assert streamed["b"].numpy().tolist() == [b"w", b"u"]
    assert streamed["a"].numpy().tolist() == [2.0, 0.0]


def test_the_arrays_of_the_caller_are_let_go_and_not_changed():
    values = np.arange(6.0)
    source = ArraySource(values, {"y": values})
    values[:] = 0
    assert source.x.tolist() == list(range(6))
    assert not np.shares_memory(source.x, values)
    taken, _ = source.arrays(np.arange(6))
    taken[:] = 9
    assert source.x.tolist() == list(range(6))


def test_a_part_takes_little_more_than_it_returns():
    pixels = np.zeros((2048, 16, 16, 3), "uint8")
    source = ArraySource(pixels, {"y": pixels[..., :1]})
    tracemalloc.start()
    x, y = source.arrays(np.arange(2048))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1.2 * (x.nbytes + y["y"].nbytes)
