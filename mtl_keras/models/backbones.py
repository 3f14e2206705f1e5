"""Backbones: networks of others that serve as a trunk."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import keras

from mtl_keras.models.backbone_copy import is_graph
from mtl_keras.spelling import did_you_mean


def own_input_shape(backbone) -> tuple | None:
    """The shape of an image that a backbone is built for, or `None`.

    Args:
        backbone: See `resolve_backbone`.
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
    """Makes a model of what the user passed as a backbone.

    Args:
        backbone: Name of a function of `keras.applications`, a function of
            that kind, or a functional model.
        input_shape: Shape of what the backbone reads, without the batch axis.
        arguments: Dict of arguments of the function.

    Returns:
        A functional or `Sequential` model from one input to one output.

    Raises:
        TypeError: If it is no functional model.
        ValueError: If no function has that name, or inputs do not fit.
    """
    if isinstance(backbone, str):
        backbone = _application(backbone)
    if not isinstance(backbone, keras.Model) and callable(backbone):
        backbone = _build(backbone, input_shape, dict(arguments or {}))
    elif arguments:
        raise ValueError(
            f"backbone_arguments={arguments!r} are those of a function that "
            "builds a backbone, and backbone is a model already. Leave them "
            "out, or pass the function."
        )
    inputs = getattr(backbone, "inputs", None)
    if not is_graph(backbone) or not inputs:
        raise TypeError(
            f"backbone is {backbone!r} of type {type(backbone).__name__}; "
            "expected the name of a function of keras.applications, such a "
            "function, or a functional keras.Model (a Sequential one with an "
            "Input will do)."
        )
    if len(inputs) != 1 or len(backbone.outputs) != 1:
        raise ValueError(
            f"The backbone {backbone.name!r} has {len(inputs)} inputs and "
            f"{len(backbone.outputs)} outputs; expected one of each. Other "
            "layers are read by their names, with feature_layers."
        )
    expected = tuple(inputs[0].shape)[1:]
    if len(expected) != len(input_shape) or any(
        a is not None and a != b
        for a, b in zip(expected, input_shape, strict=True)
    ):
        raise ValueError(
            f"The backbone {backbone.name!r} reads images of shape {expected}, "
            f"and gets {tuple(input_shape)}. Pass input_shape={expected}, or "
            "a preprocessing layer that brings images to it, such as "
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
                f"backbone_arguments hold {argument!r}, which is not for the "
                "caller to say: a backbone has no classification top, and "
                "reads what input_shape and preprocessing say."
            )
    return function(
        include_top=False,
        input_shape=tuple(input_shape),
        **{"weights": None, **arguments},
    )
