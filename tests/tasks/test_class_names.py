"""Class names of tasks."""

import keras
import pytest

from mtl_keras.tasks import (
    BinaryClassification,
    Classification,
    MultiLabelClassification,
    Segmentation,
    SequenceTagging,
)

NAMED = {
    "classification": Classification("t", 2, class_names=["a", "b"]),
    "binary": BinaryClassification("t", class_names=("no", "yes")),
    "labels": MultiLabelClassification("t", 3, class_names=["x", "y", "z"]),
    "binary_mask": Segmentation("t", 1, class_names=["ground", "cell"]),
    "mask": Segmentation("t", 3, class_names=["a", "b", "c"]),
    "tags": SequenceTagging("t", 2, class_names=["in", "out"]),
}


@pytest.mark.parametrize("task", NAMED.values(), ids=NAMED)
def test_names_become_a_tuple_and_are_saved(task):
    assert isinstance(task.class_names, tuple)
    config = keras.saving.serialize_keras_object(task)
    again = keras.saving.deserialize_keras_object(config)
    assert again.class_names == task.class_names


def test_class_names_are_optional():
    assert Classification("t", 2).class_names is None


@pytest.mark.parametrize(
    ("names", "error", "message"),
    [
        ("ab", TypeError, r"'t'.*class_names='ab'; expected a list of 2"),
        (3, TypeError, r"class_names=3; expected a list of 2 strings"),
        (["a", 1], TypeError, r"holds 1 of type int; expected strings"),
        (["a"], ValueError, r"found 1 class_names \['a'\]; expected 2"),
        (["a", "a"], ValueError, r"holds 'a' twice"),
    ],
)
def test_invalid_names(names, error, message):
    with pytest.raises(error, match=message):
        Classification("t", 2, class_names=names)


@pytest.mark.parametrize(
    ("make", "count"),
    [
        (lambda names: BinaryClassification("t", class_names=names), 2),
        (lambda names: Segmentation("t", 1, class_names=names), 2),
        (lambda names: Segmentation("t", 4, class_names=names), 4),
        (lambda names: SequenceTagging("t", 5, class_names=names), 5),
        (lambda names: MultiLabelClassification("t", 3, class_names=names), 3),
    ],
)
def test_the_number_of_names_of_every_kind(make, count):
    with pytest.raises(ValueError, match=f"expected {count}, that of class 0"):
        make(["alone"])
