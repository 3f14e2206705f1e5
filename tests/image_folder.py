"""A folder of small images whose masks and table encode their numbers."""

import numpy as np
from PIL import Image

from mtl_keras import datasets
from mtl_keras.tasks import Segmentation

COUNT, HEIGHT, WIDTH = 12, 6, 8
NAMES = [f"cell{number:02}" for number in range(COUNT)]
TISSUE = {"tissue": "masks/tissue"}
# Complete, so that no mask is read before its part.
TASKS = (
    Segmentation("nuclei", 1),
    Segmentation("tissue", 3),
    "stain",
    "count",
)


def save(path, pixels, **options):
    """Writes pixels, or a Pillow image, as an image file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not isinstance(pixels, Image.Image):
        pixels = np.asarray(pixels, "uint8")
        if pixels.shape[-1] == 1:
            pixels = pixels[..., 0]
        pixels = Image.fromarray(pixels)
    if path.suffix != ".png":
        options = {"quality": 95, **options}
    pixels.save(path, **options)


def whole(root, tasks=None, **arguments):
    """Reads all samples of a folder into memory."""
    splits = datasets.from_folder(
        root, tasks, validation=0, test=0, **arguments
    )
    return splits, *splits.arrays()


def image(number):
    """Returns an image whose brightness encodes its number."""
    return np.full((HEIGHT, WIDTH, 3), number * 10)


def nuclei(number):
    """Returns a mask of 0 and 255 whose area encodes its number."""
    mask = np.zeros(HEIGHT * WIDTH)
    mask[:number] = 255
    return mask.reshape(HEIGHT, WIDTH, 1)


def tissue(number):
    """Returns a mask of three classes; one column encodes the number."""
    mask = np.tile(np.arange(WIDTH) % 3, (HEIGHT, 1))
    mask[:, 0] = number % 3
    return mask[..., None]


def written(tmp_path):
    """Writes images with masks and a table, both with missing labels."""
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
    """Writes labels of some of the images."""
    lines = ["image,stain,count,patient"]
    for number in numbers:
        # Both ways to name an image.
        name = NAMES[number] + (".png" if number % 2 else "")
        stain = ("blue", "", "red")[number % 3]
        lines.append(f"{name},{stain},{number / 2},p{number // 3}")
    (root / "labels.csv").write_text("\n".join(lines))


def read(root, **arguments):
    """Reads the folder."""
    masks = {"nuclei": "masks/nuclei", "tissue": "masks/tissue"}
    arguments = {"masks": masks, "labels": "labels.csv", **arguments}
    return datasets.from_folder(root, **arguments)


def image_numbers(x):
    """Returns the numbers of images."""
    return np.rint(x[:, 0, 0, 0] / 10).astype(int)
