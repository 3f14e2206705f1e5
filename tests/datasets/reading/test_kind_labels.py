"""What readers derive from the attributes of a kind."""

import dataclasses

import numpy as np
import pytest

from mtl_keras import datasets, tasks
from mtl_keras.datasets.reading.kind_labels import (
    check_class_names,
    format_size,
    has_one_class,
    takes_class_names,
)
from mtl_keras.tasks import KINDS, BinaryClassification, Regression


@dataclasses.dataclass(frozen=True)
class StepRegression(Regression):
    """A number per step."""

    labels_per = "step"
    feature_rank = 3


@dataclasses.dataclass(frozen=True)
class BinaryMask(BinaryClassification):
    """A binary label per pixel, without an argument for the size."""

    labels_per = "pixel"
    feature_rank = 4


@pytest.mark.parametrize(
    ("labels_per", "expected"),
    [
        ("sample", {"BinaryClassification", "Classification"}),
        ("step", {"SequenceTagging"}),
        ("pixel", {"Segmentation"}),
    ],
)
def test_has_one_class(labels_per, expected):
    found = {n for n, kind in KINDS.items() if has_one_class(kind, labels_per)}
    assert found == expected


def test_takes_class_names():
    without = {n for n, kind in KINDS.items() if not takes_class_names(kind)}
    assert without == {"DenseRegression", "Regression"}


def test_check_class_names():
    check_class_names("a", tasks.Classification, ["cat", "dog"], "column 'b'")
    check_class_names("a", Regression, ["0", "1"], "column 'b'")
    with pytest.raises(ValueError, match=r"'a'.*\['1', '0'\] in column 'b'"):
        check_class_names("a", Regression, ["1", "0"], "column 'b'")


def test_format_size():
    assert format_size(tasks.MultiLabelClassification, 3) == "num_labels=3"
    assert format_size(BinaryClassification, 1) == "one value"


def write(folder, y):
    """Writes inputs and targets; returns the path."""
    np.savez(folder / "data.npz", x=np.zeros((len(y), 2)), y=y)
    return folder / "data.npz"


def test_npz_refuses_numbers_per_step(tmp_path):
    path = write(tmp_path, np.ones((4, 3)))
    with pytest.raises(ValueError, match=r"'y'.*cannot read a StepRegression"):
        datasets.from_npz(path, {"y": StepRegression})


def test_npz_reads_binary_masks_of_a_kind_without_a_size(tmp_path):
    masks = np.arange(16).reshape(4, 2, 2) % 2
    data = datasets.from_npz(write(tmp_path, masks), {"y": BinaryMask})
    assert type(data.tasks[0]) is BinaryMask
    assert set(data.arrays()[1]["y"].ravel().tolist()) == {0, 1}
    with pytest.raises(ValueError, match=r"found 1, 3 .* expected 0 and 1"):
        datasets.from_npz(write(tmp_path, masks * 2 + 1), {"y": BinaryMask})
