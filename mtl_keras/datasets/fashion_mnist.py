"""Fashion-MNIST: pictures of clothing in the format of MNIST, one task.

Origin: H. Xiao, K. Rasul and R. Vollgraf, 2017, pictures of articles that
Zalando sells (https://github.com/zalandoresearch/fashion-mnist).

Licence: MIT.
"""

import gzip
import os
from pathlib import Path

import keras
import numpy as np

from mtl_keras.datasets.keras_images import KerasImages
from mtl_keras.datasets.samples import Samples
from mtl_keras.tasks import Classification, Task

CLASSES = (
    "T-shirt/top",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)

_FILES = {
    "x_train": "train-images-idx3-ubyte.gz",
    "y_train": "train-labels-idx1-ubyte.gz",
    "x_test": "t10k-images-idx3-ubyte.gz",
    "y_test": "t10k-labels-idx1-ubyte.gz",
}
_ORIGIN = (
    "The four files are at https://github.com/zalandoresearch/fashion-mnist; "
    "Debian and Ubuntu have them in the package dataset-fashion-mnist."
)


def load_data(
    path: str | os.PathLike | None = None,
) -> tuple[Samples, Samples]:
    """Reads the 70,000 pictures of Fashion-MNIST.

    Args:
        path: String or path of the folder with the four `.gz` files. Defaults
            to `None`: `~/.keras/datasets/fashion-mnist`, to which Keras
            downloads them if needed.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: x is float32 of shape
        `(n, 28, 28, 1)`, in `[0, 1]`; y is a dict with `"clothing"`, int32 of
        shape `(n,)`, the index in `fashion_mnist.CLASSES`.

    Raises:
        FileNotFoundError: If it can be neither found nor downloaded.
        ValueError: If a file has another content.

    Example:

    ```python
    (x_train, y_train), (x_test, y_test) = fashion_mnist.load_data()
    assert x_train.shape == (60000, 28, 28, 1)
    assert y_train["clothing"].shape == (60000,)
    ```

    Reference:

    - Xiao, Rasul and Vollgraf, Fashion-MNIST: a Novel Image Dataset for
      Benchmarking Machine Learning Algorithms, 2017.
    """
    return _FASHION_MNIST.load(path)


def tasks() -> list[Task]:
    """Returns the task that fits the targets of `load_data`.

    Returns:
        A `Classification` of ten kinds of clothing, `"clothing"`.

    Example:

    ```python
    [task.name for task in fashion_mnist.tasks()]
    # ['clothing']
    ```
    """
    return [
        Classification(
            "clothing", num_classes=len(CLASSES), class_names=CLASSES
        )
    ]


def _read(folder: Path):
    arrays = {
        key: _read_idx(folder / name, rank=3 if key[0] == "x" else 1)
        for key, name in _FILES.items()
    }
    for part in ("train", "test"):
        images, labels = arrays[f"x_{part}"], arrays[f"y_{part}"]
        if len(images) != len(labels):
            raise ValueError(
                f"`path` must hold one label per image, found "
                f"{len(images)} images and {len(labels)} labels for {part} in "
                f"'{folder}'. {_ORIGIN}"
            )
    return (
        (arrays["x_train"], arrays["y_train"]),
        (arrays["x_test"], arrays["y_test"]),
    )


def _read_idx(file: Path, rank: int) -> np.ndarray:
    """Reads the idx format: a magic number, the shape and the values."""
    try:
        content = gzip.decompress(file.read_bytes())
    except (OSError, EOFError) as error:
        raise ValueError(
            f"'{file}' is not a complete gz file: {error}. {_ORIGIN}"
        ) from error
    size = 4 * (rank + 1)
    header = np.frombuffer(content[: len(content) // 4 * 4][:size], ">i4")
    values = np.frombuffer(content[size:], np.uint8)
    magic, *shape = [*header.tolist(), 0]
    shape = shape[:-1]
    # 0x08 stands for unsigned bytes, the last byte for the number of axes.
    if magic != 0x0800 + rank or values.size != np.prod(shape):
        raise ValueError(
            f"'{file}' must hold bytes of rank {rank} in the idx format, "
            f"found {len(content)} bytes that do not fit. {_ORIGIN}"
        )
    return values.reshape(shape)


_FASHION_MNIST = KerasImages(
    title="Fashion-MNIST",
    task="clothing",
    module=keras.datasets.fashion_mnist,
    read=_read,
    places=("fashion-mnist",),
    files=tuple(_FILES.values()),
    origin=_ORIGIN,
)
