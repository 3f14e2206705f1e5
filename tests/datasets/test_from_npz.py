"""Tests arrays of npz files."""

import keras
import numpy as np
import pytest

from mtl_keras import datasets
from mtl_keras.tasks import (
    BinaryClassification,
    Classification,
    DenseRegression,
    MultiLabelClassification,
    Regression,
    Segmentation,
    SequenceTagging,
)

COUNT = 24


@pytest.fixture
def arrays():
    """Arrays whose every value tells its sample."""
    number = np.arange(COUNT)
    x = np.zeros((COUNT, 4, 5, 3), "uint8")
    x[:, 0, 0, 0] = number
    mask = np.zeros((COUNT, 4, 5), "uint8")
    mask[:, 1, 1] = 255
    return {
        "x": x,
        "mask": mask,
        "tissue": (number[:, None, None, None] + np.zeros((4, 5, 1))) % 3,
        "stage": np.array(["I", "", "II", "III"])[number % 4],
        "grade": np.where(number % 3 == 0, -1, number % 3).astype("int8"),
        "size": np.where(number % 5 == 0, np.nan, number / 2),
        "corner": np.stack([number, number / 4], axis=1),
        "found": np.stack([number % 2, number % 3 - 1], axis=1),
        "tags": (number[:, None] + np.arange(6)) % 4,
        "patient": number // 3,
    }


@pytest.fixture
def write(tmp_path, arrays):
    def write(**changes):
        changed = {**arrays, **changes}
        path = tmp_path / "arrays.npz"
        np.savez(path, **{k: v for k, v in changed.items() if v is not None})
        return path

    return write


def whole(splits):
    parts = [splits.arrays(part) for part in splits.indices]
    order = np.argsort(np.concatenate(list(splits.indices.values())))
    return keras.tree.map_structure(
        lambda *arrays: np.concatenate(arrays)[order], *parts
    )


def test_arrays_become_targets_of_inferred_kinds(write, arrays):
    names = ["mask", "tissue", "stage", "grade", "size", "corner", "found"]
    splits = datasets.from_npz(write(), tasks=names)
    x, y = whole(splits)
    assert [type(task) for task in splits.tasks] == [
        Segmentation,
        Segmentation,
        Classification,
        BinaryClassification,
        Regression,
        Regression,
        MultiLabelClassification,
    ]
    mask, tissue, stage, grade, _, corner, found = splits.tasks
    assert (mask.num_classes, tissue.num_classes) == (1, 3)
    assert stage.class_names == ("I", "II", "III")
    assert grade.class_names == ("1", "2")
    assert (corner.units, found.num_labels) == (2, 2)
    assert splits.input_shape == (4, 5, 3)
    np.testing.assert_array_equal(x, arrays["x"])
    np.testing.assert_array_equal(y["mask"][..., 0], arrays["mask"] // 255)
    np.testing.assert_array_equal(y["tissue"], arrays["tissue"])
    np.testing.assert_array_equal(y["stage"][:4], [0, -1, 1, 2])
    np.testing.assert_array_equal(y["grade"][:3], [-1, 0, 1])
    expected = arrays["size"].astype("float32")
    np.testing.assert_array_equal(y["size"], expected)
    np.testing.assert_array_equal(y["corner"], arrays["corner"])
    np.testing.assert_array_equal(y["found"], arrays["found"])
    kinds = {name: values.dtype.kind for name, values in y.items()}
    assert [kinds[name] for name in names] == ["i"] * 4 + ["f"] * 2 + ["i"]
    assert x.dtype == np.float32


def test_kinds_and_keys_may_be_given(write, arrays):
    one_hot = np.eye(4)[arrays["tags"][:, 0]]
    splits = datasets.from_npz(
        write(one_hot=one_hot),
        {
            "words": {"kind": "SequenceTagging", "columns": ["tags"]},
            "class": {"kind": "Classification", "columns": ["one_hot"]},
            "ground": {"kind": Segmentation, "columns": ["tissue"]},
            "found": MultiLabelClassification(
                "found", 2, class_names=["a", "b"]
            ),
        },
        group="patient",
    )
    words, classes, ground, found = splits.tasks
    assert isinstance(words, SequenceTagging)
    assert words.num_classes == classes.num_classes == 4
    assert ground.num_classes == 3 and found.class_names == ("a", "b")
    _, y = whole(splits)
    np.testing.assert_array_equal(y["words"], arrays["tags"])
    np.testing.assert_array_equal(y["class"], one_hot)
    parts = [set(arrays["patient"][i]) for i in splits.indices.values()]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 8
    np.testing.assert_array_equal(splits.groups, arrays["patient"])


def test_numbers_of_pixels(write, rng):
    depth = rng.normal(size=(COUNT, 4, 4)).astype("float64")
    depth[0], depth[1, 0, 0] = np.nan, np.nan
    normal = rng.normal(size=(COUNT, 4, 4, 3))
    splits = datasets.from_npz(
        write(depth=depth, normal=normal),
        {"depth": "DenseRegression", "normal": DenseRegression("normal", 3)},
    )
    assert all(isinstance(task, DenseRegression) for task in splits.tasks)
    assert [task.units for task in splits.tasks] == [1, 3]
    _, y = whole(splits)
    assert y["depth"].dtype == y["normal"].dtype == np.float32
    np.testing.assert_allclose(y["depth"], depth[..., None], rtol=1e-6)
    np.testing.assert_allclose(y["normal"], normal, rtol=1e-6)


@pytest.mark.parametrize(
    ("array", "given", "message"),
    [
        (
            np.zeros((COUNT, 4)),
            "DenseRegression",
            r"shape \(24, 4\) .*\(n, height",
        ),
        (
            np.full((COUNT, 4, 4), np.nan),
            "DenseRegression",
            "no pixel has a label",
        ),
        (
            np.zeros((COUNT, 4, 4, 2)),
            DenseRegression("map", 3),
            "2 numbers per pixel .*expected units=3",
        ),
    ],
)
def test_invalid_numbers_of_pixels(write, array, given, message):
    with pytest.raises(ValueError, match=message):
        datasets.from_npz(write(map=array), {"map": given})


def test_missing_pixels_and_images_stay_missing(write, arrays):
    tissue = arrays["tissue"].copy()
    tissue[0], tissue[1, 0, 0] = np.nan, -1
    splits = datasets.from_npz(write(tissue=tissue), ["tissue"])
    _, y = whole(splits)
    expected = np.where(np.isnan(tissue), -1, tissue)
    np.testing.assert_array_equal(y["tissue"], expected)


def test_inputs_of_one_number_have_an_axis(write):
    splits = datasets.from_npz(write(), ["size"], inputs="patient")
    assert splits.input_shape == (1,)


FULL = np.zeros((COUNT, 2, 2, 2, 2))
BROKEN = np.where(np.arange(COUNT) == 3, np.inf, 1.5)


@pytest.mark.parametrize(
    ("changes", "arguments", "message"),
    [
        ({}, {"tasks": ["stag"]}, r"`tasks` names the key 'stag'.*'stage'\?"),
        ({}, {"inputs": "y"}, "`inputs` names the key 'y'"),
        ({}, {"group": "patients"}, r"`group` names.*'patient'\?"),
        ({"x": np.zeros((0, 3))}, {}, r"found an array of shape \(0, 3\)"),
        ({"x": np.float32(3)}, {}, r"found an array of shape \(\)"),
        (
            {"stage": np.arange(3)},
            {},
            r"shape \(3,\) in 'stage' and 24",
        ),
        ({"stage": np.array(["I"] * COUNT)}, {}, "all labels are 'I'"),
        ({"stage": np.array([""] * COUNT)}, {}, "no sample has a label"),
        ({"stage": np.array([None] * COUNT)}, {}, "Python objects in 'stage'"),
        ({"x": np.array(["a"] * COUNT)}, {}, "`inputs` must be numbers"),
        ({"x": BROKEN}, {}, r"found inf at index \[3\] of 'x'"),
        (
            {"size": BROKEN},
            {"tasks": ["size"]},
            "inf in index 3 of 'size'",
        ),
        ({"size": FULL}, {"tasks": ["size"]}, "kind is ambiguous"),
        ({"size": FULL}, {"tasks": {"size": "Regression"}}, "a row of numbers"),
        ({}, {"tasks": ["tags"]}, "kind is ambiguous.*'SequenceTagging'"),
        ({}, {"tasks": {"t": ["stage", "size"]}}, "several keys for 't'"),
        ({}, {"tasks": [Segmentation("tissue", 2)]}, "found 2 in .*0 to 1"),
        ({}, {"tasks": {"size": "SequenceTagging"}}, "found 0.5 in"),
        ({}, {"tasks": [Classification("found", 3)]}, "found 2 columns"),
        ({"patient": np.zeros((COUNT, 2))}, {"group": "patient"}, r"\(24, 2\)"),
    ],
)
def test_invalid_arguments(write, changes, arguments, message):
    with pytest.raises(ValueError, match=message):
        datasets.from_npz(write(**changes), **{"tasks": ["stage"], **arguments})


def test_masks_whose_values_are_not_classes(write, arrays):
    mask = arrays["mask"].copy()
    mask[:, 2, 2] = 40
    with pytest.raises(
        ValueError,
        match=r"255 beside 0, 40 in 'mask'.*missing_pixel=255.*"
        "num_classes=1",
    ):
        datasets.from_npz(write(mask=mask), ["mask"])
    mask[mask == 255] = 99
    with pytest.raises(
        ValueError, match="0, 40, 99 up to 99, which are probably"
    ):
        datasets.from_npz(write(mask=mask), ["mask"])
    empty = np.full((COUNT, 4, 5), -1)
    with pytest.raises(ValueError, match="'mask': no sample has a label"):
        datasets.from_npz(write(mask=empty), ["mask"])


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int64", "float32"])
def test_pixels_that_have_no_label(write, dtype):
    mask = np.zeros((COUNT, 4, 5), dtype)
    mask[:, 1], mask[:, 2, 2] = 1, 255
    tasks = [Segmentation("mask", 1)]
    with pytest.raises(ValueError, match=r"255 beside 0, 1 in .*missing_pixel"):
        datasets.from_npz(write(mask=mask), tasks)
    for missing_pixel in (255, {"mask": 255}):
        _, y = whole(
            datasets.from_npz(
                write(mask=mask), tasks, missing_pixel=missing_pixel
            )
        )
        expected = np.where(mask == 255, -1, mask.astype(int))[..., None]
        np.testing.assert_array_equal(y["mask"], expected)
        assert y["mask"].dtype == np.int32


@pytest.mark.parametrize(
    ("missing_pixel", "message"),
    [({"masks": 255}, "'masks'.*'mask'"), (True, "an integer"), (0.5, "0.5")],
)
def test_invalid_missing_pixels(write, missing_pixel, message):
    with pytest.raises(ValueError, match=message):
        datasets.from_npz(write(), ["mask"], missing_pixel=missing_pixel)


def test_soft_edges_are_cut_if_the_task_is_binary(write):
    mask = np.zeros((COUNT, 4, 5), "uint8")
    mask[:, 1], mask[:, 2], mask[:, 3] = 255, 200, 100
    _, y = whole(datasets.from_npz(write(mask=mask), [Segmentation("mask", 1)]))
    np.testing.assert_array_equal(y["mask"][..., 0], mask > 127)


def test_many_classes_must_be_given(write):
    mask = (np.arange(COUNT * 20) % 200).reshape(COUNT, 4, 5)
    with pytest.raises(ValueError, match="num_classes=200; or num_classes=1"):
        datasets.from_npz(write(mask=mask), ["mask"])
    splits = datasets.from_npz(write(mask=mask), [Segmentation("mask", 200)])
    _, y = whole(splits)
    np.testing.assert_array_equal(y["mask"][..., 0], mask)


@pytest.mark.parametrize(
    "dtype", ["bool", "uint8", "int8", "uint16", "float16", "int64", "float64"]
)
def test_inputs_of_any_dtype_become_float32(write, dtype):
    x = (np.arange(COUNT * 6).reshape(COUNT, 2, 3) % 100).astype(dtype)
    splits = datasets.from_npz(write(x=x), ["size"], validation=0, test=0)
    found, _ = splits.arrays()
    np.testing.assert_array_equal(found, x.astype("float32"))
    assert found.dtype == np.float32
    streamed = np.concatenate([x for x, _ in splits.train.as_numpy_iterator()])
    assert streamed.dtype == np.float32
    np.testing.assert_array_equal(
        np.sort(streamed, axis=0), np.sort(found, axis=0)
    )


@pytest.mark.parametrize("dtype", [">u2", ">i2", ">f4", ">f8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_of_another_byte_order(write, dtype, order):
    x = np.arange(COUNT * 20).reshape(COUNT, 4, 5)
    mask, number = x % 3, x[:, 0, 0] * 1.0
    path = write(
        x=np.asarray(x.astype(dtype), order=order),
        mask=np.asarray(mask.astype(dtype), order=order),
        size=number.astype(dtype),
    )
    splits = datasets.from_npz(path, ["mask", "size"], validation=0, test=0)
    found, y = splits.arrays()
    ((streamed, _),) = datasets.from_npz(
        path, ["mask"], validation=0, test=0
    ).train.take(1)
    np.testing.assert_array_equal(found, x)
    np.testing.assert_array_equal(y["mask"][..., 0], mask)
    np.testing.assert_array_equal(y["size"], number)
    assert found.dtype == streamed.numpy().dtype == np.float32
    np.testing.assert_array_equal(np.sort(streamed[:, 0, 0]), x[:, 0, 0])


def test_numbers_of_pixels_of_few_bits(write):
    depth = np.arange(COUNT * 4, dtype="uint8").reshape(COUNT, 2, 2)
    path = write(depth=depth)
    _, y = whole(datasets.from_npz(path, {"depth": "DenseRegression"}))
    assert y["depth"].dtype == np.float32
    np.testing.assert_array_equal(y["depth"][..., 0], depth)


def test_other_file_types(tmp_path):
    (tmp_path / "a.npz").write_text("no archive")
    with pytest.raises(ValueError, match=r"must name an npz file.*a\.npz"):
        datasets.from_npz(tmp_path / "a.npz", ["y"])
    with pytest.raises(FileNotFoundError, match="nothing at"):
        datasets.from_npz(tmp_path / "b.npz", ["y"])


def test_a_corrupted_npz_file_is_named(write):
    path = write()
    data = bytearray(path.read_bytes())
    at = data.index(b"stage.npy") + 300
    data[at] ^= 255
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"'stage' of '.*npz' is corrupted"):
        datasets.from_npz(path, ["stage"])


def test_an_empty_list_of_tasks_reads_only_the_inputs(tmp_path):
    path = tmp_path / "arrays.npz"
    np.savez(path, x=np.arange(10.0)[:, None])
    data = datasets.from_npz(path, [], validation=0, test=0)
    x, y = data.arrays()
    np.testing.assert_array_equal(x[:, 0], np.arange(10))
    assert y == {} and data.tasks == ()


def test_words_for_missing_labels(write):
    stage = np.array(["I", "II", "NA", "I"] * 6)
    size = np.array([1.5, -9.0, 2.5, 3.5] * 6)
    path = write(stage=stage, size=size)
    with pytest.raises(ValueError, match=r"pass missing_values=\('NA',\)"):
        datasets.from_npz(path, ["stage"])
    y = whole(
        datasets.from_npz(path, ["stage", "size"], missing_values=["NA", "-9"])
    )[1]
    np.testing.assert_array_equal(y["stage"][:4], [0, 1, -1, 0])
    np.testing.assert_array_equal(y["size"][:4], [1.5, np.nan, 2.5, 3.5])
    data = datasets.from_npz(path, ["stage"], missing_values={"stage": []})
    assert data.tasks[0].class_names == ("I", "II", "NA")
    with pytest.raises(ValueError, match=r"names the column 'stag'.*'stage'"):
        datasets.from_npz(path, ["stage"], missing_values={"stag": ["NA"]})


def test_texts_that_are_numbers_have_a_way_out(write):
    path = write(price=np.array(["1,5", "2,25", "3,75"] * 8))
    with pytest.raises(ValueError, match="Convert them to numbers before"):
        datasets.from_npz(path, ["price"])
