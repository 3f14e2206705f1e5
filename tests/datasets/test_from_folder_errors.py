"""Tests the errors of folders of images."""

import numpy as np
import pytest
from image_folder import (
    COUNT,
    HEIGHT,
    TISSUE,
    WIDTH,
    image,
    nuclei,
    read,
    save,
    write_table,
)

from mtl_keras import datasets
from mtl_keras.tasks import Segmentation


def test_a_mask_or_line_without_an_image_is_named(root):
    save(root / "masks" / "nuclei" / "cell99.png", nuclei(3))
    with pytest.raises(ValueError, match=r"'nuclei'.*cell99\.png.*no image"):
        read(root)
    (root / "masks" / "nuclei" / "cell99.png").unlink()
    with (root / "labels.csv").open("a") as file:
        file.write("\ncell98,red,1,p0")
    with pytest.raises(ValueError, match=r"names 'cell98' in line 13"):
        read(root)


def test_a_repeated_line_is_named(root):
    write_table(root, [*range(COUNT), 4])
    with pytest.raises(ValueError, match="'cell04' a second time in line 14"):
        read(root)


def test_a_mask_of_another_size_is_named(root):
    save(root / "masks" / "tissue" / "cell01.png", np.zeros((5, 5, 1)))
    with pytest.raises(ValueError, match=r"cell01\.png' has 5x5 .* image 6x8"):
        read(root, image_size=(4, 4))


def test_masks_without_classes_are_named(root):
    colours = np.zeros((HEIGHT, WIDTH, 3))
    colours[..., 1] = 9
    save(root / "masks" / "tissue" / "cell01.png", colours)
    with pytest.raises(
        ValueError, match=r"\(0, 9, 0\) .*cell01\.png'.*colors="
    ):
        read(root, masks=TISSUE)
    far = np.zeros((HEIGHT, WIDTH, 1))
    far[0] = 99
    save(root / "masks" / "tissue" / "cell01.png", far)
    with pytest.raises(ValueError, match=r"'tissue': its 8 masks: found.*99"):
        read(root, masks=TISSUE)
    with pytest.raises(ValueError, match=r"99 in '.*cell01\.png', .* 0 to 2"):
        read(root, masks=TISSUE, tasks=[Segmentation("tissue", 3), "stain"])


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"images": "image"}, FileNotFoundError, "`images` must name a folder"),
        ({"masks": {"nuclei": "m"}}, FileNotFoundError, "`masks` must name"),
        ({"masks": ["nuclei"]}, TypeError, "`masks` must be a dict"),
        ({"labels": "no.csv"}, FileNotFoundError, r"no\.csv"),
        ({"masks": None, "labels": None}, ValueError, "define no task"),
        ({"labels": None, "group": "patient"}, ValueError, "there is no table"),
        ({"labels": None, "tasks": ["stain"]}, ValueError, "no labels: pass"),
        ({"tasks": ["stan"]}, ValueError, r"mean 'stain'\?"),
        ({"tasks": {"nuclei": "Regression"}}, ValueError, "for a Segmentation"),
        ({"group": "patients"}, ValueError, r"mean 'patient'\?"),
        ({"group": "patient"}, ValueError, "has none for 'cell00'"),
        ({"color_mode": "grey"}, ValueError, "'grayscale'"),
        ({"image_size": (0, 4)}, ValueError, "`image_size` must be"),
        ({"image_size": (4,)}, ValueError, "`image_size` must be"),
        ({"image_size": 4}, ValueError, "`image_size` must be"),
        ({"image_size": "12"}, ValueError, "`image_size` must be"),
        ({"test": 0.89}, ValueError, "of 12 samples in '.*images'"),
        ({"batch_size": 0}, ValueError, "`batch_size`"),
    ],
)
def test_invalid_arguments(kept, arguments, error, message):
    with pytest.raises(error, match=message):
        read(kept, **arguments)


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
