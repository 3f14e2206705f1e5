"""The table of factories, for the command line and the documentation."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class FactoryRow(NamedTuple):
    """A factory in the table of factories.

    Args:
        name: Name of the factory.
        inputs: What one sample is: `"vectors"`, `"images"`, `"sequences"` or
            `"text"`.
        summary: First line of the docstring.
    """

    name: str
    inputs: str
    summary: str


def describe_factory(build: Callable) -> FactoryRow:
    """Returns the row of a factory.

    Args:
        build: A function that `mtl_keras.models.factory.factory` decorates.
    """
    summary = (build.__doc__ or "").partition("\n")[0]
    return FactoryRow(build.__name__, build.inputs, summary)
