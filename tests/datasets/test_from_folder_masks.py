"""Tests the values of masks of a folder."""

import zlib

import numpy as np
import pytest
from image_folder import save, whole
from PIL import Image

from mtl_keras import datasets
from mtl_keras.datasets.reading import grey_masks
from mtl_keras.tasks import Segmentation

SIZE = (12, 16)
ONE = [Segmentation("m", 1)]


@pytest.fixture
def write(tmp_path):
    """Writes masks, and an image for each."""

    def write(masks, suffix=".png"):
        for number, mask in enumerate(masks):
            black = np.zeros((*np.asarray(mask).shape[:2], 3))
            save(tmp_path / "images" / f"{number}.png", black)
            save(tmp_path / "masks" / f"{number}{suffix}", mask)
        return tmp_path

    return write


def read(root, tasks=None, **arguments):
    splits, _, y = whole(root, tasks, masks={"m": "masks"}, **arguments)
    return splits.tasks[0], y["m"][..., 0]


def stripes(*values):
    """Returns a mask of one row for each value, and 0 below."""
    mask = np.zeros(SIZE, "uint8")
    mask[: len(values)] = np.array(values)[:, None]
    return mask


def palette(indices, colors):
    image = Image.fromarray(indices).convert("L")
    image = Image.frombytes("P", image.size, image.tobytes())
    image.putpalette(np.ravel(colors).tolist())
    return image


VOC = [(0, 0, 0), (128, 0, 0), (0, 128, 0), (128, 128, 0)]


def test_soft_edges_are_not_classes(write):
    soft = []
    for number in range(4):
        square = np.zeros((64, 96), "uint8")
        square[10 + number : 40, 20:60] = 255
        square = Image.fromarray(square).rotate(3 + number * 7)
        soft.append(np.array(square.resize((24, 16), Image.BILINEAR)))
    root = write(soft)
    with pytest.raises(
        ValueError, match=r"'m': found 255 .*missing_pixel=255.*num_classes=1"
    ):
        read(root)
    task, found = read(root, ONE)
    assert task is ONE[0]
    np.testing.assert_array_equal(found, np.stack(soft) > 127)


def test_soft_edges_below_white_are_not_classes(write):
    root = write([np.arange(192, dtype="uint8").reshape(SIZE)])
    with pytest.raises(ValueError, match=r"192 greys.*num_classes=1"):
        read(root)
    task, found = read(root, [Segmentation("m", 192)])
    assert task.num_classes == 192 and found.max() == 191


@pytest.mark.parametrize("others", [(), (2,), (2, 3)])
def test_255_beside_classes_is_never_white(write, others):
    masks = [stripes(1, *others), stripes(1, 255), stripes()]
    root = write(masks)
    with pytest.raises(
        ValueError, match=r"255 in '.*1\.png'.*missing_pixel=255.*num_classes"
    ):
        read(root)
    with pytest.raises(ValueError, match="missing_pixel=255"):
        read(root, ONE)
    for count in (2 + len(others), 9):
        with pytest.raises(ValueError, match=r"1\.png.*missing_pixel=255"):
            read(root, [Segmentation("m", count)])
    task, found = read(root, missing_pixel=255)
    assert task.num_classes == (2 + len(others) if others else 1)
    masks = np.stack(masks).astype(int)
    np.testing.assert_array_equal(found, np.where(masks == 255, -1, masks))


def test_a_mask_of_0_1_and_255_needs_a_meaning(write):
    masks = [stripes(1, 1, 255 * (number % 2)) for number in range(4)]
    _, found = read(write(masks), ONE, missing_pixel=255)
    assert ((found == 1).sum((1, 2)) == 2 * SIZE[1]).all()
    assert ((found == -1).sum((1, 2)) == [0, 16, 0, 16]).all()


def test_missing_pixels_may_be_given_by_task(write):
    root = write([stripes(1, 9)] * 2)
    for number in range(2):
        save(root / "others" / f"{number}.png", stripes(7, 1))
    folders = {"m": "masks", "n": "others"}
    _, _, y = whole(root, masks=folders, missing_pixel={"m": 9, "n": 7})
    assert y["m"][0, :3, 0, 0].tolist() == [1, -1, 0]
    assert y["n"][0, :3, 0, 0].tolist() == [-1, 1, 0]
    for wrong in ({"k": 9}, {"m": True}, 256, "255", (1, 2, 3)):
        with pytest.raises(ValueError, match="`missing_pixel`"):
            whole(root, masks=folders, missing_pixel=wrong)


def test_black_and_white_applies_to_all_masks(write):
    masks = [stripes(), stripes(255), stripes(255, 255)]
    for tasks in (None, ONE):
        _, found = read(write(masks), tasks)
        np.testing.assert_array_equal(found, np.stack(masks) // 255)
    root = write([*masks, stripes(1, 1)])
    with pytest.raises(ValueError, match=r"0 and 255|black and white"):
        read(root, ONE)
    with pytest.raises(ValueError, match=r"1 in '.*3\.png'"):
        read(root)


@pytest.fixture
def one_in_the_sample(monkeypatch):
    monkeypatch.setattr(grey_masks, "SAMPLE_SIZE", 1)


@pytest.mark.parametrize(
    ("others", "later", "count", "message"),
    [
        ((255, 255), (1, 1), 1, r"found 0, 1 in .*1\.png.*contain 0 and 255"),
        ((255, 255), (1, 255), 1, r"255 beside 0, 1 in .*missing_pixel=255"),
        ((255, 255), (1, 2), 1, r"found 0, 1, 2 in .*1\.png"),
        ((255, 255), (9, 9), 1, r"found 0, 9 in .*1\.png"),
        ((1, 1), (255, 255), 1, r"255 in .*1\.png.*only 0 and 1"),
        ((1, 2), (255, 1), 3, r"255 in .*1\.png.*missing_pixel=255"),
        ((1, 2), (1, 3), 3, r"found 3 in .*1\.png.* 0 to 2"),
    ],
)
def test_a_later_mask_that_contradicts_the_sample_is_named(
    write, one_in_the_sample, others, later, count, message
):
    # The largest file is the sample.
    noise = np.random.default_rng(0).integers(2, size=SIZE)
    root = write([noise * stripes(*others * 6), stripes(*later)])
    splits = datasets.from_folder(
        root,
        [Segmentation("m", count)],
        masks={"m": "masks"},
        validation=0,
        test=0,
    )
    with pytest.raises(ValueError, match=message):
        splits.arrays()
    with pytest.raises(Exception, match=r"1\.png"):
        list(splits.train)


def test_a_soft_edge_that_reaches_in_is_background(write, one_in_the_sample):
    noise = np.random.default_rng(0).integers(2, size=SIZE) * 255
    edge = stripes()
    edge[0, :3] = 37
    _, found = read(write([noise, edge]), ONE)
    assert found[1].max() == 0


def test_a_sample_of_empty_masks_is_not_enough(write, one_in_the_sample):
    masks = [stripes(), stripes(), stripes(255)]
    root = write(masks)
    # The largest file, and nothing is to be seen.
    save(root / "masks" / "0.png", masks[0], compress_level=0)
    _, found = read(root, ONE)
    np.testing.assert_array_equal(found, np.stack(masks) // 255)


def test_only_a_sample_is_read_if_classes_are_given(write, monkeypatch):
    root = write([stripes(1, 2, number % 3) for number in range(8)])
    opened = []
    original = grey_masks.read_pixels

    def counted(header):
        opened.append(header.file.name)
        return original(header)

    monkeypatch.setattr(grey_masks, "read_pixels", counted)
    monkeypatch.setattr(grey_masks, "SAMPLE_SIZE", 2)
    folders = {"m": "masks"}
    datasets.from_folder(root, [Segmentation("m", 3)], masks=folders)
    assert len(set(opened)) == 2
    opened.clear()
    datasets.from_folder(root, masks=folders)
    assert sorted(opened) == [f"{number}.png" for number in range(8)]


def test_indices_of_a_palette_are_classes(write):
    masks = [np.tile(np.arange(16) % 4, (12, 1)), stripes(3, 1, 2)]
    masks = [mask.astype("uint8") for mask in masks]
    root = write([palette(mask, VOC) for mask in masks])
    task, found = read(root)
    assert task.num_classes == 4
    np.testing.assert_array_equal(found, masks)
    _, small = read(root, image_size=(6, 8))
    np.testing.assert_array_equal(
        small[0], np.asarray(Image.fromarray(masks[0]).resize((8, 6), 0))
    )


def test_the_border_of_a_palette_mask_has_no_label(write):
    colors = np.zeros((256, 3), int)
    colors[:4], colors[255] = VOC, (224, 224, 192)
    root = write([palette(stripes(1, 255, 3), colors), stripes(2, 255)])
    with pytest.raises(ValueError, match="missing_pixel=255"):
        read(root)
    task, found = read(root, missing_pixel=255)
    assert task.num_classes == 4
    assert found[0, :4, 0].tolist() == [1, -1, 3, 0]


def test_different_palettes_are_an_error(write):
    other = [VOC[0], VOC[2], VOC[1]]
    root = write([palette(stripes(1, 2), VOC), palette(stripes(1), other)])
    with pytest.raises(ValueError, match=r"0\.png.*1\.png|1\.png.*0\.png"):
        read(root)
    colors = {"m": {"ground": VOC[0], "red": VOC[1], "green": VOC[2]}}
    task, found = read(root, colors=colors)
    assert task.class_names == ("ground", "red", "green")
    assert found[:, :2, 0].tolist() == [[1, 2], [2, 0]]


def test_white_may_come_first_in_a_palette(write):
    root = write([palette(stripes(1), [(255,) * 3, (0,) * 3])])
    with pytest.raises(ValueError, match=r"0\.png.*do not increase"):
        read(root)


def test_masks_of_one_bit_are_background_and_foreground(write):
    bits = stripes(255, 0, 255)
    one_bit = Image.fromarray(bits).convert("1")
    two_greys = palette(bits // 255, [(0,) * 3, (255,) * 3])
    for others in ([], [bits], [bits // 255]):
        for tasks in (None, ONE):
            task, found = read(write([one_bit, two_greys, *others]), tasks)
            assert task.num_classes == 1
            np.testing.assert_array_equal(found[0], bits // 255)
            assert (found == found[0]).all()
    _, found = read(write([one_bit, stripes(1, 2)]), [Segmentation("m", 3)])
    np.testing.assert_array_equal(found[0], bits // 255)


@pytest.mark.parametrize("bits", [2, 4])
def test_greys_of_few_bits_are_an_error(write, bits):
    root = write([stripes(1, 2)])
    # Pillow writes none: a palette of few colours, whose kind is changed.
    path = root / "masks" / "0.png"
    colors = np.arange(3 * 2**bits).reshape(-1, 3)
    palette(stripes(1, 2), colors).save(path, bits=bits)
    data = bytearray(path.read_bytes())
    data[25] = 0
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    at = data.index(b"PLTE")
    length = int.from_bytes(data[at - 4 : at], "big")
    del data[at - 4 : at + 8 + length]
    path.write_bytes(data)
    with pytest.raises(ValueError, match=rf"found {bits} bits .*0\.png"):
        read(root, [Segmentation("m", 3)])


@pytest.mark.parametrize("mode", ["LA", "RGB", "RGBA"])
def test_greys_with_more_channels_are_read(write, mode):
    mask = stripes(255)
    task, found = read(write([Image.fromarray(mask).convert(mode)]))
    assert task.num_classes == 1
    np.testing.assert_array_equal(found[0], mask // 255)


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
@pytest.mark.parametrize("colors", [None, [(0, 0, 0), (255, 255, 255)]])
def test_transparent_masks_are_an_error(write, mode, colors):
    image = Image.fromarray(stripes(255)).convert(mode)
    image.putalpha(Image.fromarray(stripes(255)))
    root = write([image])
    with pytest.raises(ValueError, match=r"transparent pixels .*0\.png"):
        read(root, colors=colors)


def test_jpeg_masks_are_cut_at_the_middle(write):
    square = np.zeros((32, 32), "uint8")
    square[5:20, 3:17] = 255
    root = write([square, square.T], ".jpg")
    with pytest.raises(ValueError, match="num_classes=1"):
        read(root)
    _, found = read(root, ONE)
    np.testing.assert_array_equal(found[0], square // 255)


ROADS = {"road": (128, 64, 128), "car": (0, 0, 142), "sky": (70, 130, 180)}


def colored(classes, colors=ROADS):
    return np.array(list(colors.values()), "uint8")[classes]


def test_colours_are_classes(write):
    masks = [stripes(1, 2), stripes(2)]
    root = write([colored(mask) for mask in masks])
    for colors in ({"m": ROADS}, ROADS):
        task, found = read(root, colors=colors)
        assert task.num_classes == 3 and task.class_names == tuple(ROADS)
        np.testing.assert_array_equal(found, masks)
    task, found = read(root, colors={"m": list(ROADS.values())})
    assert task.num_classes == 3 and task.class_names is None
    np.testing.assert_array_equal(found, masks)
    # The order of the task's names is that of the classes.
    names = ["sky", "road", "car"]
    task, found = read(
        root, [Segmentation("m", 3, class_names=names)], colors=ROADS
    )
    np.testing.assert_array_equal(found, np.array([1, 2, 0])[masks])
    _, small = read(root, colors=ROADS, image_size=(6, 8))
    assert small.shape == (2, 6, 8) and small.max() == 2


def test_a_class_may_have_several_colours_and_a_pixel_none(write):
    root = write([colored(stripes(1, 2))])
    colors = {"road": ROADS["road"], "other": [ROADS["car"], ROADS["sky"]]}
    task, found = read(root, colors=colors)
    assert task.num_classes == 2
    assert found[0, :3, 0].tolist() == [1, 1, 0]
    some = {name: ROADS[name] for name in ("road", "car")}
    task, found = read(root, colors=some, missing_pixel=ROADS["sky"])
    assert found[0, :3, 0].tolist() == [1, -1, 0]


def test_an_unknown_colour_is_named(write, one_in_the_sample):
    root = write([colored(stripes(1)), colored(stripes(2))])
    some = {name: ROADS[name] for name in ("road", "car")}
    with pytest.raises(
        ValueError, match=r"'m': found the colour \(70, 130, 180\).*1\.png"
    ):
        read(root, colors=some)
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3))
    root = write([noise] * 2)
    with pytest.raises(
        ValueError, match=r"0\.png.*There are 1600 such colours"
    ):
        read(root, colors=some)


def test_colours_of_a_jpeg_are_an_error(write):
    root = write([colored(stripes(1))], ".jpg")
    with pytest.raises(ValueError, match=r"jpeg, .*0\.jpg"):
        read(root, colors=ROADS)


@pytest.mark.parametrize(
    ("colors", "error", "message"),
    [
        ({"n": ROADS}, ValueError, "'n', which has no masks"),
        ({"m": {"road": (1, 2)}}, TypeError, r"\(1, 2\)"),
        ({"m": {(1, 2, 3): "road"}}, TypeError, "from the name of each class"),
        ("red", TypeError, "'red'"),
        ({"m": {"a": (1, 2, 3), "b": (1, 2, 3)}}, ValueError, "two classes"),
        ({"m": {"a": (1, 2, 3)}}, ValueError, "one class"),
        ({"m": {"a": (1, 2, 256), "b": (0, 0, 0)}}, TypeError, "256"),
    ],
)
def test_invalid_colours(write, colors, error, message):
    root = write([colored(stripes(1))])
    with pytest.raises(error, match=message):
        read(root, colors=colors)


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (Segmentation("m", 4), "num_classes=4, but `colors` has 3"),
        (
            Segmentation("m", 3, class_names=["road", "cat", "sky"]),
            "'car', .*Did you mean 'cat'",
        ),
    ],
)
def test_colours_beside_another_task(write, task, message):
    root = write([colored(stripes(1))])
    with pytest.raises(ValueError, match=message):
        read(root, [task], colors=ROADS)


def test_the_error_for_coloured_pixels_suggests_colors(write):
    root = write([colored(stripes(1))])
    with pytest.raises(ValueError, match=r"the colour .* colors=\{'m'"):
        read(root)
    with pytest.raises(ValueError, match=r"integer from 0 to 255"):
        read(root, missing_pixel=(0, 0, 0))
    with pytest.raises(ValueError, match=r"\(red, green, blue\)"):
        read(root, colors=ROADS, missing_pixel=255)
