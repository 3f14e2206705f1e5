"""Small image data sets in the formats of the real files."""

import gzip
import pickle
import struct
from typing import ClassVar

import numpy as np


def flat_images(count, num_classes, shape, offset=0):
    """Returns images whose brightness encodes the class, and the classes.

    Args:
        count: Number of images.
        num_classes: Number of classes, which alternate.
        shape: Shape of one image.
        offset: Brightness of class 0, to distinguish data sets and parts.
    """
    labels = (np.arange(count) % num_classes).astype("uint8")
    step = 200 // num_classes
    brightness = (offset + step * labels).astype("uint8")
    images = np.empty((count, *shape), "uint8")
    images[:] = brightness.reshape(-1, *[1] * len(shape))
    return images, labels


def write_mnist(path, num_train=40, num_test=20):
    """Writes an npz file like Keras's mnist.npz."""
    path.parent.mkdir(parents=True, exist_ok=True)
    x_train, y_train = flat_images(num_train, 10, (28, 28))
    x_test, y_test = flat_images(num_test, 10, (28, 28), offset=10)
    np.savez(
        path, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test
    )


def write_fashion_mnist(folder, num_train=40, num_test=20):
    """Writes the four idx files of Fashion-MNIST."""
    folder.mkdir(parents=True, exist_ok=True)
    for part, count, offset in (("train", num_train, 5), ("t10k", num_test, 9)):
        images, labels = flat_images(count, 10, (28, 28), offset)
        write_idx(folder / f"{part}-images-idx3-ubyte.gz", images)
        write_idx(folder / f"{part}-labels-idx1-ubyte.gz", labels)


def write_idx(path, array):
    """Writes bytes in the idx format, packed."""
    header = struct.pack(
        f">{array.ndim + 1}i", 0x0800 + array.ndim, *array.shape
    )
    path.write_bytes(gzip.compress(header + array.tobytes(), mtime=0))


def write_cifar10(folder, batch_size=10):
    """Writes the five training batches and the test batch of CIFAR-10."""
    names = [f"data_batch_{number}" for number in range(1, 6)]
    for index, name in enumerate([*names, "test_batch"]):
        batch = cifar_batch(batch_size, 10, "labels", offset=index)
        write_python2_pickle(folder / name, batch)


def write_cifar100(folder, num_train=110, num_test=20):
    """Writes the two files of CIFAR-100."""
    for index, (name, count) in enumerate(
        (("train", num_train), ("test", num_test))
    ):
        batch = cifar_batch(count, 100, "fine_labels", offset=index)
        batch[b"coarse_labels"] = [0] * count
        write_python2_pickle(folder / name, batch)


def cifar_batch(count, num_classes, label_key, offset):
    """Returns the dict that a CIFAR file holds."""
    images, labels = flat_images(count, num_classes, (3, 32, 32), offset)
    return {
        b"batch_label": b"a batch",
        label_key.encode(): labels.tolist(),
        b"data": images.reshape(count, -1),
        b"filenames": [b"image.png"] * count,
    }


class Python2Pickler(pickle._Pickler):
    """Writes bytes as Python 2 wrote its strings."""

    dispatch: ClassVar = dict(pickle._Pickler.dispatch)

    def save_bytes(self, value):
        """Writes the opcode of a string, its length and its bytes."""
        self.write(pickle.BINSTRING + struct.pack("<i", len(value)) + value)
        self.memoize(value)

    dispatch[bytes] = save_bytes


def write_python2_pickle(path, value):
    """Writes a pickle of protocol 2, with Python 2's strings."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        Python2Pickler(file, protocol=2).dump(value)
