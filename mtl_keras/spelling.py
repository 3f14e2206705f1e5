"""Names the nearest match for a misspelt one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(name: object, choices: Iterable[str]) -> str:
    """Says which known names are near a misspelt one, and lists them all.

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
    # Swapped letters are the commonest slip, and difflib knows nothing of them.
    best = max(near, key=lambda choice: sorted(choice) == sorted(str(name)))
    return f"Did you mean {best!r}? {known}"
