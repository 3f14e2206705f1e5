"""MNIST: handwritten digits, one task.

Origin: MNIST (Y. LeCun, C. Cortes and C. Burges, 1998), a derivative of NIST
special databases 1 and 3.

Licence: CC BY-SA 3.0.
"""

import os

import keras

from mtl_keras.datasets.files import read_arrays
from mtl_keras.datasets.keras_images import KerasImages
from mtl_keras.datasets.samples import Samples
from mtl_keras.tasks import Classification, Task

_ORIGIN = (
    "Keras's mnist.npz is at https://storage.googleapis.com/tensorflow/"
    "tf-keras-datasets/mnist.npz."
)


def load_data(
    path: str | os.PathLike | None = None,
) -> tuple[Samples, Samples]:
    """Reads the 70,000 digits of MNIST.

    Args:
        path: String or path of an npz file with the uint8 arrays `x_train`,
            `y_train`, `x_test` and `y_test`. Defaults to `None`: `mnist.npz`
            in `~/.keras/datasets`, which Keras downloads if needed.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: x is float32 of shape
        `(n, 28, 28, 1)`, in `[0, 1]`; y is a dict with `"digit"`, int32 of
        shape `(n,)`.

    Raises:
        FileNotFoundError: If MNIST can be neither found nor downloaded.
        ValueError: If the file lacks an array, or an array does not fit.

    Example:

    ```python
    (x_train, y_train), (x_test, y_test) = mnist.load_data()
    assert x_train.shape == (60000, 28, 28, 1)
    assert y_train["digit"].shape == (60000,)
    ```
    """
    return _MNIST.load(path)


def tasks() -> list[Task]:
    """Returns the task that fits the targets of `load_data`.

    Returns:
        A `Classification` of ten digits, `"digit"`.

    Example:

    ```python
    [task.name for task in mnist.tasks()]
    # ['digit']
    ```
    """
    return [Classification("digit", num_classes=10)]


def _read(path):
    shapes = {
        "x_train": ("num_train", 28, 28),
        "y_train": ("num_train",),
        "x_test": ("num_test", 28, 28),
        "y_test": ("num_test",),
    }
    arrays = read_arrays(path, shapes, _ORIGIN)
    return (
        (arrays["x_train"], arrays["y_train"]),
        (arrays["x_test"], arrays["y_test"]),
    )


_MNIST = KerasImages(
    title="MNIST",
    task="digit",
    module=keras.datasets.mnist,
    read=_read,
    places=("mnist.npz",),
    files=(),
    origin=_ORIGIN,
)
