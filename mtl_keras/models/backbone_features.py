"""Selects the layers of a backbone that each task reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras

from mtl_keras.keras_compat import get_operation
from mtl_keras.models.backbone_copy import BackboneCopy
from mtl_keras.models.pixel_tasks import is_pixel_task
from mtl_keras.spelling import did_you_mean
from mtl_keras.tasks import Task


def select_feature_layers(
    backbone: BackboneCopy,
    tasks: Sequence[Task],
    feature_layers: Mapping[str, str | Sequence[str]] | None,
    size: tuple,
) -> dict[str, list[str]]:
    """Returns the names of the layers that each task reads.

    Args:
        backbone: The backbone in the graph of the model.
        tasks: List of tasks.
        feature_layers: Dict from task name to the name of a layer, or for a
            task on pixels to a list of names. Other tasks read the end of the
            backbone, or the last layer of each size.
        size: Height and width of the input of the backbone.

    Returns:
        Dict from task name to layer names. For tasks on pixels, the layer with
        the largest map comes first.

    Raises:
        TypeError: If `feature_layers` is not a dict of names.
        ValueError: If a task or layer does not exist, or a task cannot read
            the output of a layer.
    """
    selected = _check_names(backbone, tasks, feature_layers)
    layers = {}
    for task in tasks:
        if task.feature_rank not in (2, 4):
            raise ValueError(
                f"Task {task.name!r} ({type(task).__name__}) reads features of "
                f"rank {task.feature_rank}; expected a task on the whole "
                "image, or on pixels."
            )
        names = selected.get(task.name)
        if is_pixel_task(task):
            names = names or _last_layers_by_size(backbone, size)
            shapes = {n: _map_shape(backbone, n, task) for n in names}
            names = sorted(names, key=lambda name: -shapes[name][1])
            upsampling_factors([shapes[name] for name in names], size, names)
        else:
            names = names or [_end(backbone)]
            _check_vector(backbone, names, task)
        layers[task.name] = names
    return layers


def upsampling_factors(
    shapes: Sequence[tuple], size: tuple, names: Sequence[str]
) -> list[int]:
    """Returns the factor from each map to the size of the map before it.

    Args:
        shapes: Shapes of the maps, the largest first.
        size: Height and width to which the first map is upsampled.
        names: Names of the layers, for error messages.

    Returns:
        A factor for each map.

    Raises:
        ValueError: If a height or width is not an integer multiple of the
            next.
    """
    factors = []
    for name, shape in zip(names, shapes, strict=True):
        inner = shape[1:3]
        factor = size[0] // inner[0] if inner[0] else 0
        if tuple(length * factor for length in inner) != tuple(size):
            raise ValueError(
                f"feature_layers: layer {name!r} has maps of {inner[0]} x "
                f"{inner[1]}, and {size[0]} x {size[1]} is not an integer "
                "multiple of it, so a decoder cannot upsample them. Name "
                "layers whose sizes divide each other, or choose another "
                "input_shape."
            )
        factors.append(factor)
        size = inner
    return factors


def _check_names(backbone, tasks, feature_layers) -> dict[str, list[str]]:
    if feature_layers is None:
        return {}
    if not isinstance(feature_layers, Mapping):
        raise TypeError(
            f"feature_layers={feature_layers!r}; expected a dict from task "
            "name to the name of a layer."
        )
    known = [task.name for task in tasks]
    layers = list(backbone.outputs)
    selected = {}
    for task, names in feature_layers.items():
        if task not in known:
            raise ValueError(
                f"feature_layers names {task!r}, which is not a task. "
                f"{did_you_mean(task, known)}"
            )
        names = [names] if isinstance(names, str) else names
        if not isinstance(names, Sequence) or not names:
            raise TypeError(
                f"feature_layers[{task!r}]={names!r}; expected the name of a "
                "layer, or for a task on pixels a list of names."
            )
        for name in names:
            if name not in layers:
                raise ValueError(
                    f"feature_layers[{task!r}]: the backbone "
                    f"{backbone.name!r} has no layer {name!r}. "
                    f"{did_you_mean(str(name), layers)}"
                )
        selected[task] = list(names)
    return selected


def _check_vector(backbone, names, task) -> None:
    if len(names) > 1:
        raise ValueError(
            f"feature_layers[{task.name!r}] lists {len(names)} layers, "
            f"{names}, but a {type(task).__name__} reads one. Name the last."
        )
    shape = backbone.outputs[names[0]].shape
    if len(shape) not in (2, 4):
        raise ValueError(
            f"Task {task.name!r} ({type(task).__name__}) reads layer "
            f"{names[0]!r} of shape {tuple(shape)}; expected a vector, or a "
            "map (batch, height, width, channels), which is averaged."
        )


def _map_shape(backbone, name: str, task: Task) -> tuple:
    shape = tuple(backbone.outputs[name].shape)
    if len(shape) != 4 or None in shape[1:]:
        raise ValueError(
            f"Task {task.name!r} ({type(task).__name__}) reads layer {name!r} "
            f"of shape {shape}; expected maps (batch, height, width, "
            "channels) of fixed height and width. Name another layer in "
            "feature_layers, or pass an input_shape without None."
        )
    return shape


def _end(backbone) -> str:
    """Returns the last layer, which must not be a classification."""
    end = backbone.outputs[backbone.end]
    last = get_operation(end)[0]
    activation = getattr(getattr(last, "activation", None), "__name__", None)
    # All networks of keras.applications use one of two names for their top.
    has_top_name = backbone.end.endswith(("predictions", "head_dense"))
    if has_top_name or activation == "softmax":
        raise ValueError(
            f"The backbone {backbone.name!r} ends in a classification, layer "
            f"{backbone.end!r} of shape {tuple(end.shape)}. Build it with "
            "include_top=False, or name the layer of each task in "
            "feature_layers."
        )
    return backbone.end


def _last_layers_by_size(backbone, size: tuple) -> list[str]:
    """Returns the last layer of each size from repeated halving to the end."""
    _end(backbone)
    layers, end, weighted = {}, None, False
    for name, output in backbone.outputs.items():
        # All layers before the first weights are preprocessing.
        weighted = weighted or _has_weights(get_operation(output)[0])
        if weighted and len(output.shape) == 4:
            end = tuple(output.shape)[1:3]
            layers[end] = name
    halves = _halves(size)
    if end not in halves:
        found = "no maps" if end is None else f"maps of {end[0]} x {end[1]}"
        raise ValueError(
            f"The backbone {backbone.name!r} ends in {found}, but a decoder "
            f"needs {size[0]} x {size[1]}, or a half, a quarter, ... of it. "
            "Choose an input_shape that can be halved as often as the backbone "
            "halves it (multiples of 32, for example), or name layers in "
            "feature_layers."
        )
    # Maps that are smaller than the end are gates over channels.
    levels = halves[: halves.index(end) + 1]
    return [layers[inner] for inner in levels if inner in layers]


def _has_weights(operation) -> bool:
    if isinstance(operation, keras.layers.Normalization):
        return False
    return bool(getattr(operation, "weights", ()))


def _halves(size: tuple) -> list[tuple]:
    """Returns a size and its halves, as long as they are integers."""
    sizes = []
    while all(size):  # neither unknown nor 0
        sizes.append(tuple(size))
        if any(length % 2 for length in size):
            break
        size = tuple(length // 2 for length in size)
    return sizes
