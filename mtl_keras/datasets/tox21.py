"""Tox21: twelve toxicity assays of molecules, with missing labels.

Origin: the Tox21 challenge of the US National Institutes of Health, 2014, as
MoleculeNet collects it (https://moleculenet.org); the table with the
structures is kept at
https://github.com/GLambard/Molecules_Dataset_Collection, originals/tox21.csv.

Licence: MIT for that collection; the measurements are of the US government.
"""

import os

import numpy as np

from mtl_keras.datasets.files import read_arrays
from mtl_keras.datasets.random_split import random_split
from mtl_keras.datasets.samples import Samples
from mtl_keras.tasks import BinaryClassification, Task

NUM_INPUTS = 1024
ASSAYS = (
    "NR-AR",
    "NR-AR-LBD",
    "NR-AhR",
    "NR-Aromatase",
    "NR-ER",
    "NR-ER-LBD",
    "NR-PPAR-gamma",
    "SR-ARE",
    "SR-ATAD5",
    "SR-HSE",
    "SR-MMP",
    "SR-p53",
)

_ORIGIN = (
    "Build it from https://github.com/GLambard/Molecules_Dataset_Collection, "
    "originals/tox21.csv, as the documentation of `tox21.load_data` describes."
)


def load_data(
    path: str | os.PathLike, test_fraction: float = 0.2, seed: int = 0
) -> tuple[Samples, Samples]:
    """Reads the 7,823 molecules of Tox21, and splits them at random.

    The inputs are ECFP4 fingerprints: each of 1024 bits marks the presence of
    circular substructures with a diameter of up to four bonds. Of the twelve
    assays, seven test nuclear receptors (`"NR-..."`) and five the response to
    stress (`"SR-..."`). Each molecule is labelled for some of them: 17 % of the
    labels are missing, 6 % are active. 607 molecules share their fingerprint
    with another, and a random split may separate them.

    The npz file has the arrays `fp_packed` (n, 128) of uint8, the bits as
    `numpy.packbits` packs them, `y` (n, 12), 1 for active, 0 for inactive and
    -1 for not measured, and `tasks` (12,), the names of the assays. To build
    it, compute Morgan fingerprints of radius 2 and 1024 bits with RDKit, and
    drop the 8 molecules that it cannot read.

    Args:
        path: String or path of the npz file.
        test_fraction: Float between 0 and 1, fraction of the molecules to use
            for the test. Defaults to 0.2.
        seed: Integer of at least 0, seed of the split. Defaults to 0.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: x is float32 of shape
        `(n, 1024)`, 0 or 1; y is a dict with an array for each name in
        `tox21.ASSAYS`, int32 of shape `(n,)`: 1, 0, or -1 where the label is
        missing.

    Raises:
        FileNotFoundError: If the file does not exist.
        ValueError: If it lacks an array, an array has the wrong shape, dtype,
            names or values, or an argument is out of range.

    Example:

    ```python
    (x_train, y_train), (x_test, y_test) = tox21.load_data("tox21.npz")
    assert x_train.shape == (6258, 1024)
    assert y_test["NR-AhR"].shape == (1565,)
    ```

    Reference:

    - Huang et al., Tox21Challenge to build predictive models of nuclear
      receptor and stress response pathways as mediated by exposure to
      environmental chemicals and drugs, Frontiers in Environmental Science 3,
      2016.
    - Wu et al., MoleculeNet: a benchmark for molecular machine learning,
      Chemical Science 9, 2018.
    """
    shapes = {
        "fp_packed": ("n", NUM_INPUTS // 8),
        "y": ("n", len(ASSAYS)),
        "tasks": (len(ASSAYS),),
    }
    arrays = read_arrays(path, shapes, _ORIGIN)
    _check_packed(arrays["fp_packed"])
    _check_labels(arrays["y"])
    names = _check_names(arrays["tasks"])
    x = np.unpackbits(arrays["fp_packed"], axis=1).astype("float32")
    columns = dict(zip(names, arrays["y"].T.astype("int32"), strict=True))
    y = {assay: columns[assay] for assay in ASSAYS}
    return random_split(x, y, test_fraction, seed)


def tasks() -> list[Task]:
    """Returns the tasks that fit the targets of `load_data`.

    Returns:
        Twelve `BinaryClassification` tasks, named after the assays.

    Example:

    ```python
    [task.name for task in tox21.tasks()]
    # ['NR-AR', 'NR-AR-LBD', 'NR-AhR', 'NR-Aromatase', ...]
    ```
    """
    return [BinaryClassification(assay) for assay in ASSAYS]


def _check_packed(packed):
    if packed.dtype != np.uint8:
        raise ValueError(
            "`path` must hold 'fp_packed' as uint8, eight bits each, found "
            f"{packed.dtype}. Pack the bits with numpy.packbits(bits, axis=1)."
        )


def _check_labels(labels):
    unknown = np.setdiff1d(labels, [-1, 0, 1])
    if unknown.size:
        raise ValueError(
            "`path` must hold 'y' with only 1 (active), 0 (inactive) and -1 "
            f"(missing), found {unknown.tolist()}."
        )


def _check_names(names):
    names = names.tolist()
    if sorted(map(str, names)) != sorted(ASSAYS):
        raise ValueError(
            f"`path` must hold the names {list(ASSAYS)} in 'tasks', in any "
            f"order, found {names}."
        )
    return names
