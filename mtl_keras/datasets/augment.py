"""Augments images together with their masks."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tensorflow as tf

from mtl_keras.datasets.arguments import check_seed
from mtl_keras.datasets.reading.mask_values import MISSING
from mtl_keras.datasets.transformation_seeds import TransformationSeeds
from mtl_keras.spelling import did_you_mean

# Keras layers whose masks are not what happened to the image, and why.
_UNFIT = {
    "AugMix": "mixes several pictures into one",
    "CutMix": "mixes samples, and labels with them",
    "MixUp": "mixes samples, and labels with them",
    "RandAugment": "draws its operations without a seed from outside",
    "RandomElasticTransform": "distorts masks otherwise than images",
}


def augment(
    dataset: tf.data.Dataset,
    layers: keras.layers.Layer | Sequence[keras.layers.Layer],
    *,
    masks: Sequence[str] | None = None,
    seed: int = 0,
) -> tf.data.Dataset:
    """Changes images at random, and their masks with them.

    All masks of an image go through the same flip, rotation, shift, zoom or
    crop, by the nearest pixel, so that a mask never holds a label that it did
    not hold before. Where a layer fills with a constant what comes from
    outside of the image, the label is missing (-1); where it reflects the
    image, it reflects the mask. Layers of brightness and colours leave masks
    as they are. All other targets stay as they are: augment in ways that keep
    them right.

    Args:
        dataset: A `tf.data.Dataset` of `(x, y)` or `(x, y, sample_weight)`,
            batched or not, with x images and y a dict of targets, such as the
            `train` of `Splits`.
        layers: Keras's layers of random image preprocessing, such as
            `keras.layers.RandomFlip()`, applied in a row.
        masks: List of the names of the targets that are masks. Defaults to
            `None`: all targets with the height and width of the images.
        seed: Integer of at least 0. The same seed gives the same changes,
            which are others in each epoch, where
            `keras.utils.set_random_seed` is called with the same seed or not
            at all. Seeds of the layers have no effect. Defaults to 0.

    Returns:
        A `tf.data.Dataset` of as many batches, with images in float32.

    Raises:
        TypeError: If the dataset is none, or a layer is not of images.
        ValueError: If a mask does not exist, or a layer cannot take masks
            along.

    Example:

    ```python
    train = mtl_keras.datasets.augment(
        data.train,
        [keras.layers.RandomFlip(), keras.layers.RandomRotation(0.1)],
    )
    model.fit(
        train, validation_data=data.validation, shuffle=False, epochs=10
    )
    ```
    """
    check_seed(seed)
    images, targets = _check_dataset(dataset)
    masks = _mask_names(images, targets, masks)
    layers = _check_layers(layers, images)
    seeds = TransformationSeeds()
    numbers = tf.data.Dataset.random(
        seed=seed, rerandomize_each_iteration=True
    ).batch(2)

    def change(sample, number):
        x, y, *rest = sample
        seeds.start(number)
        moving = {name: y[name] for name in masks}
        x, moved = _change(x, moving, layers, seeds)
        return (x, {**y, **moved}, *rest)

    changed = tf.data.Dataset.zip(dataset, numbers).map(
        change, num_parallel_calls=tf.data.AUTOTUNE
    )
    return changed.prefetch(tf.data.AUTOTUNE)


def _check_dataset(dataset):
    if not isinstance(dataset, tf.data.Dataset):
        raise TypeError(
            "`dataset` must be a tf.data.Dataset, found a "
            f"{type(dataset).__name__}. Splits has one in `train`; arrays "
            "become one by tf.data.Dataset.from_tensor_slices((x, y)).batch()."
        )
    spec = dataset.element_spec
    if not isinstance(spec, tuple) or len(spec) not in (2, 3):
        raise TypeError(
            f"`dataset` must hold (x, y) or (x, y, sample_weight), found "
            f"{spec}."
        )
    images, targets = spec[:2]
    rank = getattr(getattr(images, "shape", None), "rank", None)
    if rank not in (3, 4) or not isinstance(targets, dict):
        raise TypeError(
            "`dataset` must hold images of rank 3, or 4 in batches, and a dict "
            f"of targets, found {spec}."
        )
    weights = keras.tree.flatten(spec[2:])
    if any(weight.shape.rank > rank - 2 for weight in weights):
        raise ValueError(
            "`dataset` holds a weight for each pixel, which would not move "
            "with the masks. Mark pixels that must not count as missing (-1) "
            "in the masks."
        )
    return images, targets


def _mask_names(images, targets, masks) -> list[str]:
    size = tuple(images.shape[-3:-1])
    rank = images.shape.rank
    if masks is None:
        return [
            name
            for name, target in targets.items()
            if target.shape.rank in (rank - 1, rank)
            and tuple(target.shape[rank - 3 : rank - 1]) == size
        ]
    for name in masks:
        if name not in targets:
            raise ValueError(
                f"`masks` names {name!r}, which is no target. "
                f"{did_you_mean(name, targets)}"
            )
        shape = targets[name].shape
        if shape.rank not in (rank - 1, rank) or (
            tuple(shape[rank - 3 : rank - 1]) != size
        ):
            raise ValueError(
                f"`masks` names {name!r}, whose shape {tuple(shape)} has "
                f"another height and width than the images, "
                f"{tuple(images.shape)}."
            )
    return list(masks)


def _check_layers(layers, images) -> list[keras.layers.Layer]:
    if isinstance(layers, keras.layers.Layer):
        layers = [layers]
    if len(layers) == 0:
        raise ValueError("`layers` must hold a layer at least, found none.")
    for layer in layers:
        name = type(layer).__name__
        if not hasattr(layer, "transform_segmentation_masks"):
            raise TypeError(
                f"`layers` holds {name}, expected layers of image "
                "preprocessing such as keras.layers.RandomFlip. Others go into "
                "the model: `preprocessing` of a factory."
            )
        if name in _UNFIT:
            raise ValueError(
                f"`layers` holds {name}, which {_UNFIT[name]}. Use layers that "
                "do one thing to an image, such as RandomFlip, RandomRotation "
                "or RandomBrightness."
            )
        if name in ("RandomCrop", "CenterCrop"):
            _check_crop(layer, images)
    return list(layers)


def _check_crop(layer, images) -> None:
    height, width = images.shape[-3:-1]
    if height < layer.height or width < layer.width:
        raise ValueError(
            f"`layers` holds {type(layer).__name__} to {layer.height}x"
            f"{layer.width} pixels, but images have {height}x{width}: it would "
            "enlarge masks and blur their labels. Crop to less."
        )


def _change(x, masks, layers, seeds):
    """Puts images and masks through all layers."""
    single = x.shape.rank == 3
    rank = 4
    if single:
        x = x[None]
        masks = {name: mask[None] for name, mask in masks.items()}
    x = tf.cast(x, tf.float32)
    stack = _stack(masks, rank) if masks else None
    for layer in layers:
        chosen = layer.get_random_transformation(x, training=True, seed=seeds)
        if stack is not None:
            stack = _move(layer, stack, chosen)
        x = tf.cast(
            layer.transform_images(x, chosen, training=True), tf.float32
        )
    changed = {} if stack is None else _unstack(stack, masks, rank)
    if single:
        return x[0], {name: mask[0] for name, mask in changed.items()}
    return x, changed


def _stack(masks, rank):
    """All masks as channels of one image, float32, missing labels as -1."""
    channels = []
    for mask in masks.values():
        mask = mask if mask.shape.rank == rank else mask[..., None]
        mask = tf.cast(mask, tf.float32)
        mask = tf.where(tf.math.is_nan(mask), float(MISSING), mask)
        channels.append(mask)
    return tf.concat(channels, axis=-1)


def _move(layer, stack, chosen):
    # A layer fills masks with the value that it fills images with: that value
    # stands for a missing label on the way.
    fill = float(getattr(layer, "fill_value", 0.0) or 0.0)
    moved = layer.transform_segmentation_masks(
        stack - MISSING + fill, chosen, training=True
    )
    return tf.round(tf.cast(moved, tf.float32) - fill + MISSING)


def _unstack(stack, masks, rank):
    depths = [
        mask.shape[-1] if mask.shape.rank == rank else 1
        for mask in masks.values()
    ]
    changed = {}
    parts = tf.split(stack, depths, axis=-1)
    for (name, mask), part in zip(masks.items(), parts, strict=True):
        part = part if mask.shape.rank == rank else part[..., 0]
        # An unsigned mask could not hold a missing label.
        dtype = tf.int32 if mask.dtype.is_unsigned else mask.dtype
        changed[name] = tf.cast(part, dtype)
    return changed
