"""The arguments that a factory takes."""

from __future__ import annotations

import inspect
from collections.abc import Callable


def arguments_of(factory: Callable) -> tuple[dict, bool]:
    """Returns the arguments of a callable, and whether it takes all others."""
    parameters = inspect.signature(factory).parameters
    named = {
        name: parameter
        for name, parameter in parameters.items()
        if parameter.kind
        in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    }
    kinds = {parameter.kind for parameter in parameters.values()}
    return named, inspect.Parameter.VAR_KEYWORD in kinds
