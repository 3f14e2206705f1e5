"""Tests that tasks with the same name must agree in all data sets."""

import numpy as np
import pytest

from mtl_keras.datasets import concatenate, from_csv, mix
from mtl_keras.datasets.mixing.same_tasks import check_same_tasks
from mtl_keras.tasks import (
    BinaryClassification,
    Classification,
    MultiLabelClassification,
    Regression,
)


def stage(*names, name="stage"):
    """Returns a class task of these names."""
    return Classification(name, len(names), class_names=names)


X = np.zeros((4, 2), "float32")
PAIR = (X, {"stage": np.zeros(4, int)})


@pytest.mark.parametrize("join", [mix, concatenate])
@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (
            stage("low", "mid"),
            stage("mid", "top"),
            r"'stage' has the class names \['low', 'mid'\] in data set 'a' and "
            r"\['mid', 'top'\] in 'b': class 0 is 'low' .* 'mid' .*like=data",
        ),
        (
            stage("low", "mid"),
            stage("mid", "low"),
            r"\['low', 'mid'\] .*\['mid', 'low'\] .*same in another order: "
            r"class 0 is 'low' in the first and 'mid' in the second\. ",
        ),
        (
            stage("low", "mid"),
            stage("low", "mid", "top"),
            r"\['low', 'mid', 'top'\] in 'b'\. Read both",
        ),
        (Classification("stage", 3), Classification("stage", 4), "num_classes"),
        (Classification("stage", 2), BinaryClassification("stage"), "kind="),
        (Regression("stage"), Classification("stage", 2), "kind="),
    ],
)
def test_differences_are_named(join, first, second, message):
    with pytest.raises(ValueError, match=message):
        join({"a": PAIR, "b": PAIR}, tasks={"a": [first], "b": [second]})


def test_the_first_names_are_compared_with_all_others():
    plain = Classification("stage", 2)
    check_same_tasks({"a": [plain], "b": [stage("I", "II")], "c": [plain]})
    check_same_tasks(
        {"a": [stage("I", "II")], "b": [stage("I", "II", name="t")]}
    )
    with pytest.raises(ValueError, match=r"in data set 'b' and .* in 'd'"):
        check_same_tasks(
            {
                "a": [plain],
                "b": [stage("I", "II")],
                "c": [plain],
                "d": [stage("II", "I")],
            }
        )
    with pytest.raises(ValueError, match=r"num_labels=2 .* num_labels=3"):
        check_same_tasks(
            {
                "a": [MultiLabelClassification("t", 2)],
                "b": [MultiLabelClassification("t", 3)],
            }
        )


def test_long_lists_are_shortened():
    names = [f"class_{number}" for number in range(1000)]
    with pytest.raises(ValueError, match="980 more") as error:
        check_same_tasks({"a": [stage(*names)], "b": [stage(*names[::-1])]})
    assert len(str(error.value)) < 1500


def test_unknown_data_sets_and_tasks():
    with pytest.raises(ValueError, match=r"data set 'c', .* Known: 'a', 'b'"):
        mix({"a": PAIR, "b": PAIR}, tasks={"c": [stage("I", "II")]})
    with pytest.raises(ValueError, match=r"'stag' of data set 'a'.*'stage'\?"):
        mix({"a": PAIR}, tasks={"a": [stage("I", "II", name="stag")]})


def splits(folder, name, stages, columns="x,z"):
    """Returns a csv file as data."""
    rows = [f"{n},{n % 5},{stages[n % 2]}" for n in range(20)]
    (folder / name).write_text("\n".join([f"{columns},stage", *rows]))
    return from_csv(
        folder / name,
        {"stage": {"kind": "Classification"}},
        validation=0.2,
        test=0,
    )


def test_classes_and_columns_of_splits_are_compared(tmp_path):
    low = splits(tmp_path, "a.csv", ["low", "mid"])
    same = splits(tmp_path, "b.csv", ["mid", "low"])
    high = splits(tmp_path, "c.csv", ["mid", "top"])
    turned = splits(tmp_path, "d.csv", ["low", "mid"], columns="y,z")
    sets = {"a": low, "b": same}
    x, y = next(iter(mix(sets, "proportional", batch_size=16, shuffle=False)))
    np.testing.assert_array_equal(x, low.arrays()[0])
    np.testing.assert_array_equal(y["stage"], low.arrays()[1]["stage"])
    x, y = concatenate(sets, part="validation")
    assert len(x) == len(y["stage"]) == 8
    with pytest.raises(
        ValueError, match=r"\['low', 'mid'\] .*\['mid', 'top'\]"
    ):
        mix({"a": low, "c": high})
    with pytest.raises(ValueError, match=r"'a' and 'd' .* column 0 is 'x'"):
        mix({"a": low, "d": turned})
    with pytest.raises(ValueError, match="`part` must name a part"):
        concatenate(sets, part="test")
