"""Resolves the arguments that set the widths and the depth of a trunk."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mtl_keras.argument_checks import check_integer


def resolve_hidden_units(
    hidden_units: Sequence[int] | None,
    trunk_width: int | None,
    trunk_depth: int | None,
    *,
    default: Sequence[int],
    min_levels: int = 0,
) -> list[int]:
    """Returns the width of each hidden layer. All have the same by default.

    Args:
        hidden_units: See `resolve_widths`.
        trunk_width: See `resolve_widths`.
        trunk_depth: See `resolve_widths`.
        default: See `resolve_widths`.
        min_levels: See `resolve_widths`.
    """
    return resolve_widths(
        "hidden_units",
        hidden_units,
        trunk_width,
        trunk_depth,
        default=default,
        min_levels=min_levels,
    )


def resolve_filters(
    filters: Sequence[int] | None,
    trunk_width: int | None,
    trunk_depth: int | None,
    *,
    default: Sequence[int],
) -> list[int]:
    """Returns the filters of each level. Each level doubles them by default.

    Args:
        filters: See `resolve_widths`. Lists one level or more.
        trunk_width: See `resolve_widths`.
        trunk_depth: See `resolve_widths`.
        default: See `resolve_widths`.
    """
    return resolve_widths(
        "filters",
        filters,
        trunk_width,
        trunk_depth,
        default=default,
        growth=2,
        min_levels=1,
    )


def resolve_widths(
    argument: str,
    widths: Sequence[int] | None,
    trunk_width: int | None = None,
    trunk_depth: int | None = None,
    *,
    default: Sequence[int],
    growth: int = 1,
    min_levels: int = 0,
) -> list[int]:
    """Returns the width of each level.

    Args:
        argument: Name of the argument `widths`, for error messages.
        widths: Width of each level, or `None`.
        trunk_width: Width of the first level. Defaults to that of `default`.
        trunk_depth: Number of levels. Defaults to that of `default`.
        default: Widths if all three are `None`.
        growth: Factor from one level to the next. Defaults to `1`.
        min_levels: Minimum length of `widths`. Defaults to `0`.

    Returns:
        A list of positive integers.

    Raises:
        TypeError: If a width or the depth is not an integer.
        ValueError: If one is below 1, or if `widths` is combined with
            `trunk_width` or `trunk_depth`.
    """
    if widths is not None:
        if trunk_width is not None or trunk_depth is not None:
            raise ValueError(
                f"{argument}={widths!r} cannot be combined with trunk_width="
                f"{trunk_width!r} and trunk_depth={trunk_depth!r}. Leave one "
                "of the two out."
            )
        if isinstance(widths, int | np.integer):
            widths = [widths]
        if len(widths) < min_levels:
            raise ValueError(
                f"{argument} is empty; expected at least one width, such as "
                f"{tuple(default)}."
            )
        return [check_integer(argument, width, minimum=1) for width in widths]
    width = default[0] if trunk_width is None else trunk_width
    depth = len(default) if trunk_depth is None else trunk_depth
    width = check_integer("trunk_width", width, minimum=1)
    depth = check_integer("trunk_depth", depth, minimum=1)
    return [width * growth**level for level in range(depth)]
