"""CIFAR-100: small photographs of a hundred classes, one task.

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

_ORIGIN = (
    "Unpack https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz, which "
    "holds that folder."
)


def load_data(
    path: str | os.PathLike | None = None,
) -> tuple[Samples, Samples]:
    """Reads the 60,000 photographs of CIFAR-100.

    Args:
        path: String or path of the folder `cifar-100-python`. Defaults to
            `None`: the one in `~/.keras/datasets`, to which Keras downloads it
            if needed.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: x is float32 of shape
        `(n, 32, 32, 3)`, RGB in `[0, 1]`; y is a dict with `"cifar100"`,
        int32 of shape `(n,)`, the fine classes, in alphabetical order.

    Raises:
        FileNotFoundError: If it can be neither found nor downloaded.
        ValueError: If a file has another content.

    Example:

    ```python
    (x_train, y_train), (x_test, y_test) = cifar100.load_data()
    assert x_train.shape == (50000, 32, 32, 3)
    assert y_train["cifar100"].shape == (50000,)
    ```

    Reference:

    - Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009.
    """
    return _CIFAR100.load(path)


def tasks() -> list[Task]:
    """Returns the task that fits the targets of `load_data`.

    Returns:
        A `Classification` of a hundred classes, `"cifar100"`.

    Example:

    ```python
    [task.name for task in cifar100.tasks()]
    # ['cifar100']
    ```
    """
    return [Classification("cifar100", num_classes=100)]


def _read(folder: Path):
    return tuple(
        read_batches([folder / part], "fine_labels", _ORIGIN)
        for part in ("train", "test")
    )


_CIFAR100 = KerasImages(
    title="CIFAR-100",
    task="cifar100",
    module=keras.datasets.cifar100,
    read=_read,
    # Where Keras 3 unpacks it, and where earlier versions did.
    places=(
        "cifar-100-python-target/cifar-100-python",
        "cifar-100-python",
    ),
    files=("train", "test"),
    origin=_ORIGIN,
)
