"""Missing labels in targets."""

from __future__ import annotations

import keras
import numpy as np


def is_labelled(targets, missing_label: float):
    """Finds the values that are labels, and not marks of a missing label.

    Args:
        targets: Numpy array or tensor of any shape and numeric dtype.
        missing_label: NaN, or -1; NaN then means a missing label, too.

    Returns:
        Booleans of the shape of `targets`, a numpy array or tensor as these
        are; or `None` if the dtype cannot hold a missing label, as uint8.
    """
    dtype = keras.backend.standardize_dtype(targets.dtype)
    library = np if isinstance(targets, np.ndarray) else keras.ops
    by_number = missing_label == missing_label  # NaN equals nothing
    if "float" in dtype:
        labelled = library.logical_not(library.isnan(targets))
        if by_number:
            labelled = library.logical_and(labelled, targets != missing_label)
        return labelled
    if dtype.startswith("int") and by_number:
        return library.not_equal(targets, int(missing_label))
    return None


def drop_axis(labelled, *, how: str = "all"):
    """Reduces the last axis: labelled where all (or any) of its values are.

    Args:
        labelled: Booleans, numpy array or tensor.
        how: `"all"` or `"any"`. Defaults to `"all"`.
    """
    library = np if isinstance(labelled, np.ndarray) else keras.ops
    return getattr(library, how)(labelled, axis=-1)
