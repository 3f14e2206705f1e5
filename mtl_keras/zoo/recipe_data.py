"""The parts of a recipe's data."""

from __future__ import annotations

import dataclasses

from keras.utils import FeatureSpace

from mtl_keras.datasets import TableEncoding
from mtl_keras.datasets.samples import Samples, count_samples
from mtl_keras.datasets.streamed_samples import StreamedSamples
from mtl_keras.tasks import Task
from mtl_keras.zoo.data_files import DataFiles

Part = Samples | StreamedSamples


@dataclasses.dataclass(frozen=True)
class RecipeData:
    """The three parts of a data set, and its tasks.

    Each part consists of arrays `(x, y)`, or of `StreamedSamples` for a folder
    of images.

    Args:
        train: Samples to train on.
        validation: Samples to validate on.
        test: Samples for the final evaluation only.
        tasks: The tasks.
        sets: Dict from data set to its training part, for a mixture.
        feature_space: The encoding of the columns of a data set, or `None`.
        encoding: The `TableEncoding` of a custom table, or `None`.
        files: The files of the data set when it was read, from
            `describe_files`.
    """

    train: Part
    validation: Part
    test: Part
    tasks: tuple[Task, ...]
    sets: dict[str, Samples] = dataclasses.field(default_factory=dict)
    feature_space: FeatureSpace | None = None
    encoding: TableEncoding | None = None
    files: DataFiles = dataclasses.field(default_factory=dict)


def count_part(part: Part) -> int:
    """Returns the number of samples of a part.

    Args:
        part: A part of a `RecipeData`.
    """
    if isinstance(part, StreamedSamples):
        return len(part)
    return count_samples(part[0])
