"""Backbones: networks that serve as a trunk."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import keras

from mtl_keras.models.backbone_copy import is_graph_model
from mtl_keras.spelling import did_you_mean


def fixed_input_shape(backbone) -> tuple | None:
    """Returns the shape of an image that a model takes.

    Args:
        backbone: See `resolve_backbone`.

    Returns:
        The shape without the batch axis, or `None` if `backbone` is not a
        model.
    """
    inputs = getattr(backbone, "inputs", None)
    if isinstance(backbone, keras.Model) and inputs:
        return tuple(inputs[0].shape)[1:]
    return None


def resolve_backbone(
    backbone: str | Callable | keras.Model,
    input_shape: tuple,
    arguments: Mapping | None,
) -> keras.Model:
    """Returns the model that the argument `backbone` specifies.

    Args:
        backbone: Name of a function of `keras.applications`, such a
            function, or a functional model.
        input_shape: Shape of the input, without the batch axis.
        arguments: Dict of further arguments of the function.

    Returns:
        A functional or `Sequential` model with one input and one output.

    Raises:
        TypeError: If it is not a functional model.
        ValueError: If the name is unknown, or the input shape does not fit.
    """
    if isinstance(backbone, str):
        backbone = _application(backbone)
    if not isinstance(backbone, keras.Model) and callable(backbone):
        backbone = _build(backbone, input_shape, dict(arguments or {}))
    elif arguments:
        raise ValueError(
            f"backbone_arguments={arguments!r} are passed to a function that "
            "builds a backbone, but backbone is already a model. Leave them "
            "out, or pass the function."
        )
    inputs = getattr(backbone, "inputs", None)
    if not is_graph_model(backbone) or not inputs:
        raise TypeError(
            f"backbone is {backbone!r} of type {type(backbone).__name__}; "
            "expected the name of a function of keras.applications, such a "
            "function, or a functional keras.Model (or a Sequential with an "
            "Input)."
        )
    if len(inputs) != 1 or len(backbone.outputs) != 1:
        raise ValueError(
            f"The backbone {backbone.name!r} has {len(inputs)} inputs and "
            f"{len(backbone.outputs)} outputs; expected one of each. Select "
            "other layers by name with feature_layers."
        )
    expected = tuple(inputs[0].shape)[1:]
    if len(expected) != len(input_shape) or any(
        a is not None and a != b
        for a, b in zip(expected, input_shape, strict=True)
    ):
        raise ValueError(
            f"The backbone {backbone.name!r} takes images of shape {expected}, "
            f"found {tuple(input_shape)}. Pass input_shape={expected}, or a "
            "preprocessing layer that resizes images, such as "
            "keras.layers.Resizing."
        )
    return backbone


def _application(name: str) -> Callable:
    known = [n for n in dir(keras.applications) if n[0].isupper()]
    if name not in known:
        raise ValueError(
            f"keras.applications has no backbone {name!r}. "
            f"{did_you_mean(name, known)}"
        )
    return getattr(keras.applications, name)


def _build(function: Callable, input_shape: tuple, arguments: dict):
    for argument in ("include_top", "input_shape", "input_tensor"):
        if argument in arguments:
            raise ValueError(
                f"backbone_arguments holds {argument!r}, which is set by "
                "build_from_backbone: a backbone has no classification top, "
                "and its input follows from input_shape and preprocessing."
            )
    return function(
        include_top=False,
        input_shape=tuple(input_shape),
        **{"weights": None, **arguments},
    )
