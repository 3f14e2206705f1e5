"""Reads samples from folders of images when they are needed."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np
import tensorflow as tf

from mtl_keras.datasets.reading.image_header import ImageHeader
from mtl_keras.datasets.reading.image_pixels import MODES, read_image
from mtl_keras.datasets.reading.indexed_batches import indexed_batches
from mtl_keras.datasets.reading.mask_files import MaskFiles
from mtl_keras.datasets.reading.source import Source
from mtl_keras.datasets.reading.threads import map_in_threads
from mtl_keras.datasets.samples import Samples, Targets

_BATCH = 64
# Fewer pixels are read faster than handed to another thread.
_MIN_PIXELS = 2**17


@dataclasses.dataclass(frozen=True, eq=False)
class FolderSource(Source):
    """Makes batches and arrays of images, masks and labels.

    Args:
        images: Sequence of the headers of the images.
        masks: Dict from task name to its `MaskFiles`.
        labels: Dict from task name to arrays of shape `(n, ...)`.
        image_size: `(height, width)` of the samples.
        color_mode: `"grayscale"`, `"rgb"` or `"rgba"`.
    """

    images: Sequence[ImageHeader]
    masks: Mapping[str, MaskFiles]
    labels: Targets
    image_size: tuple[int, int]
    color_mode: str

    def batches(
        self, indices: np.ndarray, batch_size: int, seed: int | None
    ) -> tf.data.Dataset:
        # One Python call per batch, because calls are slow. The threads are
        # ours, because tf.data calls Python from one thread at a time.
        return indexed_batches(
            indices, self._batch, batch_size, seed, num_parallel_calls=2
        )

    def select_tasks(self, names: Collection[str]) -> FolderSource:
        """Returns a source that reads the labels of some tasks only.

        Args:
            names: Names of the tasks.
        """
        return dataclasses.replace(
            self,
            masks={n: v for n, v in self.masks.items() if n in names},
            labels={n: v for n, v in self.labels.items() if n in names},
        )

    def arrays(self, indices: np.ndarray) -> Samples:
        return self._read(indices)

    def targets(self, indices: np.ndarray) -> Iterator[Targets]:
        for start in range(0, len(indices), _BATCH):
            yield self._read_targets(indices[start : start + _BATCH])

    def _batch(self, numbers: tf.Tensor) -> tuple[tf.Tensor, dict]:
        none = np.zeros(0, int)
        y = self._empty_targets(none)
        arrays = [self._empty_images(none), *y.values()]

        def read(numbers):
            x, y = self._read(numbers)
            return [x, *y.values()]

        # Not stateful: the result depends on the files only.
        tensors = tf.numpy_function(
            read, [numbers], [array.dtype for array in arrays], stateful=False
        )
        for tensor, array in zip(tensors, arrays, strict=True):
            tensor.set_shape((None, *array.shape[1:]))
        return tensors[0], dict(zip(y, tensors[1:], strict=True))

    def _read(self, indices: np.ndarray) -> Samples:
        x, y = self._empty_images(indices), self._empty_targets(indices)
        numbers = indices.tolist()

        def read(place):
            header = self.images[numbers[place]]
            x[place] = read_image(header, self.color_mode, self.image_size)
            self._read_masks(y, place, numbers[place])

        pixels = math.prod(self.images[numbers[0]].size)
        map_in_threads(
            read, range(len(indices)), min_chunk=max(_MIN_PIXELS // pixels, 1)
        )
        return x, y

    def _read_targets(self, indices: np.ndarray) -> Targets:
        y = self._empty_targets(indices)
        if self.masks:
            map_in_threads(
                lambda place: self._read_masks(y, place, indices[place]),
                range(len(indices)),
            )
        return y

    def _read_masks(self, y: Targets, place: int, index: int) -> None:
        for name, masks in self.masks.items():
            y[name][place] = masks.read(index, self.image_size)

    def _empty_images(self, indices):
        channels = len(MODES[self.color_mode])  # one letter each
        return np.empty((len(indices), *self.image_size, channels), "float32")

    def _empty_targets(self, indices) -> Targets:
        shape = (len(indices), *self.image_size, 1)
        masks = {name: np.empty(shape, "int32") for name in self.masks}
        labels = {name: v[indices] for name, v in self.labels.items()}
        return {**masks, **labels}
