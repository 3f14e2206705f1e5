"""Reads the parameters of a factory."""

from __future__ import annotations

import inspect
from collections.abc import Callable


def get_parameters(factory: Callable) -> tuple[dict, bool]:
    """Returns the named parameters of a factory.

    Args:
        factory: A callable.

    Returns:
        Dict from name to `inspect.Parameter`, and whether the callable also
        accepts any other keyword argument.
    """
    parameters = inspect.signature(factory).parameters
    named = {
        name: parameter
        for name, parameter in parameters.items()
        if parameter.kind
        in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    }
    kinds = {parameter.kind for parameter in parameters.values()}
    return named, inspect.Parameter.VAR_KEYWORD in kinds
