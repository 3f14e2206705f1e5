"""Tests layouts of folders: suffixes, sub-folders and class folders."""

import os

import numpy as np
import pytest
from image_folder import save, whole

from mtl_keras import datasets
from mtl_keras.tasks import (
    BinaryClassification,
    Classification,
    Regression,
    Segmentation,
)

SIZE = (4, 6)


def image(number):
    return np.full((*SIZE, 3), number * 10)


def mask(number):
    pixels = np.zeros(SIZE)
    pixels.flat[: number + 1] = 255
    return pixels


def write(root, images, masks=()):
    """Images whose brightness, and masks whose pixels, tell their numbers."""
    for number, path in enumerate(images):
        save(root / path, image(number))
    for number, path in enumerate(masks):
        if path is not None:
            save(root / path, mask(number))
    return root


def check(x, y, task="m"):
    numbers = np.rint(x[:, 0, 0, 0] / 10).astype(int)
    expected = np.stack([mask(number) for number in numbers]) / 255
    np.testing.assert_array_equal(y[task][..., 0], expected)
    return numbers.tolist()


NAMES = ["a", "b", "c_1"]


@pytest.mark.parametrize(
    ("images", "masks", "arguments"),
    [
        ("images", "images", {"masks": {"m": "images"}}),
        ("images", "images", {"mask_suffix": {"m": "_mask"}}),
        ("images", "masks", {"masks": {"m": "masks"}}),
        (".", ".", {"masks": {"m": "."}, "images": "."}),
        (".", "masks", {"masks": {"m": "masks"}, "images": "."}),
        ("images", ".", {"masks": {"m": "."}}),
        (
            "images",
            "images",
            {"masks": {"m": "images"}, "mask_suffix": "_mask.png"},
        ),
    ],
)
def test_masks_with_a_suffix(tmp_path, images, masks, arguments):
    write(
        tmp_path,
        [f"{images}/{name}.jpg" for name in NAMES],
        [f"{masks}/{name}_mask.png" for name in NAMES],
    )
    _, x, y = whole(tmp_path, **{"mask_suffix": "_mask", **arguments})
    assert sorted(check(x, y)) == [0, 1, 2]


@pytest.mark.parametrize("suffix", [{"m": ".png"}, {"m": ".PNG"}])
def test_masks_with_another_file_type(tmp_path, suffix):
    images = [f"images/{name}.jpg" for name in NAMES]
    write(tmp_path, images, [f"images/{name}.png" for name in NAMES])
    with pytest.raises(
        ValueError, match=r"'a\.jpg' and 'a\.png' .*mask_suffix=.*'\.png'"
    ):
        datasets.from_folder(tmp_path)
    _, x, y = whole(tmp_path, mask_suffix=suffix)
    assert sorted(check(x, y)) == [0, 1, 2]


def test_suffixes_of_several_tasks(tmp_path):
    write(
        tmp_path,
        ["images/a.png", "images/b.png"],
        ["images/a_mask.png", "images/b_mask.png"],
    )
    save(tmp_path / "images" / "a_big_mask.png", 255 - mask(1))
    suffixes = {"m": "_mask", "big": "_big_mask"}
    splits, x, y = whole(tmp_path, mask_suffix=suffixes)
    assert [task.name for task in splits.tasks] == ["m", "big"]
    assert check(x, y) == [0, 1]
    expected = np.stack([mask(1) == 0, np.full(SIZE, -1)])
    np.testing.assert_array_equal(y["big"][..., 0], expected)


@pytest.mark.parametrize(
    ("masks", "arguments", "message"),
    [
        (["images/a_mask.png"], {}, "folder of the images.*Pass the suffix"),
        (["masks/a.png"], {"masks": {"m": "masks"}}, "does not end with"),
        (["images/a_msk.png"], {}, "no file name in .*images' ends with it"),
        (["images/x_mask.png"], {}, r"x_mask\.png' has no image"),
        (
            ["images/a_mask.png", "images/a_mask_1.png"],
            {},
            r"a_mask_1\.png', .* a second mask of 'a\.png'",
        ),
        ([], {"masks": None}, r"no task has masks.*mask_suffix=\{'a_task'"),
        (["images/a_mask.png"], {"mask_suffix": 3}, "`mask_suffix` must be"),
        (["images/a_mask.png"], {"mask_suffix": {"m": 3}}, "`mask_suffix`"),
    ],
)
def test_invalid_suffixes(tmp_path, masks, arguments, message):
    write(tmp_path, ["images/a.png", "images/b.png"], masks)
    arguments = {
        "masks": {"m": "images"},
        "mask_suffix": None if "Pass" in message else "_mask",
        **arguments,
    }
    with pytest.raises((ValueError, TypeError), match=message):
        datasets.from_folder(tmp_path, **arguments)


def test_the_error_for_a_mask_suggests_a_suffix(tmp_path):
    write(tmp_path, ["images/a.png"], ["masks/a_mask.png"])
    with pytest.raises(ValueError, match=r"has no image.*`mask_suffix`"):
        datasets.from_folder(tmp_path, masks={"m": "masks"})


def test_sub_folders_need_the_argument(tmp_path):
    inner = ["north/1", "south/deep/1", "2"]
    write(
        tmp_path,
        [f"images/{name}.png" for name in inner],
        [f"masks/{name}.png" for name in inner],
    )
    (tmp_path / "labels.csv").write_text(
        "image,y\nnorth/1,1\nsouth\\deep\\1.png,2.5\n./2.png,3\n"
    )
    with pytest.raises(
        ValueError,
        match=r"'north' contains .*'1\.png'.*subfolders=True.*class_",
    ):
        datasets.from_folder(tmp_path, masks={"m": "masks"})
    arguments = {"masks": {"m": "masks"}, "labels": "labels.csv"}
    _, x, y = whole(tmp_path, {"y": "Regression"}, subfolders=True, **arguments)
    # In the order of the names: 2, north/1, south/deep/1.
    assert check(x, y) == [2, 0, 1]
    assert y["y"].tolist() == [3, 1, 2.5]


def test_sub_folders_of_masks_need_the_argument(tmp_path):
    write(tmp_path, ["images/a.png"], ["masks/a.png"])
    save(tmp_path / "masks" / "more" / "a.png", mask(0))
    with pytest.raises(ValueError, match=r"`masks` .*'more'") as error:
        datasets.from_folder(tmp_path, masks={"m": "masks"})
    assert "class_folders" not in str(error.value)
    _, x, y = whole(tmp_path, masks={"n": "masks/more", "m": "masks"})
    assert check(x, y) == check(x, y, "n") == [0]


def test_sub_folders_without_images_are_ignored(tmp_path):
    write(tmp_path, ["images/a.png", "images/.cache/a.png"])
    (tmp_path / "images" / "notes").mkdir()
    (tmp_path / "images" / "notes" / "a.txt").write_text("taken in May")
    write(tmp_path, [], ["masks/a.png", "masks/__MACOSX/a.png"])
    _, x, _ = whole(tmp_path, masks={"m": "masks"})
    assert len(x) == 1


def test_sub_folders_that_are_links(tmp_path):
    write(tmp_path, ["images/a.png", "elsewhere/b.png"], ["masks/a.png"])
    os.symlink(tmp_path / "elsewhere", tmp_path / "images" / "link")
    os.symlink(tmp_path / "images", tmp_path / "images" / "loop")
    with pytest.raises(ValueError, match="'link'"):
        datasets.from_folder(tmp_path, masks={"m": "masks"})
    _, x, y = whole(tmp_path, masks={"m": "masks"}, subfolders=True)
    assert len(x) == 2 and (y["m"][1] == -1).all()


def test_folders_are_classes(tmp_path):
    folders = ["cat", "dog", "cat", "ape"]
    names = [f"images/{f}/{n}.png" for n, f in enumerate(folders)]
    write(tmp_path, names)
    splits, x, y = whole(tmp_path, class_folders="kind")
    (task,) = splits.tasks
    assert isinstance(task, Classification) and task.name == "kind"
    assert task.class_names == ("ape", "cat", "dog")
    numbers = np.rint(x[:, 0, 0, 0] / 10).astype(int)
    found = [splits.tasks[0].class_names[code] for code in y["kind"]]
    assert found == [folders[number] for number in numbers]
    named = Classification("kind", 3, class_names=["dog", "cat", "ape"])
    splits, _, encoded = whole(tmp_path, [named], class_folders="kind")
    assert splits.tasks[0] is named
    np.testing.assert_array_equal(encoded["kind"], 2 - y["kind"])


def test_folders_of_classes_with_masks_and_labels(tmp_path):
    names = ["benign/1", "benign/2", "malignant/1"]
    write(
        tmp_path,
        [f"scans/{name}.png" for name in names],
        [f"scans/{name}_mask.png" for name in names],
    )
    (tmp_path / "t.csv").write_text("id,size\nmalignant/1,7.5\nbenign/2,1\n")
    splits, x, y = whole(
        tmp_path,
        {"size": "Regression"},
        images="scans",
        mask_suffix={"m": "_mask"},
        class_folders="kind",
        labels="t.csv",
    )
    kinds = [type(task) for task in splits.tasks]
    assert kinds == [Segmentation, BinaryClassification, Regression]
    assert splits.tasks[1].class_names == ("benign", "malignant")
    assert check(x, y) == [0, 1, 2]
    assert y["kind"].tolist() == [0, 0, 1]
    np.testing.assert_array_equal(y["size"], [np.nan, 1, 7.5])


@pytest.mark.parametrize(
    ("folders", "names"),
    [
        (["10", "2", "0"], ("0", "2", "10")),
        (["01", "1", "2"], ("01", "1", "2")),
    ],
)
def test_class_folders_of_different_numbers(tmp_path, folders, names):
    write(tmp_path, [f"images/{folder}/x.png" for folder in folders])
    splits, x, y = whole(tmp_path, class_folders="kind")
    assert splits.tasks[0].class_names == names
    numbers = np.rint(x[:, 0, 0, 0] / 10).astype(int)
    found = [names[code] for code in y["kind"]]
    assert found == [folders[number] for number in numbers]


@pytest.mark.parametrize(
    ("names", "arguments", "message"),
    [
        (["a/1", "2"], {}, r"2\.png' is not in the folder of a class"),
        (["a/1", "a/2"], {}, "all images are in the folder 'a'"),
        (["a/1", "b/c/2"], {}, r"sub-folder of the class 'b'.*subfolders=True"),
        (
            ["a/1", "b/2"],
            {"tasks": [Classification("kind", 3)]},
            "found 2 folders of classes, expected 3",
        ),
        (
            ["a/1", "b/2"],
            {"tasks": [BinaryClassification("kind", class_names=["a", "c"])]},
            "folder 'b', which is not among its class_names",
        ),
        (["a/1", "b/2"], {"tasks": {"kind": "Regression"}}, "found Regression"),
        (["a/1", "b/2"], {"class_folders": True}, "`class_folders` must be"),
    ],
)
def test_invalid_class_folders(tmp_path, names, arguments, message):
    write(tmp_path, [f"images/{name}.png" for name in names])
    arguments = {"class_folders": "kind", **arguments}
    with pytest.raises((ValueError, TypeError), match=message):
        datasets.from_folder(tmp_path, **arguments)


def test_class_folders_with_sub_folders(tmp_path):
    write(tmp_path, ["images/a/1.png", "images/b/c/2.png"])
    _, _, y = whole(tmp_path, class_folders="kind", subfolders=True)
    assert y["kind"].tolist() == [0, 1]


def test_a_task_of_masks_and_of_a_column(tmp_path):
    write(tmp_path, ["images/a.png", "images/b.png"], ["masks/a.png"])
    (tmp_path / "labels.csv").write_text("image,m\na,1.5\nb,2\n")
    with pytest.raises(ValueError, match="'m' has labels from two sources"):
        datasets.from_folder(
            tmp_path, masks={"m": "masks"}, labels="labels.csv"
        )


@pytest.mark.parametrize("given", [False, True])
def test_tasks_of_any_name(tmp_path, given):
    """A name that no layer can have is replaced by one that it can."""
    names = ["\u76ae\u80a4 %", "Fl\u00e4che (m\u00b2)"]
    write(
        tmp_path,
        ["images/\u732b/a.png", "images/dog/b.png"],
        ["masks/\u732b/a.png", "masks/dog/b.png"],
    )
    tasks = {names[0]: "Segmentation", names[1]: "BinaryClassification"}
    splits, x, y = whole(
        tmp_path,
        tasks if given else None,
        masks={names[0]: "masks"},
        class_folders=names[1],
    )
    mask, kind = (task.name for task in splits.tasks)
    assert list(y) == [mask, kind]
    assert sorted(check(x, y, mask)) == [0, 1]
    assert splits.tasks[1].class_names == ("dog", "\u732b")
