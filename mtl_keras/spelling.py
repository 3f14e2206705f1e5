"""Names the nearest match for a misspelt one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(name: object, choices: Iterable[str]) -> str:
    """Suggests the known names that are near a misspelt one, and lists all.

    Args:
        name: What the user wrote.
        choices: The names that exist.

    Returns:
        A sentence to end an error message with.

    Example:

    >>> did_you_mean("segmentaton", ["classification", "segmentation"])
    "Did you mean 'segmentation'? Known: 'classification', 'segmentation'."
    """
    choices = sorted(choices)
    known = f"Known: {', '.join(map(repr, choices))}."
    near = difflib.get_close_matches(str(name), choices, n=3, cutoff=0.4)
    if not near:
        return known
    best = min(near, key=lambda choice: _slips(str(name), choice))
    return f"Did you mean {best!r}? {known}"


def _slips(typed: str, meant: str) -> int:
    """Letters added, left out, changed or swapped with the next (difflib
    knows nothing of swaps, the commonest slip)."""
    before, last = None, list(range(len(meant) + 1))
    for row, letter in enumerate(typed, start=1):
        now = [row]
        for column, other in enumerate(meant, start=1):
            slips = min(
                last[column] + 1,
                now[column - 1] + 1,
                last[column - 1] + (letter != other),
            )
            swapped = meant[column - 2 : column][::-1]
            if row > 1 and column > 1 and typed[row - 2 : row] == swapped:
                slips = min(slips, before[column - 2] + 1)
            now.append(slips)
        before, last = last, now
    return last[-1]
