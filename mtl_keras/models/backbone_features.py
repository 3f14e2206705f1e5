"""Which layers of a backbone each task reads, and how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras

from mtl_keras.keras_compat import operation_of
from mtl_keras.models.backbone_copy import BackboneCopy
from mtl_keras.models.dense_tasks import reads_maps
from mtl_keras.spelling import did_you_mean
from mtl_keras.tasks import Task


def layers_by_task(
    backbone: BackboneCopy,
    tasks: Sequence[Task],
    feature_layers: Mapping[str, str | Sequence[str]] | None,
    size: tuple,
) -> dict[str, list[str]]:
    """Names the layers that each task reads.

    Args:
        backbone: The backbone in the graph of the model.
        tasks: The tasks.
        feature_layers: Dict from task name to the name of a layer, or for a
            task on pixels to a list of names. Tasks that it leaves out read
            the end of the backbone, or the last layer of each size.
        size: Height and width of what the backbone reads.

    Returns:
        Dict from task name to names of layers; for tasks on pixels the layer
        with the largest map first.

    Raises:
        TypeError: If `feature_layers` is no dict of names.
        ValueError: If there is no such task or layer, or its output is not
            what the task can read.
    """
    given = _checked(backbone, tasks, feature_layers)
    found = {}
    for task in tasks:
        if task.feature_rank not in (2, 4):
            raise ValueError(
                f"Task {task.name!r} ({type(task).__name__}) reads features of "
                f"rank {task.feature_rank}; a backbone on images has vectors "
                "and maps."
            )
        if reads_maps(task):
            names = given.get(task.name) or _last_of_each_size(backbone, size)
            names = sorted(names, key=lambda n: -_shape(backbone, n, task)[1])
            factors_of([_shape(backbone, n, task) for n in names], size, names)
        else:
            names = given.get(task.name) or [_end(backbone)]
            _check_vector(backbone, names, task)
        found[task.name] = names
    return found


def factors_of(
    shapes: Sequence[tuple], size: tuple, names: Sequence[str]
) -> list[int]:
    """What each map is enlarged by to the size of the one before it.

    Args:
        shapes: Shapes of the maps, the largest first.
        size: Height and width that the first is enlarged to.
        names: Names of the layers, for the message.

    Returns:
        A factor for each map.

    Raises:
        ValueError: If a height or width is no whole multiple of the next.
    """
    factors = []
    for name, shape in zip(names, shapes, strict=True):
        inner = shape[1:3]
        factor = size[0] // inner[0] if inner[0] else 0
        if tuple(length * factor for length in inner) != tuple(size):
            raise ValueError(
                f"feature_layers: layer {name!r} has maps of {inner[0]} x "
                f"{inner[1]}, of which {size[0]} x {size[1]} is no whole "
                "multiple, so a decoder cannot enlarge them. Name layers "
                "whose sizes divide, or choose another input_shape."
            )
        factors.append(factor)
        size = inner
    return factors


def _checked(backbone, tasks, feature_layers) -> dict[str, list[str]]:
    if feature_layers is None:
        return {}
    if not isinstance(feature_layers, Mapping):
        raise TypeError(
            f"feature_layers={feature_layers!r}; expected a dict from task "
            "name to the name of a layer."
        )
    known = [task.name for task in tasks]
    layers = list(backbone.outputs)
    given = {}
    for task, names in feature_layers.items():
        if task not in known:
            raise ValueError(
                f"feature_layers names {task!r}, which is no task. "
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
        given[task] = list(names)
    return given


def _check_vector(backbone, names, task) -> None:
    if len(names) > 1:
        raise ValueError(
            f"feature_layers[{task.name!r}] lists {len(names)} layers, "
            f"{names}, and a {type(task).__name__} reads one. Name the last."
        )
    shape = backbone.outputs[names[0]].shape
    if len(shape) not in (2, 4):
        raise ValueError(
            f"Task {task.name!r} ({type(task).__name__}) reads layer "
            f"{names[0]!r} of shape {tuple(shape)}; expected a vector, or a "
            "map (batch, height, width, channels), whose mean is taken."
        )


def _shape(backbone, name: str, task: Task) -> tuple:
    shape = tuple(backbone.outputs[name].shape)
    if len(shape) != 4 or None in shape[1:]:
        raise ValueError(
            f"Task {task.name!r} ({type(task).__name__}) reads layer {name!r} "
            f"of shape {shape}; expected maps (batch, height, width, "
            "channels) of a height and width that are numbers. Name another "
            "layer in feature_layers, or give input_shape in numbers."
        )
    return shape


def _end(backbone) -> str:
    """The layer at the end, which must be no classification."""
    end = backbone.outputs[backbone.end]
    last = operation_of(end)[0]
    activation = getattr(getattr(last, "activation", None), "__name__", None)
    # All networks of keras.applications call their top by one of two names.
    named = backbone.end.endswith(("predictions", "head_dense"))
    if named or activation == "softmax":
        raise ValueError(
            f"The backbone {backbone.name!r} ends in a classification, layer "
            f"{backbone.end!r} of shape {tuple(end.shape)}. Build it with "
            "include_top=False, or say in feature_layers which layer each "
            "task reads."
        )
    return backbone.end


def _last_of_each_size(backbone, size: tuple) -> list[str]:
    """The last layer of each size that halving makes, down to the end's."""
    _end(backbone)
    found, end, weighted = {}, None, False
    for name, output in backbone.outputs.items():
        # Before the first weights there is nothing but preprocessing.
        weighted = weighted or _has_weights(operation_of(output)[0])
        if weighted and len(output.shape) == 4:
            end = tuple(output.shape)[1:3]
            found[end] = name
    halved = _halved(size)
    if end not in halved:
        ends = "no maps" if end is None else f"maps of {end[0]} x {end[1]}"
        raise ValueError(
            f"The backbone {backbone.name!r} ends in {ends}, and a decoder "
            f"needs {size[0]} x {size[1]} or a half, a quarter, ... of it. "
            "Choose an input_shape that can be halved as often as the backbone "
            "does (multiples of 32, say), or name layers in feature_layers."
        )
    # What is smaller than the end are gates over channels.
    levels = halved[: halved.index(end) + 1]
    return [found[inner] for inner in levels if inner in found]


def _has_weights(operation) -> bool:
    if isinstance(operation, keras.layers.Normalization):
        return False
    return bool(getattr(operation, "weights", ()))


def _halved(size: tuple) -> list[tuple]:
    """A size and its halves, as long as they are whole."""
    sizes = []
    while all(size):  # neither unknown nor 0
        sizes.append(tuple(size))
        if any(length % 2 for length in size):
            break
        size = tuple(length // 2 for length in size)
    return sizes
