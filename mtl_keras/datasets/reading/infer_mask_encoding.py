"""Infers what the values of the masks of a task mean."""

from __future__ import annotations

import dataclasses

import numpy as np

from mtl_keras.datasets.reading.mask_encoding import (
    MIDDLE,
    MaskEncoding,
    white_beside_classes,
)
from mtl_keras.datasets.reading.mask_values import (
    WHITE,
    MaskValues,
    are_class_indices,
    infer_num_classes,
    list_values,
)

# More greys may be soft edges instead of classes.
_MOST_CLASSES = 100


def infer_mask_encoding(
    task: str,
    found: MaskValues,
    num_classes: int | None,
    missing_pixel: int | None,
    source: str,
) -> MaskEncoding:
    """Infers what the values of the masks of a task mean.

    Args:
        task: Name of the task, for errors.
        found: The values that the masks contain, without those of pixels that
            have no label.
        num_classes: Integer, number of classes that the user gives, or
            `None`.
        missing_pixel: Integer, value of pixels without a label, or `None`.
        source: Name of the masks, for errors.

    Returns:
        The `MaskEncoding`: 0 and 1, or 0 and 255, are a binary mask; other
        values are classes from 0.

    Raises:
        ValueError: If the values are ambiguous. The error names what to pass.
    """
    if num_classes is None:
        return _infer(task, found, missing_pixel, source)
    values = found.all
    encoding = MaskEncoding(task, num_classes, missing_pixel)
    if num_classes > 1 or set(values) <= {0, 1}:
        return encoding
    if max(values) <= MIDDLE:
        raise ValueError(
            f"Task {task!r}: found {_list_with_mask(values)} in {source}, "
            "expected 0 and 1, or 0 and 255, because num_classes=1."
        )
    exact = found.exact
    if WHITE in exact and are_class_indices(exact):
        masks = f"{source}{_name_masks(exact)}"
        raise ValueError(white_beside_classes(task, exact, masks))
    return dataclasses.replace(encoding, is_cut=True)


def _infer(task, found: MaskValues, missing_pixel, source) -> MaskEncoding:
    values = found.all
    if not values and not found.has_bits:
        raise ValueError(
            f"Task {task!r}: no pixel has a label in {source}. Add labels, or "
            "leave the task out."
        )
    if set(values) <= {0, 1}:
        return MaskEncoding(task, 1, missing_pixel)
    if set(values) <= {0, WHITE}:
        return MaskEncoding(task, 1, missing_pixel, is_cut=True)
    if WHITE in values:
        raise ValueError(_ambiguous_white(task, values, source))
    if found.lossy:
        raise ValueError(
            f"Task {task!r}: found {list_values(values)} in {source}, some of "
            "which are jpeg, whose values are inexact. Save them as png; or "
            "pass num_classes=1 if they are black and white."
        )
    count = infer_num_classes(
        np.array(sorted(values)), f"Task {task!r}: {source}"
    )
    if max(found.greys, default=0) >= _MOST_CLASSES:
        raise ValueError(
            f"Task {task!r}: found {len(values)} greys up to {max(values)} in "
            f"{source}, which may be classes or soft edges. Pass "
            f"num_classes={count}; or num_classes=1 for black and white masks, "
            "which are cut at the middle."
        )
    return MaskEncoding(task, count, missing_pixel)


def _ambiguous_white(task: str, values, source: str) -> str:
    """Writes the error for 255, which may be white or a missing label."""
    if are_class_indices(values):
        white = (
            "num_classes=1 is only for black and white masks, and the other "
            "values look like classes."
        )
    else:
        white = (
            "If the masks are black and white with soft edges, pass "
            "num_classes=1, which cuts them at the middle."
        )
    return (
        f"Task {task!r}: found 255 beside {list_values(set(values) - {WHITE})} "
        f"in {source}{_name_masks(values)}. If 255 marks pixels without a "
        f"label, pass missing_pixel=255. {white} If it is a class, pass "
        "num_classes."
    )


def _name_masks(values) -> str:
    """Names a mask with 255 and one with another value."""
    others = [value for value in sorted(values) if value not in (0, WHITE)]
    chosen = [value for value in (WHITE, *others[:1]) if values[value]]
    places = ", ".join(f"{value} in {values[value]}" for value in chosen)
    return f" ({places})" if places else ""


def _list_with_mask(values) -> str:
    highest = max(values)
    place = f" ({highest} in {values[highest]})" if values[highest] else ""
    return f"{list_values(values)}{place}"
