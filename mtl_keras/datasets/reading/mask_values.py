"""What the values of masks mean, which is decided for all masks of a task."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

import numpy as np

MISSING = -1

_WHITE, _MIDDLE = 255, 127
# Soft edges have more greys, and nobody sees from the greys alone whether a
# task has so many classes.
_MOST_INFERRED_CLASSES = 100
# Some pixels of a soft edge may be all that reaches into a picture.
_FEW_PIXELS = 10


@dataclasses.dataclass
class MaskValues:
    """The values that masks hold, each with a mask that holds it.

    Args:
        greys: Dict from value to where it was found.
        lossy: The same of JPEGs, which change values.
        indices: The same of palettes, whose indices count classes.
        has_bits: Boolean, whether some masks have two values alone that are
            background and foreground, whatever other masks hold. Defaults to
            `False`.
    """

    greys: dict[int, str] = dataclasses.field(default_factory=dict)
    lossy: dict[int, str] = dataclasses.field(default_factory=dict)
    indices: dict[int, str] = dataclasses.field(default_factory=dict)
    has_bits: bool = False

    def all(self) -> dict[int, str]:
        """Returns all values but those of bits, each with its mask."""
        return {**self.lossy, **self.indices, **self.greys}


@dataclasses.dataclass(frozen=True)
class GreyCoding:
    """Turns the values of masks into labels, all masks of a task alike.

    Args:
        task: String, name of the task, for errors.
        num_classes: Integer, classes of the task; 1 is a binary mask.
        missing_pixel: Integer, value of pixels without a label. Defaults to
            `None`: all have one.
        is_cut: Boolean, whether a binary mask is one of black and white,
            which is cut at the middle. Defaults to `False`: it is one of 0
            and 1.
    """

    task: str
    num_classes: int
    missing_pixel: int | None = None
    is_cut: bool = False

    def labels(self, values: np.ndarray) -> np.ndarray:
        """Turns values into labels.

        Args:
            values: Integer array of any shape; what lies below 0 has no label.

        Returns:
            int32 array of the same shape, -1 without a label.
        """
        labels = (values > _MIDDLE if self.is_cut else values).astype("int32")
        if values.dtype.kind == "i":
            labels[values < 0] = MISSING
        if self.missing_pixel is not None:
            labels[values == self.missing_pixel] = MISSING
        return labels

    def plainly_fits(self, values: np.ndarray) -> bool:
        """Looks over a mask, where most are right, faster than `check` does.

        Args:
            values: uint8 array of any shape.

        Returns:
            Boolean; true where `check` would find nothing.
        """
        if self.is_cut:
            # What lies below 0 is 255.
            return not (values - np.uint8(1) < _MIDDLE).any()
        if self.missing_pixel is not None:
            values = np.where(values == self.missing_pixel, 0, values)
        return bool(values.max(initial=0) < max(self.num_classes, 2))

    def check(
        self, counts: Mapping[int, int], source: str, *, is_lossy: bool = False
    ) -> None:
        """Checks that a mask fits what is decided for all of them.

        Args:
            counts: Dict from the values of the mask to their numbers of
                pixels, without those that have no label.
            source: String, what the mask is, for the error.
            is_lossy: Boolean, whether values may be a little off. Defaults
                to `False`.

        Raises:
            ValueError: If a value is none of the classes, or the mask is of
                another form than the others.
        """
        marked = {value: count for value, count in counts.items() if value}
        if not marked:
            return
        highest = max(marked)
        if not self.is_cut:
            if highest >= max(self.num_classes, 2):
                raise ValueError(self._no_class(highest, source))
            return
        if is_lossy:
            return
        if _WHITE in marked and counts_classes(marked):
            raise ValueError(_void(self.task, marked, source))
        if highest <= _MIDDLE and _is_another_form(marked):
            raise ValueError(
                f"Task {self.task!r}: found {listed({0, *marked})} in "
                f"{source}, where other masks hold 0 and 255. Save all of them "
                "in one way."
            )

    def _no_class(self, value: int, source: str) -> str:
        if self.num_classes == 1:
            expected = "0 and 1 alone, as other masks hold"
        else:
            expected = (
                f"classes from 0 to {self.num_classes - 1}, because "
                f"num_classes={self.num_classes}"
            )
        black_and_white = ""
        if value == _WHITE and self.num_classes > 1:
            black_and_white = (
                " If the masks are black and white, say num_classes=1."
            )
        return (
            f"Task {self.task!r}: found {value} in {source}, expected "
            f"{expected}. If it marks pixels without a label, pass "
            f"missing_pixel={value}.{black_and_white}"
        )


def _is_another_form(marked: Mapping[int, int]) -> bool:
    """Whether values are classes, and no soft edge that reaches in."""
    if set(marked) == {1}:
        return True
    is_seen = sum(marked.values()) >= _FEW_PIXELS
    return is_seen and (len(marked) == 1 or counts_classes(marked))


def decide_coding(
    task: str,
    found: MaskValues,
    num_classes: int | None,
    missing_pixel: int | None,
    source: str,
) -> GreyCoding:
    """Decides what the values of the masks of a task mean.

    Args:
        task: String, name of the task, for errors.
        found: The values that the masks hold, without those of pixels that
            have no label.
        num_classes: Integer, the classes that the caller says, or `None`.
        missing_pixel: Integer, value of pixels without a label, or `None`.
        source: String, what the masks are, for errors.

    Returns:
        The `GreyCoding`: 0 and 1, or 0 and 255, are a binary mask; other
        values are classes from 0.

    Raises:
        ValueError: If the values may mean one thing or another. The error
            names the ways out.
    """
    values = found.all()
    if num_classes is None:
        return _infer(task, found, missing_pixel, source)
    coding = GreyCoding(task, num_classes, missing_pixel)
    if num_classes > 1 or set(values) <= {0, 1}:
        return coding
    if max(values) <= _MIDDLE:
        raise ValueError(
            f"Task {task!r}: found {_listed_with_place(values)} in {source}, "
            "expected 0 and 1, or 0 and 255, because num_classes=1."
        )
    sure = {**found.indices, **found.greys}
    if _WHITE in sure and counts_classes(sure):
        raise ValueError(_void(task, sure, f"{source}{_places(sure)}"))
    return dataclasses.replace(coding, is_cut=True)


def counts_classes(values: Iterable[int]) -> bool:
    """Returns whether values count from 1 on, 0 and 255 aside.

    Args:
        values: Integers, in any order.

    Returns:
        Boolean, false where there are no others.
    """
    inner = set(values) - {0, _WHITE}
    return bool(inner) and inner == set(range(1, len(inner) + 1))


def inferred_count(labels: np.ndarray, source: str) -> int:
    """Infers how many classes labels count.

    Args:
        labels: Integer array of any shape; -1 is a missing label.
        source: String, what the labels are of, for the error.

    Returns:
        2, or one more than the greatest label.

    Raises:
        ValueError: If most numbers up to the greatest are no label, so that
            they hardly count classes.
    """
    found = np.unique(labels[labels >= 0])
    count = max(2, int(found.max()) + 1)
    if len(found) * 2 < count:
        raise ValueError(
            f"{source}: found the values {listed(found.tolist())} up to "
            f"{found.max()}, which hardly count classes from 0. Number the "
            "classes, or say how many there are with a task (num_classes=1 is "
            "a mask that is cut at the middle of 0 and 255). If "
            f"{found.max()} marks what has no label, it is a missing label "
            f"(missing_pixel={found.max()})."
        )
    return count


def listed(values: Iterable[int]) -> str:
    """Lists the first values, in order.

    Args:
        values: Integers.

    Returns:
        String, such as `"0, 1, 255"`.
    """
    ordered = sorted(values)
    return ", ".join(map(str, ordered[:8])) + ", ..." * (len(ordered) > 8)


def _infer(task, found, missing_pixel, source) -> GreyCoding:
    values = found.all()
    if not values and not found.has_bits:
        raise ValueError(
            f"Task {task!r}: no pixel has a label in {source}. Fill labels in, "
            "or leave the task out."
        )
    if set(values) <= {0, 1}:
        return GreyCoding(task, 1, missing_pixel)
    if set(values) <= {0, _WHITE}:
        return GreyCoding(task, 1, missing_pixel, is_cut=True)
    if _WHITE in values:
        raise ValueError(_two_ways(task, values, source))
    if found.lossy:
        raise ValueError(
            f"Task {task!r}: found {listed(values)} in {source}, some of which "
            "are jpeg, which changes values. Save them as png; or say "
            "num_classes=1, if they are black and white."
        )
    count = inferred_count(np.array(sorted(values)), f"Task {task!r}: {source}")
    if max(found.greys, default=0) >= _MOST_INFERRED_CLASSES:
        raise ValueError(
            f"Task {task!r}: found {len(values)} greys up to {max(values)} in "
            f"{source}, which may be as many classes, or the soft edges of "
            f"some. Say num_classes={count}, or num_classes=1 for black and "
            "white, which is cut at the middle."
        )
    return GreyCoding(task, count, missing_pixel)


def _two_ways(task: str, values, source: str) -> str:
    """255 may be white with soft edges, or stand for pixels without a label."""
    if counts_classes(values):
        white = (
            "num_classes=1 is for black and white alone, and others of these "
            "values count classes."
        )
    else:
        white = (
            "If the masks are black and white with soft edges, say "
            "num_classes=1, which cuts them at the middle."
        )
    return (
        f"Task {task!r}: found 255 beside {listed(set(values) - {_WHITE})} in "
        f"{source}{_places(values)}. If 255 marks pixels without a label, pass "
        f"missing_pixel=255. {white} If it is a class, say how many there are "
        "with num_classes."
    )


def _void(task: str, values, source: str) -> str:
    return (
        f"Task {task!r}: found 255 beside {listed({0, *values} - {_WHITE})} in "
        f"{source}, expected 0 and 1, or 0 and 255, because num_classes=1. If "
        "255 marks pixels without a label, pass missing_pixel=255; if some "
        "masks are black and white and others not, save all of them in one way."
    )


def _places(values) -> str:
    """Names a mask with 255 and one with another value."""
    others = [value for value in sorted(values) if value not in (0, _WHITE)]
    chosen = [value for value in (_WHITE, *others[:1]) if values[value]]
    places = ", ".join(f"{value} in {values[value]}" for value in chosen)
    return f" ({places})" if places else ""


def _listed_with_place(values) -> str:
    highest = max(values)
    place = f" ({highest} in {values[highest]})" if values[highest] else ""
    return f"{listed(values)}{place}"
