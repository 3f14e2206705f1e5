"""Digit scenes: real handwriting on coloured, noisy backgrounds.

Two tasks on one picture: the digit, and the pixels of its strokes. Nothing is
downloaded: the handwriting is part of scikit-learn, and the scenes are
generated from a seed.

Origin: the 1,797 handwritten digits of 13 people in
`sklearn.datasets.load_digits`, which is the test part of the UCI data set
"Optical Recognition of Handwritten Digits" (E. Alpaydin and C. Kaynak, 1998,
https://doi.org/10.24432/C50P49).

Licence: CC BY 4.0.
"""

import numpy as np

from mtl_keras.datasets.arguments import check_count, check_seed
from mtl_keras.datasets.samples import Samples
from mtl_keras.tasks import Classification, DenseRegression, Segmentation, Task

SCENE_SIZE = 32
DIGIT_SIZES = range(14, 25)
NOISE = 0.1
CONTRAST = 0.6
TEST_EVERY = 5  # one in five digits is for the test


def load_data(
    num_train: int = 6000,
    num_test: int = 1500,
    seed: int = 0,
    new_writers: bool = False,
    depth: bool = False,
) -> tuple[Samples, Samples]:
    """Generates scenes of one handwritten digit each.

    A scene has 32x32 pixels. Its background is a gradient between two random
    colours in a random direction. The digit of 8x8 pixels is enlarged
    bilinearly to a size of 14 to 24 pixels, and placed at random. Its ink is
    blended into the background, in a random colour whose Euclidean distance in
    RGB to the mean colour behind the ink is at least 0.6. Then normal noise of
    standard deviation 0.1 is added to every pixel and channel, and values are
    clipped to `[0, 1]`. A pixel belongs to a stroke if the ink covers more
    than half of it.

    Training and test scenes use different handwriting: every fifth digit of
    each class, in the order of scikit-learn, is for the test. With
    `new_writers=True`, it is the last fifth of each class. Because the order
    follows the writers, most writers of the test are then new, and the test is
    harder: nearest neighbours classify 95.5 % of these digits, and 98.6 % of
    every fifth.

    With `depth=True`, the strokes also have a distance, as if all digits had
    the same size and the largest were at a distance of 1: 24 divided by the
    size in pixels, from 1 to 1.71. The background has no depth (NaN), as with
    depth sensors.

    Args:
        num_train: Integer, number of training scenes. Defaults to 6000.
        num_test: Integer, number of test scenes. Defaults to 1500.
        seed: Integer of at least 0. The same seed gives the same scenes, and
            the size of one part does not change the other. Defaults to 0.
        new_writers: Boolean, whether most of the test handwriting is by people
            who are not in the training part. Defaults to `False`.
        depth: Boolean, whether to add depths to the targets. Defaults to
            `False`.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: x is float32 of shape
        `(n, 32, 32, 3)`, RGB in `[0, 1]`; y is a dict with
        `"classification"`, int32 of shape `(n,)`, the digit, and
        `"segmentation"`, float32 of shape `(n, 32, 32, 1)`, 1 on the strokes
        and 0 elsewhere; with `depth=True` also `"depth"`, float32 of shape
        `(n, 32, 32, 1)`.

    Raises:
        ValueError: If a number of scenes or the seed is out of range.

    Example:

    ```python
    (x_train, y_train), (x_test, y_test) = digit_scenes.load_data()
    assert x_train.shape == (6000, 32, 32, 3)
    assert y_train["classification"].shape == (6000,)
    assert y_train["segmentation"].shape == (6000, 32, 32, 1)
    ```
    """
    check_count("num_train", num_train)
    check_count("num_test", num_test)
    check_seed(seed)
    images, labels = _load_handwriting()
    train, test = _split_handwriting(labels, new_writers)
    return (
        _compose(images[train], labels[train], num_train, (seed, 0), depth),
        _compose(images[test], labels[test], num_test, (seed, 1), depth),
    )


def tasks(depth: bool = False) -> list[Task]:
    """Returns the tasks that fit the targets of `load_data`.

    Args:
        depth: Boolean, as in `load_data`. Defaults to `False`.

    Returns:
        A `Classification` of ten digits and a binary `Segmentation`; with
        `depth=True`, also a `DenseRegression`.

    Example:

    ```python
    [task.name for task in digit_scenes.tasks()]
    # ['classification', 'segmentation']
    ```
    """
    tasks = [
        Classification("classification", num_classes=10),
        Segmentation("segmentation", num_classes=1),
    ]
    return [*tasks, DenseRegression("depth")] if depth else tasks


def _load_handwriting():
    """Returns ink of shape (1797, 8, 8) in [0, 1], and the digits."""
    # Imported here, because the other data sets do not need scikit-learn.
    from sklearn.datasets import load_digits

    digits = load_digits()
    return digits.images.astype("float32") / 16, digits.target.astype("int32")


def _split_handwriting(labels, new_writers=False):
    """Returns the indices for training and for test, both sorted."""
    is_test = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        (members,) = np.nonzero(labels == label)
        if new_writers:
            is_test[members[-(len(members) // TEST_EVERY) :]] = True
        else:
            is_test[members[TEST_EVERY - 1 :: TEST_EVERY]] = True
    return np.flatnonzero(~is_test), np.flatnonzero(is_test)


def _compose(images, labels, count, seed, depth=False):
    rng = np.random.default_rng(seed)
    chosen = rng.integers(len(images), size=count)
    sizes = rng.choice(DIGIT_SIZES, size=(count, 1))
    corners = rng.integers(SCENE_SIZE - sizes + 1, size=(count, 2))
    ink = _place(images[chosen], sizes[:, 0], corners)
    scenes = _gradients(count, rng)
    behind = np.einsum("nhwc,nhw->nc", scenes, ink)
    behind /= ink.sum(axis=(1, 2))[:, None]
    colours = _contrasting_colours(behind, rng)
    scenes += ink[..., None] * (colours[:, None, None] - scenes)
    scenes += NOISE * rng.standard_normal(scenes.shape, dtype="float32")
    strokes = ink[..., None] > 0.5
    targets = {
        "classification": labels[chosen],
        "segmentation": strokes.astype("float32"),
    }
    if depth:
        distances = max(DIGIT_SIZES) / sizes[:, :, None, None]
        targets["depth"] = np.where(strokes, distances, np.nan).astype(
            "float32"
        )
    return np.clip(scenes, 0, 1, out=scenes), targets


def _place(images, sizes, corners):
    """Enlarges each image to its size, and places it at its corner."""
    ink = np.zeros((len(images), SCENE_SIZE, SCENE_SIZE), "float32")
    for size in DIGIT_SIZES:
        (chosen,) = np.nonzero(sizes == size)
        enlarge = _bilinear_matrix(images.shape[-1], size)
        rows = corners[chosen, 0, None] + np.arange(size)
        columns = corners[chosen, 1, None] + np.arange(size)
        ink[chosen[:, None, None], rows[:, :, None], columns[:, None]] = (
            enlarge @ images[chosen] @ enlarge.T
        )
    return ink


def _bilinear_matrix(source, target):
    """Returns the (target, source) matrix that resizes one axis."""
    centers = (np.arange(target) + 0.5) * source / target - 0.5
    # Pixels beyond the border repeat the border.
    centers = np.clip(centers, 0, source - 1)
    distances = np.abs(centers[:, None] - np.arange(source))
    return np.maximum(0, 1 - distances).astype("float32")


def _gradients(count, rng):
    """Returns backgrounds with a gradient between two colours."""
    start, end = rng.random((2, count, 1, 1, 3), dtype="float32")
    angles = rng.uniform(0, 2 * np.pi, count)
    direction = np.stack([np.cos(angles), np.sin(angles)])
    # The gradient ends in opposite corners of the scene.
    direction /= np.abs(direction).sum(axis=0)
    down, right = direction[:, :, None, None].astype("float32")
    position = np.linspace(-0.5, 0.5, SCENE_SIZE, dtype="float32")
    progress = 0.5 + down * position[:, None] + right * position
    return start + progress[..., None] * (end - start)


def _contrasting_colours(colours, rng):
    """Returns a random colour for each, at a distance of at least CONTRAST."""
    candidates = rng.random((len(colours), 64, 3), dtype="float32")
    # The farthest corner of the colour cube is at least 0.87 away, so that
    # the last candidate always qualifies.
    candidates[:, -1] = colours < 0.5
    distances = np.linalg.norm(candidates - colours[:, None], axis=-1)
    first = np.argmax(distances >= CONTRAST, axis=1)
    return candidates[np.arange(len(colours)), first]
