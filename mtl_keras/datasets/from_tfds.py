"""Reads data sets of TensorFlow Datasets."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from mtl_keras.datasets.arguments import check_count, check_seed
from mtl_keras.datasets.reading.target_spec import (
    KINDS,
    TargetSpec,
    read_target_specs,
)
from mtl_keras.datasets.reading.tfds_features import (
    Features,
    NamedFeature,
    flat_decoders,
)
from mtl_keras.datasets.reading.tfds_inputs import read_input, resolve_inputs
from mtl_keras.datasets.reading.tfds_parts import StoredPart, find_parts
from mtl_keras.datasets.reading.tfds_pixels import Pixels
from mtl_keras.datasets.reading.tfds_source import ReadPart, TfdsSource
from mtl_keras.datasets.reading.tfds_targets import make_tfds_target
from mtl_keras.datasets.splits import Splits, make_splits
from mtl_keras.tasks import Task

# Masks that are read to see which values they hold.
_SAMPLED = 256
# Samples that wait in random order: as many as fit into so many bytes.
_BUFFER_BYTES = 2**28
_LEAST_BUFFER, _MOST_BUFFER = 1024, 100_000


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

    Features become inputs and tasks by their names, and all others are not
    even read. What a feature is says what the task is:

    | Feature | Task |
    | --- | --- |
    | `ClassLabel` | `Classification`, of two classes `BinaryClassification` |
    | a boolean | `BinaryClassification` |
    | several booleans, a row of them | `MultiLabelClassification` |
    | a float, a row or several of them | `Regression` |
    | `Image`, `LabeledImage` | `Segmentation`; of floats `DenseRegression` |
    | floats for each pixel of an input | `DenseRegression` |
    | a list of `ClassLabel`, beside tokens | `SequenceTagging` |

    Any other is told by its kind. Names of classes are those of the data set.
    NaN is a missing label; for classes, so is -1, as test parts without labels
    have it. Samples are read when a batch needs them.

    Args:
        name: String, such as `"mnist"` or `"glue/cola"`, or a
            `tfds.core.DatasetBuilder`.
        tasks: What to predict, as for `from_csv`, with names of features for
            columns: a list of names and tasks, or a dict from task name to a
            kind, to a feature or a list of them, to a task, or to a dict of
            `"kind"`, `"columns"` and arguments of the kind. The feature `b`
            of the dict `a` is `"a/b"`, which is no name of a task:
            `{"b": "a/b"}`. The name of a dict stands for all of its features.
        inputs: String, the feature that is the input, or a list of features
            for a dict of inputs; the name of a dict of features is one, too.
            Defaults to `None`: the one that the data set names, else the only
            one, or the only image, that is no task.
        train: String, the split to train on, such as `"train[:50%]"`.
            Defaults to `"train"`.
        validation: Float, share of the training samples that is held back,
            unless the data set has a validation split; or the name of a
            split. Defaults to 0.1. 0 makes no such part.
        test: Float or string, the same for the test. Defaults to 0.2.
        image_size: `(height, width)` to resize to, images bilinearly and masks
            and maps by the nearest pixel. Defaults to `None`: images must all
            have one size.
        missing_pixel: Integer, the value of pixels of a mask that have no
            label, such as 255. Defaults to `None`: all have one.
        decoders: Dict from features to decoders, as for `tfds.load`. Defaults
            to `None`.
        data_dir: String or path, where the data sets lie. Defaults to `None`:
            where TensorFlow Datasets has them.
        download: Whether to download and prepare a data set that is not there.
            Defaults to `True`.
        batch_size: Integer, samples per batch. Defaults to 32.
        seed: Integer of at least 0, seed of the order of the training part.
            Defaults to 0.

    Returns:
        `Splits`. Images are float32 in `[0, 255]`, other numbers float32 or
        the integers that they are, and a list of tokens is the sentence of
        them, apart by blanks (those within a token become no-break spaces).
        Masks are int32 of shape `(batch, height, width, 1)`, and tags int32
        of shape `(batch, steps)`, padded with -1 to the longest sentence of
        the batch.

    Raises:
        ImportError: If TensorFlow Datasets is not installed.
        TypeError: If an argument is of another type.
        ValueError: If there is no such data set, split or feature, or a
            feature does not say which task it is.

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
        shuffle=False,  # the training part is already
        epochs=10,
    )
    ```
    """
    check_count("batch_size", batch_size)
    check_seed(seed)
    image_size = _check_image_size(image_size)
    builder = _builder(name, data_dir, download)
    features = Features(
        builder.info.features, f"data set {builder.info.name!r}"
    )
    specs = read_target_specs(_feature_lists(tasks, features))
    decoders = flat_decoders(decoders, features)
    columns = [_columns(spec, features) for spec in specs]
    taken = {
        feature.name: spec.name
        for spec, found in zip(specs, columns, strict=True)
        for feature in found
    }
    x = resolve_inputs(inputs, features, builder.info.supervised_keys, taken)
    ordered = builder.info.disable_shuffling
    # Data that TFDS mocks has no splits, and not all of it can be encoded.
    is_stored = bool(builder.info.splits)
    several = isinstance(x, dict)
    of_inputs = list(x.values()) if several else [x]
    labels = [feature for found in columns for feature in found]
    _check_decoders(decoders, [*of_inputs, *labels])

    def read(
        wanted: Sequence[NamedFeature],
        part: StoredPart,
        shuffle_files: bool = False,
        often: bool = False,
    ) -> tf.data.Dataset:
        # What lies between other samples is found by its number, which asks
        # for one order.
        in_one_piece = part.chosen is None
        return part.read(
            builder,
            shuffle_files=shuffle_files and in_one_piece and not ordered,
            decoders=features.read_only(wanted, decoders, skip=is_stored),
            read_config=_read_config(ordered, seed, often and in_one_piece),
        )

    def sample(feature: NamedFeature) -> Iterator[np.ndarray]:
        examples = read([feature], StoredPart(train, _SAMPLED)).take(_SAMPLED)
        value = tf.autograph.experimental.do_not_convert(feature.value)
        return examples.map(value, tf.data.AUTOTUNE).as_numpy_iterator()

    parts = find_parts(
        builder,
        lambda split: _count(read(labels, StoredPart(split, 0))),
        train=train,
        validation=validation,
        test=test,
        seed=seed,
    )
    pixels = Pixels(image_size, missing_pixel, sample)
    made = {
        spec.name: make_tfds_target(spec, found, of_inputs, pixels)
        for spec, found in zip(specs, columns, strict=True)
    }
    readers = {
        key: read_input(feature, image_size)
        for key, feature in (x if several else {"": x}).items()
    }

    def read_inputs(example: Mapping):
        values = {key: one(example) for key, one in readers.items()}
        return values if several else values[""]

    def read_targets(example: Mapping):
        return {task: one(example) for task, (_, one) in made.items()}

    wanted = [*of_inputs, *labels]
    source = TfdsSource(
        [
            ReadPart(
                part.count,
                read(wanted, part, often=True),
                read(wanted, part, shuffle_files=True, often=True),
                read(labels, part),
            )
            for part in parts.values()
        ],
        read_inputs,
        read_targets,
        _buffer_size(builder, parts["train"]),
    )
    ends = np.cumsum([part.count for part in parts.values()])
    return make_splits(
        source,
        tuple(task for task, _ in made.values()),
        {
            key: np.arange(end - part.count, end)
            for (key, part), end in zip(parts.items(), ends, strict=True)
        },
        batch_size=batch_size,
        seed=seed,
    )


def _builder(name: Any, data_dir, download: bool):
    try:
        import tensorflow_datasets as tfds
    except ModuleNotFoundError as error:
        if error.name != "tensorflow_datasets":
            raise
        raise ImportError(
            "from_tfds needs TensorFlow Datasets: pip install mtl_keras[tfds]."
        ) from error
    builder = name
    if not isinstance(name, tfds.core.DatasetBuilder):
        if not isinstance(name, str):
            raise TypeError(
                "`name` must be the name of a data set of TensorFlow Datasets "
                f"or its builder, found {name!r}."
            )
        builder = _named_builder(tfds, name, data_dir)
    if download:
        builder.download_and_prepare()
    return builder


def _named_builder(tfds, name: str, data_dir):
    folder = {} if data_dir is None else {"data_dir": os.fspath(data_dir)}
    try:
        return tfds.builder(name, **folder)
    except tfds.core.DatasetNotFoundError as error:
        known = tfds.list_builders(with_community_datasets=False)
        near = difflib.get_close_matches(name.split("/")[0], known, n=3)
        meant = f"Did you mean {' or '.join(map(repr, near))}? " * bool(near)
        raise ValueError(
            f"`name` must name a data set of TensorFlow Datasets, found "
            f"{name!r}. {meant}tfds.list_builders() lists all, and "
            "`data_dir` says where those lie that you have prepared yourself."
        ) from error


def _feature_lists(tasks, features: Features):
    """Takes a text that names a feature, and no kind, as a list of it."""
    if not isinstance(tasks, Mapping):
        return tasks
    return {
        task: [value]
        if isinstance(value, str) and value not in KINDS and value in features
        else value
        for task, value in tasks.items()
    }


def _columns(spec: TargetSpec, features: Features) -> list[NamedFeature]:
    columns = spec.columns
    single = spec.name in features.by_name
    if spec.task is not None and single:
        # The names of its labels are names of features only where they are.
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
                f"`decoders` has one for the feature {name!r}, which is "
                f"neither an input nor a task. These are {names}."
            )


def _read_config(ordered: bool, seed: int, cached: bool):
    import tensorflow_datasets as tfds

    # A data set in an order of its own is read file by file.
    arguments = {"interleave_cycle_length": 1} if ordered else {}
    return tfds.ReadConfig(shuffle_seed=seed, try_autocache=cached, **arguments)


def _count(examples: tf.data.Dataset) -> int:
    count = int(examples.cardinality())
    if count < 0:
        count = sum(1 for _ in examples)
    return count


def _buffer_size(builder, part: StoredPart) -> int:
    split = part.split.split("[")[0]
    if split not in builder.info.splits:
        return _LEAST_BUFFER
    info = builder.info.splits[split]
    each = max(1, int(info.num_bytes)) / max(1, info.num_examples)
    return int(np.clip(_BUFFER_BYTES / each, _LEAST_BUFFER, _MOST_BUFFER))


def _check_image_size(image_size) -> tuple[int, int] | None:
    if image_size is None:
        return None
    if not isinstance(image_size, Sequence) or len(image_size) != 2:
        raise ValueError(
            f"`image_size` must be (height, width), found {image_size!r}."
        )
    for length in image_size:
        check_count("image_size", length)
    return tuple(image_size)
