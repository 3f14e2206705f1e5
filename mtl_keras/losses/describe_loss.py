"""The name of a loss with its arguments, as a text."""

from __future__ import annotations

import contextlib
import inspect
import textwrap
from typing import Any

import keras

from mtl_keras.keras_compat import wrapped_function
from mtl_keras.losses.function_loss import FunctionLoss


def describe_loss(loss: Any) -> str:
    """Returns the name of a loss with its arguments.

    Args:
        loss: A loss, a function or `None`.

    Returns:
        A text such as `"CrossentropyDice (dice_weight=0.5)"`. Arguments that
        have their defaults are left out.
    """
    if loss is None:
        return "none"
    if isinstance(loss, FunctionLoss):
        loss = loss.fn
    if not isinstance(loss, keras.losses.Loss):
        return getattr(loss, "__name__", type(loss).__name__)
    name = type(loss).__name__
    parameters = inspect.signature(type(loss)).parameters
    wrapped = wrapped_function(loss)
    if wrapped and "fn" in parameters:
        name = wrapped[0].__name__
    config = wrapped[1] if wrapped else {}
    with contextlib.suppress(NotImplementedError):
        config = {**config, **loss.get_config()}
    arguments = [
        f"{key}={_short(value)}"
        for key, value in config.items()
        if key in parameters
        and key not in ("fn", "name", "dtype")
        and value != parameters[key].default
    ]
    return f"{name} ({', '.join(arguments)})" if arguments else name


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return textwrap.shorten(repr(value), 40, placeholder="...")
