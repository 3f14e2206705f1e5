"""Tests that masks are augmented like their images."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from factory_harness import mostly_slow

from mtl_keras import datasets

LAYERS = keras.layers
SIZE = 16

GEOMETRIC = {
    "flip": lambda: LAYERS.RandomFlip(),
    "rotation": lambda: LAYERS.RandomRotation(0.3),
    "rotation_constant": lambda: LAYERS.RandomRotation(
        0.3, fill_mode="constant", fill_value=0.4
    ),
    "zoom": lambda: LAYERS.RandomZoom(0.4, fill_mode="constant"),
    "translation": lambda: LAYERS.RandomTranslation(
        0.4,
        0.4,
        fill_mode="constant",
        fill_value=-3.0,
        interpolation="nearest",
    ),
    "shear": lambda: LAYERS.RandomShear(0.3, 0.3, fill_mode="constant"),
    "perspective": lambda: LAYERS.RandomPerspective(),
    "crop": lambda: LAYERS.RandomCrop(9, 11),
}
COLOURS = {
    "brightness": lambda: LAYERS.RandomBrightness(0.3, value_range=(0, 1)),
    "contrast": lambda: LAYERS.RandomContrast(0.5),
    "grayscale": lambda: LAYERS.RandomGrayscale(0.5),
    "erasing": lambda: LAYERS.RandomErasing(value_range=(0, 1)),
    "blur": lambda: LAYERS.RandomGaussianBlur(value_range=(0, 1)),
}


@pytest.fixture(scope="module")
def samples():
    rng = np.random.default_rng(0)
    x = rng.random((10, SIZE, SIZE, 3)).astype("float32")
    y = {
        "binary": rng.integers(0, 2, (10, SIZE, SIZE, 1)).astype("int32"),
        "classes": rng.integers(2, 9, (10, SIZE, SIZE)).astype("uint8"),
        "holes": rng.integers(-1, 3, (10, SIZE, SIZE, 1)).astype("float32"),
        "label": np.arange(10),
    }
    y["holes"][0] = np.nan
    return x, y


def stream(samples, batch_size=4):
    return tf.data.Dataset.from_tensor_slices(samples).batch(batch_size)


def read(dataset):
    batches = list(dataset.as_numpy_iterator())
    return keras.tree.map_structure(lambda *a: np.concatenate(a), *batches)


@pytest.mark.parametrize(
    "name",
    mostly_slow(GEOMETRIC, ["flip", "rotation_constant", "shear"]),
)
def test_masks_get_no_new_values(samples, name):
    changed = datasets.augment(stream(samples), GEOMETRIC[name](), seed=3)
    assert changed.cardinality() == 3
    x, y = read(changed)
    assert x.dtype == np.float32
    assert not np.array_equal(x, samples[0])
    assert set(np.unique(y["binary"])) <= {-1, 0, 1}
    assert set(np.unique(y["classes"])) <= {-1, *range(2, 9)}
    assert set(np.unique(y["holes"])) <= {-1, 0, 1, 2}
    assert (y["holes"][0] == -1).all()
    np.testing.assert_array_equal(y["label"], samples[1]["label"])
    assert y["binary"].dtype == y["classes"].dtype == np.int32
    assert y["holes"].dtype == np.float32
    assert y["classes"].shape == x.shape[:-1]
    # All masks get one transform: what is missing is missing in each.
    np.testing.assert_array_equal(y["binary"][..., 0] == -1, y["classes"] == -1)


# A transform that moves masks otherwise is seen here, and a blur above.
@pytest.mark.parametrize(
    "name",
    mostly_slow(GEOMETRIC, ["rotation", "zoom", "crop"]),
)
def test_a_mask_is_transformed_like_its_image(name):
    make = GEOMETRIC[name]
    rng = np.random.default_rng(1)
    mask = rng.integers(0, 2, (8, 4, 4, 1)).repeat(8, 1).repeat(8, 2)
    image = mask.astype("float32")
    x, y = read(
        datasets.augment(stream((image, {"mask": mask})), [make(), make()])
    )
    inside = y["mask"] != -1
    # Interpolation blurs the edges of an image, and nothing else.
    agree = np.abs(x - y["mask"])[inside] < 0.51
    assert agree.mean() > 0.97
    assert inside.mean() > 0.3


@pytest.mark.parametrize(
    "name", mostly_slow(COLOURS, ["brightness", "erasing"])
)
def test_colours_leave_masks_as_they_are(samples, name):
    x, y = read(datasets.augment(stream(samples), COLOURS[name]()))
    assert not np.array_equal(x, samples[0])
    for name in ("binary", "classes", "label"):
        np.testing.assert_array_equal(y[name], samples[1][name])


def test_the_seed_determines_the_changes_and_epochs_differ(samples):
    layers = [LAYERS.RandomFlip(), LAYERS.RandomRotation(0.2)]
    first = datasets.augment(stream(samples), layers, seed=1)
    epochs = [read(first), read(first)]
    again = datasets.augment(stream(samples), layers, seed=1)
    for epoch in epochs:
        keras.tree.map_structure(
            np.testing.assert_array_equal, epoch, read(again)
        )
    assert not np.array_equal(epochs[0][0], epochs[1][0])
    other = read(datasets.augment(stream(samples), layers, seed=2))
    assert not np.array_equal(epochs[0][0], other[0])


def test_images_of_a_batch_differ_from_each_other(samples):
    x = np.repeat(samples[0][:1], 8, axis=0)
    x, _ = read(
        datasets.augment(
            stream((x, {"t": np.zeros(8)}), 8), LAYERS.RandomFlip()
        )
    )
    assert len(np.unique(x.reshape(8, -1), axis=0)) > 1


def test_single_images_and_sample_weights(samples):
    x, y = samples
    single = tf.data.Dataset.from_tensor_slices((x, y, np.arange(10.0)))
    changed = datasets.augment(single, [LAYERS.RandomFlip()])
    assert changed.element_spec[0].shape == (SIZE, SIZE, 3)
    x_changed, y_changed, weight = read(changed.batch(10))
    np.testing.assert_array_equal(weight, np.arange(10))
    np.testing.assert_array_equal(y_changed["label"], y["label"])
    sums = y["binary"].sum(axis=(1, 2, 3))
    np.testing.assert_array_equal(y_changed["binary"].sum((1, 2, 3)), sums)
    assert not np.array_equal(x_changed, x)


def test_only_named_masks_are_transformed(samples):
    changed = datasets.augment(
        stream(samples), [LAYERS.RandomFlip()], masks=["binary"]
    )
    _, y = read(changed)
    assert not np.array_equal(y["binary"], samples[1]["binary"])
    np.testing.assert_array_equal(y["classes"], samples[1]["classes"])
    x = samples[0].astype("uint8")
    x, y = read(
        datasets.augment(stream((x, {"t": np.zeros(10)})), LAYERS.RandomFlip())
    )
    assert x.dtype == np.float32


@pytest.mark.parametrize(
    ("layers", "error", "message"),
    [
        ([], ValueError, "`layers` must hold at least one layer"),
        (LAYERS.Dense(3), TypeError, "holds Dense, expected.*preprocessing"),
        (LAYERS.GaussianNoise(0.1), TypeError, "Pass other layers as"),
        (LAYERS.MixUp(), ValueError, "MixUp, which mixes samples"),
        (LAYERS.CutMix(), ValueError, "CutMix, which mixes samples"),
        (LAYERS.AugMix(), ValueError, "AugMix, which mixes several"),
        (LAYERS.RandAugment(), ValueError, "RandAugment, which draws"),
        (LAYERS.RandomElasticTransform(), ValueError, "distorts masks"),
        (LAYERS.RandomCrop(20, 4), ValueError, "to 20x4 .* have 16x16"),
    ],
)
def test_layers_that_cannot_augment_masks(samples, layers, error, message):
    with pytest.raises(error, match=message):
        datasets.augment(stream(samples), layers)


def test_invalid_data(samples):
    x, y = samples
    flip = LAYERS.RandomFlip()
    with pytest.raises(TypeError, match="`dataset` must be a tf"):
        datasets.augment(samples, flip)
    with pytest.raises(TypeError, match=r"must hold \(x, y\)"):
        datasets.augment(tf.data.Dataset.from_tensor_slices(x), flip)
    with pytest.raises(TypeError, match="images of rank 3"):
        datasets.augment(stream((y["label"], y)), flip)
    with pytest.raises(ValueError, match=r"names 'binry'.*mean 'binary'\?"):
        datasets.augment(stream(samples), flip, masks=["binry"])
    with pytest.raises(ValueError, match="names 'label', whose shape"):
        datasets.augment(stream(samples), flip, masks=["label"])
    with pytest.raises(ValueError, match="a weight per pixel"):
        datasets.augment(stream((x, y, {"binary": y["binary"]})), flip)
    with pytest.raises(ValueError, match="`seed`"):
        datasets.augment(stream(samples), flip, seed=-1)
