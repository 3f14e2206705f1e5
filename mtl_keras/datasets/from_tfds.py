"""Reads data sets of TensorFlow Datasets."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mtl_keras.datasets.arguments import (
    check_count,
    check_image_size,
    check_seed,
)
from mtl_keras.datasets.reading.target_spec import (
    KINDS,
    TargetSpec,
    read_target_specs,
)
from mtl_keras.datasets.reading.tfds_builder import load_builder
from mtl_keras.datasets.reading.tfds_features import (
    Features,
    NamedFeature,
    flatten_decoders,
)
from mtl_keras.datasets.reading.tfds_inputs import read_inputs, resolve_inputs
from mtl_keras.datasets.reading.tfds_parts import StoredPart, find_parts
from mtl_keras.datasets.reading.tfds_pixels import PixelOptions
from mtl_keras.datasets.reading.tfds_reader import TfdsReader
from mtl_keras.datasets.reading.tfds_source import PartStreams, TfdsSource
from mtl_keras.datasets.reading.tfds_targets import make_tfds_target
from mtl_keras.datasets.splits import Splits, make_splits
from mtl_keras.tasks import Task


def from_tfds(
    name: str,
    tasks: Sequence[str | Task] | Mapping[str, object],
    inputs: str | Sequence[str] | None = None,
    *,
    train: str = "train",
    validation: float | str = 0.1,
    test: float | str = 0.2,
    image_size: Sequence[int] | None = None,
    missing_pixel: int | None = None,
    decoders: Mapping[str, Any] | None = None,
    data_dir: str | os.PathLike | None = None,
    download: bool = True,
    batch_size: int = 32,
    seed: int = 0,
) -> Splits:
    """Reads a data set of TensorFlow Datasets (`pip install mtl_keras[tfds]`).

    Features are chosen as inputs and tasks by their names; the others are not
    read. The kind of a task is inferred from its feature:

    | Feature | Task |
    | --- | --- |
    | `ClassLabel` | `Classification`, of two classes `BinaryClassification` |
    | a boolean | `BinaryClassification` |
    | several booleans, or a row of booleans | `MultiLabelClassification` |
    | one or several floats, or a row of floats | `Regression` |
    | `Image`, `LabeledImage` | `Segmentation`; of floats `DenseRegression` |
    | floats per pixel of an input | `DenseRegression` |
    | a list of `ClassLabel`, beside tokens | `SequenceTagging` |

    For other features, pass the kind. Class names are those of the data set.
    NaN is a missing label; for classes, so is -1, as in test splits without
    labels. Samples are read when a batch needs them.

    Args:
        name: String, such as `"mnist"` or `"glue/cola"`, or a
            `tfds.core.DatasetBuilder`.
        tasks: What to predict, as for `from_csv`, with names of features in
            place of columns: a list of names and tasks, or a dict from task
            name to a kind, a feature, a list of features, a task, or a dict of
            `"kind"`, `"columns"` and arguments of the kind. The feature `b` of
            the dict `a` is `"a/b"`; because a task cannot have this name, pass
            `{"b": "a/b"}`. The name of a dict stands for all its features.
        inputs: String, the feature to use as the input; or a list of features,
            or the name of a dict of features, for a dict of inputs. Defaults
            to `None`: the input that the data set declares, or else the only
            feature, or the only image, that is not a task.
        train: String, the split to train on, such as `"train[:50%]"`.
            Defaults to `"train"`.
        validation: Float, fraction of the training samples to use for
            validation, unless the data set has a validation split; or the name
            of a split. With 0, there is no validation part. Defaults to 0.1.
        test: Float or string, the same for the test. Defaults to 0.2.
        image_size: `(height, width)` to resize to, images bilinearly and masks
            and maps by the nearest pixel. Defaults to `None`: all images must
            have the same size.
        missing_pixel: Integer, value of the pixels of a mask that have no
            label, such as 255. Defaults to `None`: all pixels have a label.
        decoders: Dict from features to decoders, as for `tfds.load`. Defaults
            to `None`.
        data_dir: String or path, the folder of the data sets. Defaults to
            `None`: that of TensorFlow Datasets.
        download: Boolean, whether to download and prepare the data set if
            needed. Defaults to `True`.
        batch_size: Integer, samples per batch. Defaults to 32.
        seed: Integer of at least 0, seed of the order of the training part.
            Defaults to 0.

    Returns:
        `Splits`. Images are float32 in `[0, 255]`, other floats float32, and
        integers keep their dtype. A list of tokens becomes a sentence of
        tokens separated by spaces (whitespace in a token becomes a no-break
        space). Masks are int32 of shape `(batch, height, width, 1)`, and tags
        int32 of shape `(batch, steps)`, padded with -1 to the longest sentence
        of the batch.

    Raises:
        ImportError: If TensorFlow Datasets is not installed.
        TypeError: If an argument has the wrong type.
        ValueError: If the data set, a split or a feature does not exist, or
            the kind of a task is ambiguous.

    Example:

    ```python
    data = mtl_keras.datasets.from_tfds(
        "oxford_iiit_pet",
        tasks=["species", "segmentation_mask"],
        image_size=(128, 128),
    )
    model = mtl_keras.build_cnn_cls_seg(
        input_shape=data.input_shape,
        tasks=data.tasks,
        preprocessing=[keras.layers.Rescaling(1 / 255)],
    )
    model.fit(
        data.train,
        validation_data=data.validation,
        shuffle=False,  # the training part is shuffled already
        epochs=10,
    )
    ```
    """
    check_count("batch_size", batch_size)
    check_seed(seed)
    image_size = check_image_size(image_size)
    builder = load_builder(name, data_dir, download)
    features = Features(
        builder.info.features, f"data set {builder.info.name!r}"
    )
    specs = read_target_specs(_wrap_features(tasks, features))
    decoders = flatten_decoders(decoders, features)
    columns = [_find_columns(spec, features) for spec in specs]
    task_by_feature = {
        feature.name: spec.name
        for spec, found in zip(specs, columns, strict=True)
        for feature in found
    }
    x = resolve_inputs(
        inputs, features, builder.info.supervised_keys, task_by_feature
    )
    x_features = list(x.values()) if isinstance(x, dict) else [x]
    y_features = [feature for found in columns for feature in found]
    _check_decoders(decoders, [*x_features, *y_features])
    reader = TfdsReader(builder, features, decoders, seed)
    parts = find_parts(
        builder,
        lambda split: reader.count(y_features, split),
        train=train,
        validation=validation,
        test=test,
        seed=seed,
    )
    pixels = PixelOptions(
        image_size,
        missing_pixel,
        sample=lambda feature: reader.sample(feature, train),
    )
    targets = {
        spec.name: make_tfds_target(spec, found, x_features, pixels)
        for spec, found in zip(specs, columns, strict=True)
    }

    def read_targets(example: Mapping):
        return {name: read(example) for name, (_, read) in targets.items()}

    all_features = [*x_features, *y_features]
    source = TfdsSource(
        [
            PartStreams(
                part.count,
                reader.read(all_features, part, cache=True),
                reader.read(all_features, part, shuffle_files=True, cache=True),
                reader.read(y_features, part),
            )
            for part in parts.values()
        ],
        read_inputs(x, image_size),
        read_targets,
        reader.buffer_size(parts["train"]),
    )
    return make_splits(
        source,
        tuple(task for task, _ in targets.values()),
        _number_samples(parts),
        batch_size=batch_size,
        seed=seed,
    )


def _wrap_features(tasks, features: Features):
    """Wraps each string that names a feature, and not a kind, in a list."""
    if not isinstance(tasks, Mapping):
        return tasks
    return {
        task: [value]
        if isinstance(value, str) and value not in KINDS and value in features
        else value
        for task, value in tasks.items()
    }


def _find_columns(spec: TargetSpec, features: Features) -> list[NamedFeature]:
    columns = spec.columns
    if spec.task is not None and spec.name in features.by_name:
        # Otherwise the names of its labels are features.
        columns = (spec.name,)
    return [
        feature
        for column in columns
        for feature in features.resolve(column, "tasks")
    ]


def _check_decoders(
    decoders: Mapping[str, Any], wanted: Sequence[NamedFeature]
) -> None:
    names = [feature.name for feature in wanted]
    for name in decoders:
        if name not in names:
            raise ValueError(
                f"`decoders` has the feature {name!r}, which is neither an "
                f"input nor a task. Inputs and tasks: {names}."
            )


def _number_samples(parts: Mapping[str, StoredPart]) -> dict[str, np.ndarray]:
    """Returns the indices of each part, numbered across all parts."""
    indices, end = {}, 0
    for name, part in parts.items():
        begin, end = end, end + part.count
        indices[name] = np.arange(begin, end)
    return indices
