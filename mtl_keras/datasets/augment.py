"""Augments images together with their masks."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tensorflow as tf

from mtl_keras.datasets.arguments import check_seed
from mtl_keras.datasets.reading.mask_values import MISSING
from mtl_keras.datasets.transformation_seeds import TransformationSeeds
from mtl_keras.spelling import did_you_mean

# Keras layers whose masks do not match the image, and why.
_UNSUITABLE = {
    "AugMix": "mixes several pictures into one",
    "CutMix": "mixes samples, and labels with them",
    "MixUp": "mixes samples, and labels with them",
    "RandAugment": "draws its operations without a seed that can be set",
    "RandomElasticTransform": "distorts masks differently from images",
}


def augment(
    dataset: tf.data.Dataset,
    layers: keras.layers.Layer | Sequence[keras.layers.Layer],
    *,
    masks: Sequence[str] | None = None,
    seed: int = 0,
) -> tf.data.Dataset:
    """Augments images together with their masks.

    All masks of an image are flipped, rotated, shifted, zoomed or cropped like
    the image, by the nearest pixel, so that they get no new values. If a layer
    fills the outside of the image with a constant, the labels there are
    missing (-1); if it reflects the image, it reflects the mask. Layers that
    change brightness or colours do not change masks. Other targets are not
    changed, so the augmentation must keep them valid.

    Args:
        dataset: A `tf.data.Dataset` of `(x, y)` or `(x, y, sample_weight)`,
            batched or not, with x images and y a dict of targets, such as the
            `train` of `Splits`.
        layers: Keras image augmentation layer, or list of layers to apply in
            order, such as `keras.layers.RandomFlip()`.
        masks: List of the names of the targets that are masks. Defaults to
            `None`: all targets with the height and width of the images.
        seed: Integer of at least 0. The same seed gives the same augmentation,
            which differs in each epoch, if `keras.utils.set_random_seed` is
            called with the same seed or not at all. Seeds of the layers have
            no effect. Defaults to 0.

    Returns:
        A `tf.data.Dataset` with the same number of batches, and images in
        float32.

    Raises:
        TypeError: If `dataset` is not a `tf.data.Dataset` of images, or a
            layer does not augment images.
        ValueError: If a mask does not exist, or a layer cannot augment masks.

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

    def transform(sample, number):
        x, y, *rest = sample
        seeds.start(number)
        x, transformed = _transform(
            x, {name: y[name] for name in masks}, layers, seeds
        )
        return (x, {**y, **transformed}, *rest)

    transformed = tf.data.Dataset.zip(dataset, numbers).map(
        transform, num_parallel_calls=tf.data.AUTOTUNE
    )
    return transformed.prefetch(tf.data.AUTOTUNE)


def _check_dataset(dataset):
    if not isinstance(dataset, tf.data.Dataset):
        raise TypeError(
            "`dataset` must be a tf.data.Dataset, found a "
            f"{type(dataset).__name__}. Pass `train` of Splits; or convert "
            "arrays with tf.data.Dataset.from_tensor_slices((x, y)).batch()."
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
            "`dataset` holds a weight per pixel, which would not be augmented "
            "with the masks. Mark pixels to ignore as missing (-1) in the "
            "masks."
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
                f"`masks` names {name!r}, which is not a target. "
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
        raise ValueError("`layers` must hold at least one layer, found none.")
    for layer in layers:
        name = type(layer).__name__
        if not hasattr(layer, "transform_segmentation_masks"):
            raise TypeError(
                f"`layers` holds {name}, expected image augmentation "
                "layers such as keras.layers.RandomFlip. Pass other layers as "
                "`preprocessing` of a factory."
            )
        if name in _UNSUITABLE:
            raise ValueError(
                f"`layers` holds {name}, which {_UNSUITABLE[name]}. Use layers "
                "with one operation, such as RandomFlip, RandomRotation or "
                "RandomBrightness."
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
            "enlarge masks and blur their labels. Use a smaller crop."
        )


def _transform(x, masks, layers, seeds):
    """Applies all layers to images and masks."""
    is_single = x.shape.rank == 3
    rank = 4
    if is_single:
        x = x[None]
        masks = {name: mask[None] for name, mask in masks.items()}
    x = tf.cast(x, tf.float32)
    stack = _stack(masks, rank) if masks else None
    for layer in layers:
        drawn = layer.get_random_transformation(x, training=True, seed=seeds)
        if stack is not None:
            stack = _transform_masks(layer, stack, drawn)
        x = layer.transform_images(x, drawn, training=True)
        x = tf.cast(x, tf.float32)
    masks = {} if stack is None else _unstack(stack, masks, rank)
    if is_single:
        return x[0], {name: mask[0] for name, mask in masks.items()}
    return x, masks


def _stack(masks, rank):
    """Stacks masks as channels of one float32 image, missing labels as -1."""
    channels = []
    for mask in masks.values():
        mask = mask if mask.shape.rank == rank else mask[..., None]
        mask = tf.cast(mask, tf.float32)
        mask = tf.where(tf.math.is_nan(mask), float(MISSING), mask)
        channels.append(mask)
    return tf.concat(channels, axis=-1)


def _transform_masks(layer, stack, drawn):
    # A layer fills masks with its fill value, so shift missing labels to it.
    fill = float(getattr(layer, "fill_value", 0.0) or 0.0)
    transformed = layer.transform_segmentation_masks(
        stack - MISSING + fill, drawn, training=True
    )
    return tf.round(tf.cast(transformed, tf.float32) - fill + MISSING)


def _unstack(stack, masks, rank):
    depths = [
        mask.shape[-1] if mask.shape.rank == rank else 1
        for mask in masks.values()
    ]
    unstacked = {}
    parts = tf.split(stack, depths, axis=-1)
    for (name, mask), part in zip(masks.items(), parts, strict=True):
        part = part if mask.shape.rank == rank else part[..., 0]
        # An unsigned mask cannot represent a missing label.
        dtype = tf.int32 if mask.dtype.is_unsigned else mask.dtype
        unstacked[name] = tf.cast(part, dtype)
    return unstacked
