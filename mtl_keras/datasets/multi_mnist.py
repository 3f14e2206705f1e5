"""MultiMNIST: two overlapping MNIST digits, one task each.

Origin: MNIST (Y. LeCun, C. Cortes and C. Burges, 1998), a derivative of NIST
special databases 1 and 3; the overlay follows Sabour et al. (2017) and Sener
and Koltun (2018).

Licence: CC BY-SA 3.0.
"""

import os

import numpy as np

from mtl_keras.datasets import mnist
from mtl_keras.datasets.arguments import check_count, check_seed
from mtl_keras.datasets.samples import Samples
from mtl_keras.tasks import Classification, Task

DIGIT_SIZE = 28
CANVAS_SIZE = 36


def load_data(
    num_train: int = 60000,
    num_test: int = 10000,
    seed: int = 0,
    path: str | os.PathLike | None = None,
) -> tuple[Samples, Samples]:
    """Overlays two MNIST digits.

    The left digit is in the top-left corner of a canvas of 36x36 pixels, the
    right digit in the bottom-right corner. Where they overlap, in 20x20 pixels,
    the brighter value is kept. Averaging over areas shrinks the canvas to
    28x28. (The published code of Sener and Koltun shifts the right digit by 6
    pixels instead of 8, and shrinks by nearest neighbour, which drops strokes
    of one pixel. Do not compare results of the two.)

    Both digits are drawn at random, of the same class or not. Each MNIST image
    is used once on either side before any is repeated. Training images use
    only training digits, test images only test digits.

    Args:
        num_train: Integer, number of training images. Defaults to 60000.
        num_test: Integer, number of test images. Defaults to 10000.
        seed: Integer of at least 0. The same seed gives the same images.
            Defaults to 0.
        path: String or path of an npz file with the uint8 arrays `x_train`,
            `y_train`, `x_test` and `y_test`. Defaults to `None`: the file
            that `keras.datasets.mnist` stores in `~/.keras/datasets`, which
            Keras downloads if needed.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: x is float32 of shape
        `(n, 28, 28, 1)`, in `[0, 1]`; y is a dict with `"left"` and
        `"right"`, int32 of shape `(n,)`, the digits.

    Raises:
        FileNotFoundError: If MNIST can be neither found nor downloaded.
        ValueError: If the file lacks an array, or an argument is out of range.

    Example:

    ```python
    (x_train, y_train), (x_test, y_test) = multi_mnist.load_data()
    assert x_train.shape == (60000, 28, 28, 1)
    assert y_train["left"].shape == (60000,)
    ```

    Reference:

    - Sabour, Frosst and Hinton, Dynamic Routing Between Capsules, 2017.
    - Sener and Koltun, Multi-Task Learning as Multi-Objective Optimization,
      2018.
    """
    check_count("num_train", num_train)
    check_count("num_test", num_test)
    check_seed(seed)
    train, test = mnist.load_data(path)
    return (
        _overlay(train, num_train, (seed, 0)),
        _overlay(test, num_test, (seed, 1)),
    )


def tasks() -> list[Task]:
    """Returns the tasks that fit the targets of `load_data`.

    Returns:
        Two `Classification` tasks of ten digits, `"left"` and `"right"`.

    Example:

    ```python
    [task.name for task in multi_mnist.tasks()]
    # ['left', 'right']
    ```
    """
    return [
        Classification("left", num_classes=10),
        Classification("right", num_classes=10),
    ]


def _overlay(samples, count, seed):
    digits, labels = samples[0][..., 0], samples[1]["digit"]
    rng = np.random.default_rng(seed)
    left = _draw(len(digits), count, rng)
    right = _draw(len(digits), count, rng)
    shrink = _area_matrix(CANVAS_SIZE, DIGIT_SIZE)
    x = np.empty((count, DIGIT_SIZE, DIGIT_SIZE, 1), "float32")
    # In chunks, because the canvases need more memory than the result.
    for start in range(0, count, 4096):
        part = slice(start, start + 4096)
        canvas = _canvas(digits[left[part]], digits[right[part]])
        x[part, ..., 0] = shrink @ canvas @ shrink.T
    return x, {"left": labels[left], "right": labels[right]}


def _draw(available, count, rng):
    """Draws indices, each of them once before any is repeated."""
    rounds = -(-count // available)
    orders = [rng.permutation(available) for _ in range(rounds)]
    return np.concatenate(orders)[:count]


def _canvas(left, right):
    canvas = np.zeros((len(left), CANVAS_SIZE, CANVAS_SIZE), "float32")
    canvas[:, :DIGIT_SIZE, :DIGIT_SIZE] = left
    corner = canvas[:, -DIGIT_SIZE:, -DIGIT_SIZE:]
    np.maximum(corner, right, out=corner)
    return canvas


def _area_matrix(source, target):
    """Returns the (target, source) matrix that averages over areas."""
    edges = np.arange(target + 1) * source / target
    pixels = np.arange(source)
    overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(
        edges[:-1, None], pixels
    )
    return (np.maximum(0, overlap) * target / source).astype("float32")
