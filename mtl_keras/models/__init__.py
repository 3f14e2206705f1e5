"""The factories: functions that build compiled multi-task models."""

from collections.abc import Callable

from mtl_keras.models import factories
from mtl_keras.models.factories import *  # noqa: F403, the registry
from mtl_keras.models.factory_table import FactoryRow, describe_factory
from mtl_keras.models.text_input import (
    with_text_input,
    without_text_input,
)
from mtl_keras.spelling import did_you_mean


def names() -> list[str]:
    """Lists the names of the factories, sorted."""
    return sorted(name for name in vars(factories) if name.startswith("build_"))


def get(name: str) -> Callable:
    """Returns a factory by name.

    Args:
        name: String, one of `names()`.

    Returns:
        The factory.

    Raises:
        ValueError: If no factory has that name.

    Example:

    >>> mtl_keras.models.get("build_mlp") is mtl_keras.build_mlp
    True
    """
    if name in names():
        return getattr(factories, name)
    raise ValueError(f"No factory {name!r}. {did_you_mean(name, names())}")


def table() -> list[FactoryRow]:
    """Lists the factories with their inputs and what they build.

    Returns:
        List of rows with the fields `name`, `inputs` (`"vectors"`, `"images"`,
        `"sequences"` or `"text"`) and `summary`, the first line of the
        docstring.

    Example:

    >>> mtl_keras.models.table()[0].inputs
    'vectors'
    """
    return [describe_factory(get(name)) for name in names()]


__all__ = [
    "get",
    "names",
    "table",
    "with_text_input",
    "without_text_input",
    *names(),
]
