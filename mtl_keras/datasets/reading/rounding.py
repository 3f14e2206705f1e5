"""Numbers that lose their differences in float32."""

from __future__ import annotations

import numpy as np

_CHUNK = 2**14
# Rounding may move a number by so much of the standard deviation.
_MAX_SHARE = 1e-2


def check_rounding(values: np.ndarray, source: str) -> None:
    """Checks that float32 keeps the differences between numbers.

    Columns of a table are checked one by one, arrays of higher rank whole.

    Args:
        values: Array of shape `(n, ...)`, numbers.
        source: String, where they are from.

    Raises:
        ValueError: If rounding to float32 would move a number by more than a
            hundredth of the standard deviation.
    """
    small = values.dtype.itemsize < 4 or values.dtype == np.float32
    if small or values.dtype.kind not in "iuf" or not values.size:
        return
    columns = values.reshape(len(values), -1)
    if values.ndim > 2:
        columns = columns.reshape(-1, 1)
    # From the first row, so that squares keep their digits.
    first = columns[0].astype("float64")
    total = squares = np.zeros(len(first))
    error = np.zeros(len(first))
    for start in range(0, len(columns), _CHUNK):
        part = columns[start : start + _CHUNK].astype("float64")
        with np.errstate(over="ignore", invalid="ignore"):
            rounded = part.astype("float32").astype("float64")
            apart = part - first
            error = np.maximum(error, np.abs(part - rounded).max(axis=0))
            total = total + apart.sum(axis=0)
            squares = squares + (apart**2).sum(axis=0)
    with np.errstate(invalid="ignore"):
        mean = total / len(columns)
        deviation = np.sqrt(np.maximum(squares / len(columns) - mean**2, 0))
        # NaN and infinity are the subject of another check.
        wrong = (deviation > 0) & (error > _MAX_SHARE * deviation)
    if not wrong.any():
        return
    column = int(np.argmax(wrong))
    where = f", column {column}" if values.ndim == 2 else ""
    raise ValueError(
        f"{source}{where}: float32, in which networks compute, cannot tell the "
        f"numbers apart: found {columns[0, column]:.17g} and others with a "
        f"standard deviation of {deviation[column]:.3g}, which rounding moves "
        f"by up to {error[column]:.3g}. Subtract their mean before you save "
        "the file."
    )
