"""Folders of images, masks and labels: what belongs together stays so."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtl_keras import datasets
from mtl_keras.tasks import Classification, Regression, Segmentation

COUNT, HEIGHT, WIDTH = 12, 6, 8
NAMES = [f"cell{number:02}" for number in range(COUNT)]


def save(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    encode = tf.io.encode_png if path.suffix == ".png" else tf.io.encode_jpeg
    tf.io.write_file(str(path), encode(np.asarray(pixels, "uint8")))


def image(number):
    """An image whose brightness tells its number."""
    return np.full((HEIGHT, WIDTH, 3), number * 10)


def nuclei(number):
    """A mask of 0 and 255 with as many pixels as its number."""
    mask = np.zeros(HEIGHT * WIDTH)
    mask[:number] = 255
    return mask.reshape(HEIGHT, WIDTH, 1)


def tissue(number):
    """A mask of three classes; one column tells the number."""
    mask = np.tile(np.arange(WIDTH) % 3, (HEIGHT, 1))
    mask[:, 0] = number % 3
    return mask[..., None]


@pytest.fixture
def root(tmp_path):
    """Images with two folders of masks and a table, both with holes."""
    for number, name in enumerate(NAMES):
        save(tmp_path / "images" / f"{name}.png", image(number))
        if number % 4:
            save(tmp_path / "masks" / "nuclei" / f"{name}.png", nuclei(number))
        if number % 3:
            save(tmp_path / "masks" / "tissue" / f"{name}.png", tissue(number))
    (tmp_path / "images" / "notes.txt").write_text("taken in May")
    write_table(tmp_path, range(1, COUNT))
    return tmp_path


def write_table(root, numbers):
    lines = ["image,stain,count,patient"]
    for number in numbers:
        # Both ways to name an image.
        name = NAMES[number] + (".png" if number % 2 else "")
        stain = ("blue", "", "red")[number % 3]
        lines.append(f"{name},{stain},{number / 2},p{number // 3}")
    (root / "labels.csv").write_text("\n".join(lines))


def read(root, **arguments):
    masks = {"nuclei": "masks/nuclei", "tissue": "masks/tissue"}
    arguments = {"masks": masks, "labels": "labels.csv", **arguments}
    return datasets.from_folder(root, **arguments)


def numbers_of(x):
    return np.rint(x[:, 0, 0, 0] / 10).astype(int)


def check_targets(x, y):
    for sample, number in enumerate(numbers_of(x)):
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


def labels_of(root):
    return read(root, tasks=["stain", "count"])


def test_everything_is_matched_by_name(root):
    splits = labels_of(root)
    seen = []
    for part in ("train", "validation", "test"):
        x, y = splits.arrays(part)
        check_targets(x, y)
        np.testing.assert_array_equal(numbers_of(x), splits.indices[part])
        seen += numbers_of(x).tolist()
        assert x.dtype == np.float32
        assert x.shape[1:] == splits.input_shape == (HEIGHT, WIDTH, 3)
        assert y["nuclei"].dtype == y["tissue"].dtype == np.int32
        assert y["nuclei"].shape == (len(x), HEIGHT, WIDTH, 1)
    assert sorted(seen) == list(range(COUNT))


def test_streams_hold_the_same_samples_in_another_order(root):
    splits = labels_of(root)
    assert splits.train.cardinality() == 1
    orders = []
    for _ in range(2):
        for x, y in splits.train.as_numpy_iterator():
            check_targets(x, y)
            orders.append(numbers_of(x))
    assert not np.array_equal(*orders)
    np.testing.assert_array_equal(np.sort(orders[0]), np.sort(orders[1]))
    again = labels_of(root).train.as_numpy_iterator().next()[0]
    np.testing.assert_array_equal(numbers_of(again), orders[0])


def test_tasks_are_inferred_from_all_masks_and_columns(root):
    nuclei, tissue, stain, count = labels_of(root).tasks
    assert isinstance(nuclei, Segmentation) and nuclei.num_classes == 1
    assert isinstance(tissue, Segmentation) and tissue.num_classes == 3
    assert stain.class_names == ("blue", "red")
    assert isinstance(count, Regression)
    write_table(root, range(COUNT))
    every = read(root, group="patient").tasks
    names = ["nuclei", "tissue", "stain", "count"]
    assert [task.name for task in every] == names


def test_tasks_may_be_said(root):
    tasks = [
        Segmentation("tissue", 4, class_names=list("abcd")),
        Classification("stain", 2, loss_weight=0.5),
    ]
    nuclei, tissue, stain = read(root, tasks=tasks).tasks
    assert nuclei.name == "nuclei"
    assert tissue is tasks[0]
    assert stain.loss_weight == 0.5 and stain.class_names == ("blue", "red")
    table = {"tissue": {"kind": "Segmentation", "loss_weight": 2.0}}
    tissue = read(root, tasks={**table, "count": "Regression"}).tasks[1]
    assert (tissue.num_classes, tissue.loss_weight) == (3, 2.0)


def test_masks_alone_and_labels_alone(root):
    masks = {"nuclei": "masks/nuclei"}
    alone = datasets.from_folder(root, masks=masks)
    assert [task.name for task in alone.tasks] == ["nuclei"]
    alone = datasets.from_folder(root, ["stain"], labels="labels.csv")
    assert list(alone.arrays()[1]) == ["stain"]


def test_groups_stay_in_one_part(root):
    write_table(root, range(COUNT))
    for seed in range(3):
        parts = read(root, group="patient", seed=seed).indices.values()
        groups = [set((indices // 3).tolist()) for indices in parts]
        assert sum(map(len, groups)) == len(set.union(*groups)) == 4


def test_resizing_never_mixes_labels(root):
    splits = read(root, image_size=(9, 5), validation=0, test=0)
    x, y = splits.arrays()
    assert splits.input_shape == x.shape[1:] == (9, 5, 3)
    assert set(np.unique(y["nuclei"])) == {-1, 0, 1}
    assert set(np.unique(y["tissue"])) <= {-1, 0, 1, 2}
    np.testing.assert_array_equal(numbers_of(x), range(COUNT))


@pytest.mark.parametrize(
    ("mode", "channels"), [("grayscale", 1), ("rgb", 3), ("rgba", 4)]
)
def test_colors(root, mode, channels):
    splits = read(root, color_mode=mode)
    assert splits.input_shape == (HEIGHT, WIDTH, channels)
    x, y = splits.arrays()
    check_targets(x, y)


def test_jpeg_images_of_several_sizes(root):
    save(root / "images" / "cell20.JPG", np.full((20, 30, 3), 200))
    with pytest.raises(ValueError, match=r"6x8 pix.*20x30 in '.*cell20\.JPG'"):
        read(root)
    x, _ = read(root, image_size=(4, 4), validation=0, test=0).arrays()
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


def test_grey_masks_that_are_saved_in_colour_are_read(root):
    for number, name in enumerate(NAMES):
        grey = np.repeat(nuclei(number), 3, axis=-1)
        save(root / "grey" / f"{name}.png", grey)
    splits = datasets.from_folder(root, masks={"grey": "grey"})
    x, y = splits.arrays()
    expected = [nuclei(number) / 255 for number in numbers_of(x)]
    np.testing.assert_array_equal(y["grey"], expected)


def test_a_mask_or_line_without_an_image_is_named(root):
    save(root / "masks" / "nuclei" / "cell99.png", nuclei(3))
    with pytest.raises(ValueError, match=r"'nuclei'.*cell99\.png.*no image"):
        read(root)
    (root / "masks" / "nuclei" / "cell99.png").unlink()
    with (root / "labels.csv").open("a") as file:
        file.write("\ncell98,red,1,p0")
    with pytest.raises(ValueError, match=r"names 'cell98' in line 13"):
        read(root)


def test_a_line_that_comes_twice_is_named(root):
    write_table(root, [*range(COUNT), 4])
    with pytest.raises(ValueError, match="'cell04' a second time in line 14"):
        read(root)


def test_a_mask_of_another_size_is_named(root):
    save(root / "masks" / "tissue" / "cell01.png", np.zeros((5, 5, 1)))
    with pytest.raises(ValueError, match=r"cell01\.png' has 5x5 .* image 6x8"):
        read(root, image_size=(4, 4))


def test_masks_that_hold_no_classes_are_named(root):
    colours = np.zeros((HEIGHT, WIDTH, 3))
    colours[..., 1] = 9
    save(root / "masks" / "tissue" / "cell01.png", colours)
    with pytest.raises(ValueError, match=r"cell01\.png' cannot be read.*colo"):
        read(root)
    far = np.zeros((HEIGHT, WIDTH, 1))
    far[0] = 99
    save(root / "masks" / "tissue" / "cell01.png", far)
    with pytest.raises(ValueError, match=r"'tissue': its masks: found.*99"):
        read(root)
    splits = read(root, tasks=[Segmentation("tissue", 3), "stain"])
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"cell01\.png"):
        [splits.arrays(part) for part in splits.indices]


def png(pixels_bits, colour_type, depth):
    """A png file of its header alone, which is all that is looked at."""
    return (
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
        + WIDTH.to_bytes(4, "big")
        + HEIGHT.to_bytes(4, "big")
        + bytes([depth, colour_type])
        + pixels_bits
    )


@pytest.mark.parametrize(
    ("colour_type", "depth", "message"),
    [(3, 8, "a palette"), (0, 16, "16 bits"), (0, 2, "2 bits")],
)
def test_masks_whose_values_would_be_lost(root, colour_type, depth, message):
    mask = root / "masks" / "tissue" / "cell01.png"
    mask.write_bytes(png(b"", colour_type, depth))
    with pytest.raises(ValueError, match=rf"found {message}.*cell01\.png"):
        read(root, tasks=[Segmentation("tissue", 3), "stain"])


def test_jpeg_masks_are_for_two_classes_alone(root):
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


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"images": "image"}, FileNotFoundError, "`images` must name a folder"),
        ({"masks": {"nuclei": "m"}}, FileNotFoundError, "`masks` must name"),
        ({"masks": ["nuclei"]}, TypeError, "`masks` must be a dict"),
        ({"labels": "no.csv"}, FileNotFoundError, r"no\.csv"),
        ({"masks": None, "labels": None}, ValueError, "nothing to predict"),
        ({"labels": None, "group": "patient"}, ValueError, "there is no table"),
        ({"labels": None, "tasks": ["stain"]}, ValueError, "no labels: pass"),
        ({"tasks": ["stan"]}, ValueError, r"mean 'stain'\?"),
        ({"tasks": {"nuclei": "Regression"}}, ValueError, "for a Segmentation"),
        ({"group": "patients"}, ValueError, r"mean 'patient'\?"),
        ({"group": "patient"}, ValueError, "has no line for 'cell00'"),
        ({"color_mode": "grey"}, ValueError, "'grayscale'"),
        ({"image_size": (0, 4)}, ValueError, "`image_size` must be"),
        ({"image_size": (4,)}, ValueError, "`image_size` must be"),
        ({"test": 0.89}, ValueError, "of 12 samples in '.*images'"),
        ({"batch_size": 0}, ValueError, "`batch_size`"),
    ],
)
def test_what_does_not_fit(root, arguments, error, message):
    with pytest.raises(error, match=message):
        read(root, **arguments)


def test_folders_without_images_and_of_other_formats(root):
    with pytest.raises(FileNotFoundError, match="`path` must name a folder"):
        datasets.from_folder(root / "nowhere")
    (root / "images" / "scan.tif").write_bytes(b"II")
    with pytest.raises(ValueError, match=r"found '.*scan\.tif'. Convert"):
        read(root)
    (root / "empty").mkdir()
    with pytest.raises(ValueError, match=r"found none in '.*empty'"):
        read(root, images="empty")
    (root / "images" / "scan.tif").unlink()
    save(root / "images" / "cell01.jpg", image(1))
    with pytest.raises(ValueError, match=r"'cell01\.jpg' and 'cell01\.png'"):
        read(root)
    (root / "images" / "cell01.jpg").write_text("no picture")
    (root / "images" / "cell01.png").unlink()
    with pytest.raises(ValueError, match=r"something else in '.*cell01\.jpg'"):
        read(root)


def test_describe_reads_masks_but_no_images(root, monkeypatch):
    splits = labels_of(root)
    monkeypatch.setattr(
        type(splits.source), "_image", lambda *_: pytest.fail("an image")
    )
    tasks = datasets.describe(splits).tasks
    assert tasks["nuclei"].labelled == 9
    assert tasks["nuclei"].elements == COUNT * HEIGHT * WIDTH
    assert tasks["nuclei"].class_counts["1"] == sum(
        number for number in range(COUNT) if number % 4
    )
    assert tasks["stain"].labelled == 7


def test_a_part_is_read_once_into_memory(root):
    x, y = labels_of(root).arrays("test")
    assert keras.tree.map_structure(len, y) == dict.fromkeys(y, len(x))
