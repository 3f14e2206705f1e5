"""Tests the encodings that are inferred from the values of masks."""

import pytest

from mtl_keras.datasets.reading.infer_mask_encoding import infer_mask_encoding
from mtl_keras.datasets.reading.mask_values import MaskValues


def infer(values, num_classes=None, **found):
    greys = dict.fromkeys(values, "'a.png'")
    return infer_mask_encoding(
        "m", MaskValues(greys=greys, **found), num_classes, None, "its masks"
    )


@pytest.mark.parametrize(
    ("values", "num_classes", "classes", "is_cut"),
    [
        ({0, 1}, None, 1, False),
        ({1}, None, 1, False),
        ({0, 255}, None, 1, True),
        ({255}, 1, 1, True),
        ({0, 1, 2}, None, 3, False),
        ({0, 2, 3}, None, 4, False),
        ({0, 1}, 1, 1, False),
        ({0, 100, 200, 255}, 1, 1, True),
        ({0, 1, 130}, 1, 1, True),
        ({0, 1, 2, 255}, 300, 300, False),
    ],
)
def test_encodings(values, num_classes, classes, is_cut):
    encoding = infer(values, num_classes)
    assert (encoding.num_classes, encoding.is_cut) == (classes, is_cut)


@pytest.mark.parametrize(
    ("values", "num_classes", "message"),
    [
        ({0, 1, 255}, None, "missing_pixel=255.*num_classes=1"),
        ({0, 1, 2, 3, 255}, None, "missing_pixel=255"),
        ({0, 90, 255}, None, "num_classes=1, which cuts"),
        (set(range(256)), None, "num_classes=1"),
        (set(range(120)), None, "num_classes=120; or num_classes=1"),
        ({0, 7}, None, "probably not class indices.*missing_pixel=7"),
        ({0, 1, 254}, None, "missing_pixel=254"),
        ({0, 1, 255}, 1, r"255 in 'a\.png', 1 in .*missing_pixel=255"),
        ({0, 1, 2, 255}, 1, "missing_pixel=255"),
        ({0, 100}, 1, "expected 0 and 1, or 0 and 255"),
        (set(), None, "no pixel has a label"),
    ],
)
def test_ambiguous_values(values, num_classes, message):
    with pytest.raises(ValueError, match=rf"Task 'm': .*{message}"):
        infer(values, num_classes)
