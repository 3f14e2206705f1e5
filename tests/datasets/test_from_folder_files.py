"""Tests image files: orientations, and errors for corrupted files."""

import io

import numpy as np
import pytest
import tensorflow as tf
from image_folder import save, whole
from PIL import Image, ImageOps

from mtl_keras import datasets
from mtl_keras.datasets.reading import grey_masks
from mtl_keras.tasks import Segmentation

SIZE = (12, 16)
MASKS = {"masks": {"m": "masks"}, "tasks": [Segmentation("m", 1)]}


def exif(orientation):
    found = Image.Exif()
    found[0x0112] = orientation
    return found


def scene():
    """Returns an image in which each corner has a brightness of its own."""
    pixels = np.zeros((*SIZE, 3), "uint8")
    pixels[:6, :8], pixels[:6, 8:] = 40, 90
    pixels[6:, :8], pixels[6:, 8:] = 140, 200
    return pixels


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_images_are_rotated_by_their_orientation(tmp_path, orientation, suffix):
    upright = scene()
    if orientation > 4:
        upright = np.ascontiguousarray(upright.swapaxes(0, 1))
    # What a camera would have saved: the inverse of the turn.
    back = {6: 8, 8: 6}.get(orientation, orientation)
    stored = Image.fromarray(upright)
    stored.getexif()[0x0112] = back
    stored = ImageOps.exif_transpose(stored)
    path = tmp_path / "images" / f"0.{suffix}"
    save(path, stored, exif=exif(orientation))
    mask = (upright[..., 0] > 100) * np.uint8(255)
    save(tmp_path / "masks" / "0.png", mask)
    splits, x, y = whole(tmp_path, **MASKS)
    assert splits.input_shape == (*mask.shape, 3)
    np.testing.assert_allclose(x[0], upright, atol=12)
    np.testing.assert_array_equal(y["m"][0, ..., 0], mask // 255)
    ((streamed, _),) = splits.train.as_numpy_iterator()
    np.testing.assert_array_equal(streamed, x)


def test_masks_are_rotated_by_their_orientation(tmp_path):
    mask = (scene()[..., 0] > 100) * np.uint8(255)
    for number in range(2):
        save(tmp_path / "images" / f"{number}.png", scene())
    turned = Image.fromarray(mask).transpose(Image.Transpose.ROTATE_90)
    save(tmp_path / "masks" / "0.png", mask)
    save(tmp_path / "masks" / "1.png", turned, exif=exif(6))
    _, _, y = whole(tmp_path, **MASKS)
    np.testing.assert_array_equal(y["m"][0], y["m"][1])
    save(tmp_path / "masks" / "1.png", mask, exif=exif(6))
    with pytest.raises(ValueError, match=r"1\.png' has 16x12 .*orientation 6"):
        whole(tmp_path, **MASKS)


def test_an_orientation_after_the_pixels_of_a_png(tmp_path):
    path = tmp_path / "images" / "0.png"
    save(path, scene(), exif=exif(3))
    data = path.read_bytes()
    start = data.index(b"eXIf") - 4
    length = 12 + int.from_bytes(data[start : start + 4], "big")
    chunk = data[start : start + length]
    data = data[:start] + data[start + length :]
    path.write_bytes(data[:-12] + chunk + data[-12:])
    save(tmp_path / "masks" / "0.png", scene()[..., 0] // 200 * 255)
    _, x, _ = whole(tmp_path, **MASKS)
    np.testing.assert_array_equal(x[0], scene()[::-1, ::-1])


@pytest.mark.parametrize("value", [0, 9, 300])
def test_invalid_orientations(tmp_path, value):
    save(tmp_path / "images" / "0.jpg", scene(), exif=exif(value))
    save(tmp_path / "masks" / "0.png", scene()[..., 0] // 200 * 255)
    _, x, _ = whole(tmp_path, **MASKS)
    np.testing.assert_allclose(x[0], scene(), atol=12)


def bytes_of(image, **options):
    stream = io.BytesIO()
    image.save(stream, **options)
    return stream.getvalue()


def two_pictures(format):
    pictures = [Image.fromarray(scene() // (n + 1)) for n in range(2)]
    return bytes_of(
        pictures[0], format=format, save_all=True, append_images=pictures[1:]
    )


SIXTEEN_BITS = Image.fromarray(np.full(SIZE, 1000, "uint16"))

HEADERS = {
    "empty": (b"", "an empty file"),
    "text": (b"not a picture at all\n" * 9, "something else"),
    "start": (
        bytes_of(Image.fromarray(scene()), format="PNG")[:20],
        "corrupted",
    ),
    "jpeg": (
        bytes_of(Image.fromarray(scene()), format="JPEG")[:30],
        "corrupted",
    ),
    "tiff": (bytes_of(Image.fromarray(scene()), format="TIFF"), "a TIFF file"),
    "gif": (two_pictures("GIF"), "a GIF file"),
    "apng": (two_pictures("PNG"), "an animation of 2"),
    "cmyk": (
        bytes_of(Image.fromarray(scene()).convert("CMYK"), format="JPEG"),
        "CMYK",
    ),
    "bits": (bytes_of(SIXTEEN_BITS, format="PNG"), "16 bits"),
}


@pytest.fixture
def root(tmp_path):
    """Images with masks and a table."""
    for number in range(4):
        save(tmp_path / "images" / f"{number}.png", scene() // (number + 1))
        mask = (scene()[..., 0] > 100) * np.uint8(255)
        save(tmp_path / "masks" / f"{number}.png", mask)
    return tmp_path


def read(root):
    splits = datasets.from_folder(root, **MASKS, validation=0, test=0)
    splits.arrays()


@pytest.mark.parametrize("kind", HEADERS)
@pytest.mark.parametrize("folder", ["images", "masks"])
def test_invalid_files_are_named_at_once(root, folder, kind):
    data, message = HEADERS[kind]
    (root / folder / "2.png").write_bytes(data)
    with pytest.raises(
        ValueError, match=rf"(?s){message}.*2\.png|2\.png.*{message}"
    ):
        datasets.from_folder(root, **MASKS)


def test_invalid_files_are_counted(root):
    for number in (1, 3):
        (root / "images" / f"{number}.png").write_bytes(b"text")
    with pytest.raises(ValueError, match=r"1\.png.*1 more file"):
        read(root)


def test_colours_of_16_bits(root):
    # Which Pillow reads as 8 bits, without a word.
    pixels = np.full((*SIZE, 3), 1000, "uint16")
    path = root / "images" / "2.png"
    path.write_bytes(tf.io.encode_png(pixels).numpy())
    with pytest.raises(ValueError, match=r"16 bits in .*2\.png"):
        read(root)


@pytest.mark.parametrize("folder", ["images", "masks"])
@pytest.mark.parametrize(
    ("damage", "suffix"),
    [
        ("short", "png"),
        ("short", "jpg"),
        ("gone", "png"),
        ("gone", "jpg"),
        ("flipped", "png"),  # a JPEG has no checksum
    ],
)
def test_corrupted_pixels_are_named(root, folder, damage, suffix, monkeypatch):
    # What is not in the sample is met in a batch.
    monkeypatch.setattr(grey_masks, "SAMPLE_SIZE", 1)
    path = root / folder / "2.png"
    pixels = np.asarray(Image.open(path))
    path.unlink()
    path = path.with_suffix(f".{suffix}")
    save(path, pixels)
    splits = datasets.from_folder(root, **MASKS, validation=0, test=0)
    data = bytearray(path.read_bytes())
    if damage == "flipped":
        data[data.index(b"IDAT") + 12] ^= 1
    path.write_bytes(data[: -30 if damage == "short" else None])
    if damage == "gone":
        path.unlink()
    name = rf"2\.{suffix}"
    with pytest.raises((ValueError, FileNotFoundError), match=name):
        splits.arrays()
    with pytest.raises(Exception, match=name):
        list(splits.train)
    if folder == "masks":
        with pytest.raises((ValueError, FileNotFoundError), match=name):
            list(splits.source.targets(np.arange(4)))


def test_every_flip_in_the_pixels_of_a_png_is_found(root):
    """Checks the checksums of a png, which Pillow skips for pixels."""
    splits = datasets.from_folder(root, **MASKS, validation=0, test=0)
    path = root / "masks" / "2.png"
    data = path.read_bytes()
    start, end = data.index(b"IDAT"), data.index(b"IEND")
    for at in range(start, end - 4, 3):
        path.write_bytes(data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :])
        with pytest.raises(ValueError, match=r"2\.png"):
            list(splits.source.targets(np.arange(4)))


def test_a_file_that_changed_since_is_named(root):
    splits = datasets.from_folder(root, **MASKS, validation=0, test=0)
    save(root / "images" / "2.png", np.zeros((5, 7, 3)))
    with pytest.raises(ValueError, match=r"2\.png' has 5x7 .*12x16"):
        splits.arrays()


@pytest.mark.parametrize("color_mode", ["grayscale", "rgb", "rgba"])
@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "trns"])
def test_modes_of_images(tmp_path, mode, color_mode):
    image = Image.fromarray(scene())
    options = {}
    if mode == "trns":
        image, options = image.convert("P"), {"transparency": b"\x00\xff"}
    elif mode == "1":
        image = Image.fromarray(scene() // 100 * 100).convert("1", dither=0)
    else:
        image = image.convert(mode)
    save(tmp_path / "images" / "0.png", image, **options)
    (tmp_path / "labels.csv").write_text("image,y\n0,1.5\n")
    _, x, _ = whole(
        tmp_path,
        {"y": "Regression"},
        labels="labels.csv",
        color_mode=color_mode,
    )
    letters = {"grayscale": "L", "rgb": "RGB", "rgba": "RGBA"}[color_mode]
    expected = image.convert("RGBA")
    if letters != "RGBA":
        expected = image.convert("RGB").convert(letters)
    expected = np.asarray(expected).reshape(*SIZE, -1)
    if mode == "trns":
        x, expected = x[..., :3], expected[..., :3]
    np.testing.assert_array_equal(x[0], expected)


def resized(root, suffix, pixels, size):
    save(root / "images" / f"0.{suffix}", pixels)
    (root / "labels.csv").write_text("image,y\n0,1.5\n")
    _, x, _ = whole(
        root, {"y": "Regression"}, labels="labels.csv", image_size=size
    )
    return x[0]


def of_triangles(wanted, found):
    """Returns triangular weights around each pixel."""
    scale = max(found / wanted, 1)
    centres = (np.arange(wanted) + 0.5) * (found / wanted)
    off = np.abs(np.arange(found) + 0.5 - centres[:, None]) / scale
    weights = np.maximum(0, 1 - off)
    return weights / weights.sum(1, keepdims=True)


def test_images_shrink_without_aliasing(tmp_path):
    """Checks that a pixel is the mean of those that it replaces."""
    pixels = np.zeros((64, 96, 3), "uint8")
    pixels[:, ::2] = 255  # which every other pixel alone would miss
    x = resized(tmp_path, "png", pixels, (16, 16))
    np.testing.assert_allclose(x, 127.5, atol=24)
    noise = np.random.default_rng(0).integers(0, 256, (8, 8, 3), "uint8")
    weights = of_triangles(2, 4)
    halved = noise.reshape(4, 2, 4, 2, 3).mean((1, 3))
    x = resized(tmp_path, "png", noise, (2, 2))
    expected = np.einsum("ij,kl,jlc->ikc", weights, weights, halved)
    np.testing.assert_allclose(x, expected, atol=40)
    np.testing.assert_allclose(x.mean(), noise.mean(), atol=8)


def test_images_grow_bilinearly(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (6, 8, 3), "uint8")
    x = resized(tmp_path, "png", noise, (9, 16))
    rows, columns = of_triangles(9, 6), of_triangles(16, 8)
    expected = np.einsum("ij,kl,jlc->ikc", rows, columns, noise)
    np.testing.assert_allclose(x, expected, atol=0.01)


@pytest.mark.parametrize("size", [(96, 64), (90, 60), (97, 63)])
@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_large_jpegs_are_read_in_part(tmp_path, size, orientation):
    """Checks that the corners keep their places at any size."""
    height, width = size
    pixels = np.zeros((*size, 3), "uint8")
    pixels[: height // 2, : width // 2] = 200
    image = Image.fromarray(pixels)
    image.getexif()[0x0112] = {6: 8}.get(orientation, orientation)
    image = ImageOps.exif_transpose(image)
    path = tmp_path / "images" / "0.jpg"
    save(path, image, exif=exif(orientation))
    (tmp_path / "labels.csv").write_text("image,y\n0,1.5\n")
    for wanted in [(8, 8), (12, 8), (40, 30)]:
        _, x, _ = whole(
            tmp_path,
            {"y": "Regression"},
            labels="labels.csv",
            image_size=wanted,
        )
        rows, columns = wanted[0] // 2 - 1, wanted[1] // 2 - 1
        assert x.shape == (1, *wanted, 3)
        assert (x[0, :rows, :columns] > 180).all()
        assert (x[0, rows + 2 :] < 20).all()
        assert (x[0, :, columns + 2 :] < 20).all()


def test_a_stream_outlives_its_splits(root):
    batches = iter(datasets.from_folder(root, **MASKS, test=0).train)
    x, y = next(batches)
    assert x.shape == (3, *SIZE, 3) and y["m"].shape == (3, *SIZE, 1)
