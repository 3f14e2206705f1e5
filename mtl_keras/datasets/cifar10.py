"""CIFAR-10: small photographs of ten classes, one task.

Origin: A. Krizhevsky, V. Nair and G. Hinton, 2009
(https://www.cs.toronto.edu/~kriz/cifar.html), a subset of 80 Million Tiny
Images.

Licence: none stated; the authors ask for a citation.
"""

import os
from pathlib import Path

import keras

from mtl_keras.datasets.cifar_batches import read_batches
from mtl_keras.datasets.keras_images import KerasImages
from mtl_keras.datasets.samples import Samples
from mtl_keras.tasks import Classification, Task

CLASSES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)

_TRAIN = tuple(f"data_batch_{number}" for number in range(1, 6))
_TEST = ("test_batch",)
_ORIGIN = (
    "Unpack https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz, which "
    "holds that folder."
)


def load_data(
    path: str | os.PathLike | None = None,
) -> tuple[Samples, Samples]:
    """Reads the 60,000 photographs of CIFAR-10.

    Args:
        path: String or path of the folder `cifar-10-batches-py`. Defaults to
            `None`: the one in `~/.keras/datasets`, to which Keras downloads it
            if needed.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: x is float32 of shape
        `(n, 32, 32, 3)`, RGB in `[0, 1]`; y is a dict with `"cifar10"`, int32
        of shape `(n,)`, the index in `cifar10.CLASSES`.

    Raises:
        FileNotFoundError: If it can be neither found nor downloaded.
        ValueError: If a file has another content.

    Example:

    ```python
    (x_train, y_train), (x_test, y_test) = cifar10.load_data()
    assert x_train.shape == (50000, 32, 32, 3)
    assert y_train["cifar10"].shape == (50000,)
    ```

    Reference:

    - Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009.
    """
    return _CIFAR10.load(path)


def tasks() -> list[Task]:
    """Returns the task that fits the targets of `load_data`.

    Returns:
        A `Classification` of ten classes, `"cifar10"`.

    Example:

    ```python
    [task.name for task in cifar10.tasks()]
    # ['cifar10']
    ```
    """
    return [
        Classification("cifar10", num_classes=len(CLASSES), class_names=CLASSES)
    ]


def _read(folder: Path):
    return tuple(
        read_batches([folder / name for name in part], "labels", _ORIGIN)
        for part in (_TRAIN, _TEST)
    )


_CIFAR10 = KerasImages(
    title="CIFAR-10",
    task="cifar10",
    module=keras.datasets.cifar10,
    read=_read,
    # Where Keras 3 unpacks it, and where earlier versions did.
    places=(
        "cifar-10-batches-py-target/cifar-10-batches-py",
        "cifar-10-batches-py",
    ),
    files=(*_TRAIN, *_TEST),
    origin=_ORIGIN,
)
