"""Tests mixtures of images with different sizes and channels."""

import numpy as np
import pytest
import tensorflow as tf
from numbered_sets import as_stream, batches

from mtl_keras.datasets import concatenate, mix


def images(rng, size, channels, task, dtype="float32"):
    """Makes images with a mask, a class and a row of numbers each."""
    shape = (6, *size, channels)
    x = (
        rng.random(shape)
        if dtype == "float32"
        else rng.integers(256, size=shape)
    )
    return x.astype(dtype), {
        f"mask_{task}": rng.integers(2, size=(6, *size, 1)).astype("uint8"),
        f"flat_{task}": rng.integers(2, size=(6, *size)).astype("uint8"),
        f"class_{task}": np.arange(6),
    }


def mixed(sets, **options):
    """Returns all samples of a mixture in order."""
    stream = mix(sets, "alternate", batch_size=6, shuffle=False, **options)
    return batches(stream)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda dataset: dataset,
        pytest.param(as_stream, marks=pytest.mark.slow),
    ],
)
def test_images_are_resized_and_so_are_their_masks(rng, wrap):
    small, large = images(rng, (4, 4), 3, "a"), images(rng, (8, 6), 3, "b")
    sets = {"small": wrap(small), "large": wrap(large)}
    (x, y), (x_large, y_large) = mixed(sets, image_size=(8, 6))
    expected = tf.image.resize(small[0], (8, 6)).numpy()
    np.testing.assert_allclose(x, expected, rtol=1e-6)
    np.testing.assert_array_equal(x_large, large[0])
    nearest = tf.image.resize(small[1]["mask_a"], (8, 6), method="nearest")
    np.testing.assert_array_equal(y["mask_a"], nearest)
    flat = small[1]["flat_a"][..., None]
    nearest = tf.image.resize(flat, (8, 6), method="nearest")
    np.testing.assert_array_equal(y["flat_a"], nearest[..., 0])
    assert (y["mask_b"] == -1).all() and y["mask_b"].shape == (6, 8, 6, 1)
    np.testing.assert_array_equal(y["class_a"], small[1]["class_a"])
    np.testing.assert_array_equal(y_large["mask_b"], large[1]["mask_b"])


def test_grey_is_repeated_and_colours_are_averaged(rng):
    grey, rgb = images(rng, (4, 4), 1, "a"), images(rng, (4, 4), 3, "b")
    (x, _), (kept, _) = mixed({"grey": grey, "rgb": rgb}, channels=3)
    np.testing.assert_array_equal(x, np.repeat(grey[0], 3, axis=-1))
    np.testing.assert_array_equal(kept, rgb[0])
    (kept, _), (x, _) = mixed({"grey": grey, "rgb": rgb}, channels=1)
    np.testing.assert_array_equal(kept, grey[0])
    mean = rgb[0].mean(axis=-1, keepdims=True)
    np.testing.assert_allclose(x, mean, rtol=1e-6)


def test_integer_pixels_are_rounded(rng):
    sets = {
        "grey": images(rng, (4, 4), 1, "a", "uint8"),
        "rgb": images(rng, (6, 6), 3, "b", "uint8"),
    }
    (_, _), (x, _) = mixed(sets, channels=1, image_size=(6, 6))
    assert x.dtype == "uint8"
    exact = sets["rgb"][0].mean(axis=-1, keepdims=True)
    assert np.abs(x - exact).max() <= 0.5 + 1e-4


@pytest.mark.slow
def test_images_of_several_sizes_in_one_stream(rng):
    sizes = [(4, 4), (6, 5)]
    samples = [(rng.random((*s, 3), "float32"), {"t": 1}) for s in sizes]
    stream = tf.data.Dataset.from_generator(
        lambda: samples,
        output_signature=(
            tf.TensorSpec((None, None, 3), tf.float32),
            {"t": tf.TensorSpec((), tf.int32)},
        ),
    ).apply(tf.data.experimental.assert_cardinality(2))
    ((x, _),) = mixed({"a": stream}, image_size=(5, 5))
    for found, (image, _) in zip(x, samples, strict=True):
        np.testing.assert_allclose(
            found, tf.image.resize(image, (5, 5)), rtol=1e-6
        )
    with pytest.raises(ValueError, match=r"unknown shape .*image_size="):
        mix({"a": stream})


@pytest.mark.slow
def test_concatenated_sets_are_adapted_too(rng):
    small, large = images(rng, (4, 4), 1, "a"), images(rng, (8, 6), 3, "b")
    sets = {"small": small, "large": large}
    x, y = concatenate(sets, image_size=(8, 6), channels=3)
    expected = mixed(sets, image_size=(8, 6), channels=3)
    np.testing.assert_array_equal(x, np.concatenate([e[0] for e in expected]))
    for task, targets in y.items():
        rows = np.concatenate([e[1][task] for e in expected])
        np.testing.assert_array_equal(targets, rows)
        assert targets.dtype == rows.dtype


@pytest.mark.parametrize(
    ("first", "second", "options", "message"),
    [
        ((4, 4, 3), (8, 6, 3), {}, r"Pass image_size=\(8, 6\) to resize\."),
        ((4, 4, 3), (4, 4, 1), {}, "Pass channels=3 or channels=1"),
        ((4, 4, 3), (8, 6, 1), {}, r"image_size=\(8, 6\).*; pass channels"),
        ((4, 4, 3), (4, 4), {}, r"x\[\.\.\., None\]"),
        ((5,), (4,), {}, "Reshape or pad"),
        ((4, 4), (4, 4), {"channels": 3}, r"x\[\.\.\., None\]"),
        ((4, 4, 4), (4, 4, 3), {"channels": 3}, "images of 4 channels"),
        ((4, 4, 3), (4, 4, 3), {"channels": 2}, "`channels` must be 1, 3"),
        ((4, 4, 3), (4, 4, 3), {"image_size": (0, 4)}, "`image_size` must"),
        ((4, 4, 3), (4, 4, 3), {"image_size": (4,)}, r"\(height, width\)"),
        ((4, 4, 3), (4, 4, 3), {"image_size": 4}, r"\(height, width\)"),
    ],
)
def test_different_inputs_are_named_with_advice(
    first, second, options, message
):
    sets = {
        "one": (np.zeros((2, *first), "float32"), {"t": np.zeros(2)}),
        "two": (np.zeros((2, *second), "float32"), {"t": np.zeros(2)}),
    }
    with pytest.raises(ValueError, match=message):
        mix(sets, **options)


def test_different_dtypes_are_named():
    y = {"t": np.zeros(2)}
    sets = {
        "one": (np.zeros((2, 4), "float32"), y),
        "two": (np.zeros((2, 4), "uint8"), y),
    }
    with pytest.raises(
        ValueError, match=r"'one' has .* float32, 'two' of"
    ) as e:
        mix(sets)
    assert "x.astype('float32') / 255" in str(e.value)
