"""Reads features of a data set of TensorFlow Datasets."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from mtl_keras.datasets.reading.tfds_features import Features, NamedFeature
from mtl_keras.datasets.reading.tfds_parts import StoredPart

# Number of masks to read to find their values.
_SAMPLE_SIZE = 256
# Size of a shuffle buffer, in bytes and in samples.
_BUFFER_BYTES = 2**28
_MIN_BUFFER, _MAX_BUFFER = 1024, 100_000


@dataclasses.dataclass(frozen=True)
class TfdsReader:
    """Reader of the features of a data set.

    Args:
        builder: The `tfds.core.DatasetBuilder`.
        features: The `Features` of the data set.
        decoders: Dict from the name of a feature to its decoder.
        seed: Integer, seed of the order of the files.
    """

    builder: Any
    features: Features
    decoders: Mapping[str, Any]
    seed: int

    def read(
        self,
        wanted: Sequence[NamedFeature],
        part: StoredPart,
        *,
        shuffle_files: bool = False,
        cache: bool = False,
    ) -> tf.data.Dataset:
        """Reads features of a part.

        Args:
            wanted: Sequence of the features.
            part: The `StoredPart`.
            shuffle_files: Boolean, whether to shuffle the files, if the data
                set allows it. Defaults to `False`.
            cache: Boolean, whether TFDS may cache a small data set. Defaults
                to `False`.

        Returns:
            A `tf.data.Dataset` of nested dicts.
        """
        is_ordered = self.builder.info.disable_shuffling
        # Samples that are chosen by index need one order.
        is_whole = part.chosen is None
        # TFDS cannot skip the decoding of mocked data, which has no splits.
        skip_decoding = bool(self.builder.info.splits)
        return part.read(
            self.builder,
            shuffle_files=shuffle_files and is_whole and not is_ordered,
            decoders=self.features.partial_decoding(
                wanted, self.decoders, skip=skip_decoding
            ),
            read_config=self._read_config(is_ordered, cache and is_whole),
        )

    def count(self, wanted: Sequence[NamedFeature], split: str) -> int:
        """Returns the number of samples of a split.

        Args:
            wanted: Sequence of features to read if they must be counted.
            split: Name of the split.
        """
        examples = self.read(wanted, StoredPart(split, 0))
        count = int(examples.cardinality())
        return count if count >= 0 else sum(1 for _ in examples)

    def sample(self, feature: NamedFeature, split: str) -> Iterator[np.ndarray]:
        """Yields the values of a feature in the first samples of a split.

        Args:
            feature: The feature.
            split: Name of the split.

        Yields:
            Arrays.
        """
        part = StoredPart(split, _SAMPLE_SIZE)
        examples = self.read([feature], part).take(_SAMPLE_SIZE)
        value = tf.autograph.experimental.do_not_convert(feature.value)
        yield from examples.map(value, tf.data.AUTOTUNE).as_numpy_iterator()

    def buffer_size(self, part: StoredPart) -> int:
        """Returns the size of the shuffle buffer, by the size of a sample.

        Args:
            part: The `StoredPart` to shuffle.
        """
        split = part.split.split("[")[0]
        splits = self.builder.info.splits
        if split not in splits:
            return _MIN_BUFFER
        info = splits[split]
        size = max(1, int(info.num_bytes)) / max(1, info.num_examples)
        return int(np.clip(_BUFFER_BYTES / size, _MIN_BUFFER, _MAX_BUFFER))

    def _read_config(self, is_ordered: bool, cache: bool):
        import tensorflow_datasets as tfds

        # Reading file by file keeps the order.
        arguments = {"interleave_cycle_length": 1} if is_ordered else {}
        return tfds.ReadConfig(
            shuffle_seed=self.seed, try_autocache=cache, **arguments
        )
