"""Tests folders of images, masks and labels."""

import keras
import numpy as np
import pytest
from image_folder import (
    COUNT,
    HEIGHT,
    NAMES,
    TASKS,
    TISSUE,
    WIDTH,
    image_numbers,
    nuclei,
    read,
    save,
    tissue,
    write_table,
)

from mtl_keras import datasets
from mtl_keras.datasets.reading import folder_source
from mtl_keras.tasks import Classification, Regression, Segmentation


@pytest.fixture(scope="module")
def splits(kept):
    """Returns the splits of the folder; the table names the tasks."""
    return labels_of(kept)


@pytest.fixture(scope="module")
def arrays(splits):
    """Its parts in memory."""
    return {part: splits.arrays(part) for part in splits.indices}


def check_targets(x, y):
    for sample, number in enumerate(image_numbers(x)):
        found = y["nuclei"][sample]
        expected = nuclei(number) / 255 if number % 4 else -1
        np.testing.assert_array_equal(found, expected + np.zeros_like(found))
        found = y["tissue"][sample]
        expected = tissue(number) if number % 3 else -1
        np.testing.assert_array_equal(found, expected + np.zeros_like(found))
        stain = (0, -1, 1)[number % 3] if number else -1
        assert y["stain"][sample] == stain
        count = number / 2 if number else np.nan
        np.testing.assert_equal(y["count"][sample], np.float32(count))


def labels_of(root, **arguments):
    return read(root, tasks=["stain", "count"], **arguments)


def test_everything_is_matched_by_name(splits, arrays):
    seen = []
    for part in ("train", "validation", "test"):
        x, y = arrays[part]
        check_targets(x, y)
        np.testing.assert_array_equal(image_numbers(x), splits.indices[part])
        seen += image_numbers(x).tolist()
        assert x.dtype == np.float32
        assert x.shape[1:] == splits.input_shape == (HEIGHT, WIDTH, 3)
        assert y["nuclei"].dtype == y["tissue"].dtype == np.int32
        assert y["nuclei"].shape == (len(x), HEIGHT, WIDTH, 1)
    assert sorted(seen) == list(range(COUNT))


def test_streams_hold_the_same_samples_in_another_order(splits):
    assert splits.train.cardinality() == 1
    orders = []
    for _ in range(2):
        for x, y in splits.train.as_numpy_iterator():
            check_targets(x, y)
            orders.append(image_numbers(x))
    assert not np.array_equal(*orders)
    np.testing.assert_array_equal(np.sort(orders[0]), np.sort(orders[1]))


def test_the_seed_determines_the_order(kept):
    first, again, other = (
        image_numbers(
            next(read(kept, masks=None, seed=seed).train.as_numpy_iterator())[0]
        )
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(again, first)
    assert not np.array_equal(other, first)


def test_tasks_are_inferred_from_all_masks_and_columns(root, splits):
    nuclei, tissue, stain, count = splits.tasks
    assert isinstance(nuclei, Segmentation) and nuclei.num_classes == 1
    assert isinstance(tissue, Segmentation) and tissue.num_classes == 3
    assert stain.class_names == ("blue", "red")
    assert isinstance(count, Regression)
    write_table(root, range(COUNT))
    every = read(root, group="patient").tasks
    names = ["nuclei", "tissue", "stain", "count"]
    assert [task.name for task in every] == names


@pytest.mark.slow
def test_tasks_may_be_given(kept):
    tasks = [
        Segmentation("tissue", 4, class_names=list("abcd")),
        Classification("stain", 2, loss_weight=0.5),
    ]
    nuclei, tissue, stain = read(kept, tasks=tasks).tasks
    assert nuclei.name == "nuclei"
    assert tissue is tasks[0]
    assert stain.loss_weight == 0.5 and stain.class_names == ("blue", "red")
    table = {"tissue": {"kind": "Segmentation", "loss_weight": 2.0}}
    tissue = read(
        kept, masks=TISSUE, tasks={**table, "count": "Regression"}
    ).tasks[0]
    assert (tissue.num_classes, tissue.loss_weight) == (3, 2.0)


def test_only_masks_and_only_labels(kept):
    masks = {"nuclei": "masks/nuclei"}
    alone = datasets.from_folder(kept, masks=masks)
    assert [task.name for task in alone.tasks] == ["nuclei"]
    alone = datasets.from_folder(kept, ["stain"], labels="labels.csv")
    assert list(alone.arrays()[1]) == ["stain"]


def test_groups_stay_in_one_part(root):
    write_table(root, range(COUNT))
    for seed in range(3):
        # Masks take no part in it, and reading them takes longer.
        splits = read(root, group="patient", seed=seed, masks=None)
        np.testing.assert_array_equal(splits.groups, np.arange(COUNT) // 3)
        parts = splits.indices.values()
        groups = [set((indices // 3).tolist()) for indices in parts]
        assert sum(map(len, groups)) == len(set.union(*groups)) == 4


def test_resizing_never_mixes_labels(kept):
    splits = read(kept, image_size=(9, 5), tasks=TASKS, validation=0, test=0)
    x, y = splits.arrays()
    assert splits.input_shape == x.shape[1:] == (9, 5, 3)
    assert set(np.unique(y["nuclei"])) == {-1, 0, 1}
    assert set(np.unique(y["tissue"])) <= {-1, 0, 1, 2}
    np.testing.assert_array_equal(image_numbers(x), range(COUNT))


@pytest.mark.parametrize(
    ("mode", "channels"),
    [
        ("grayscale", 1),
        # The default, which the other tests read.
        pytest.param("rgb", 3, marks=pytest.mark.slow),
        ("rgba", 4),
    ],
)
def test_colors(kept, mode, channels):
    splits = read(kept, color_mode=mode, tasks=TASKS, validation=0, test=0)
    assert splits.input_shape == (HEIGHT, WIDTH, channels)
    x, y = splits.arrays()
    check_targets(x, y)


def test_jpeg_images_of_several_sizes(root):
    save(root / "images" / "cell20.JPG", np.full((20, 30, 3), 200))
    with pytest.raises(ValueError, match=r"6x8 pix.*20x30 pix.*cell20\.JPG'"):
        read(root, tasks=TASKS)
    x, _ = read(
        root, image_size=(4, 4), masks=None, validation=0, test=0
    ).arrays()
    np.testing.assert_allclose(x[-1], 200, atol=3)


def test_masks_of_0_and_1_and_pixels_without_a_label(root):
    for name in NAMES[:2]:
        mask = np.zeros((HEIGHT, WIDTH, 1))
        mask[0], mask[1] = 1, 255
        save(root / "more" / f"{name}.png", mask)
    masks = {"more": "more"}
    splits = datasets.from_folder(
        root, masks=masks, missing_pixel=255, validation=0, test=0
    )
    assert splits.tasks[0].num_classes == 1
    found = splits.arrays()[1]["more"]
    assert (found[:2, 0] == 1).all() and (found[:2, 1] == -1).all()
    assert (found[:2, 2:] == 0).all() and (found[2:] == -1).all()


def test_grey_masks_saved_in_colour_are_read(root):
    for number, name in enumerate(NAMES):
        grey = np.repeat(nuclei(number), 3, axis=-1)
        save(root / "grey" / f"{name}.png", grey)
    splits = datasets.from_folder(
        root, masks={"grey": "grey"}, validation=0, test=0
    )
    x, y = splits.arrays()
    expected = [nuclei(number) / 255 for number in image_numbers(x)]
    np.testing.assert_array_equal(y["grey"], expected)


def test_jpeg_masks_are_only_for_two_classes(root):
    jpeg = root / "masks" / "tissue" / "cell01.jpg"
    save(jpeg, tissue(1))
    jpeg.with_suffix(".png").unlink()
    with pytest.raises(ValueError, match=r"found jpeg, .*cell01\.jpg"):
        read(root, tasks=[Segmentation("tissue", 3), "stain"])
    half = np.zeros((16, 16, 1))
    half[:, :8] = 255
    for number in range(4):
        save(root / "second" / "images" / f"{number}.png", half)
        save(root / "second" / "masks" / f"{number}.jpg", half)
    splits = datasets.from_folder(
        root / "second", [Segmentation("masks", 1)], masks={"masks": "masks"}
    )
    x, y = splits.arrays()
    np.testing.assert_array_equal(y["masks"], x[..., :1] / 255)


def test_describe_reads_masks_but_no_images(splits, monkeypatch):
    monkeypatch.setattr(
        folder_source, "read_image", lambda *_: pytest.fail("an image")
    )
    tasks = datasets.describe(splits).tasks
    assert tasks["nuclei"].labelled == 9
    assert tasks["nuclei"].elements == COUNT * HEIGHT * WIDTH
    assert tasks["nuclei"].class_counts["1"] == sum(
        number for number in range(COUNT) if number % 4
    )
    assert tasks["stain"].labelled == 7


def test_a_part_is_read_once_into_memory(arrays):
    x, y = arrays["test"]
    assert keras.tree.map_structure(len, y) == dict.fromkeys(y, len(x))
