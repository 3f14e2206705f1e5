"""What values of masks mean."""

import numpy as np
import pytest

from mtl_keras.datasets.reading.mask_values import (
    GreyCoding,
    MaskValues,
    decide_coding,
)


def decide(values, num_classes=None, **found):
    greys = dict.fromkeys(values, "'a.png'")
    return decide_coding(
        "m", MaskValues(greys=greys, **found), num_classes, None, "its masks"
    )


@pytest.mark.parametrize(
    ("values", "said", "classes", "is_cut"),
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
def test_decisions(values, said, classes, is_cut):
    coding = decide(values, said)
    assert (coding.num_classes, coding.is_cut) == (classes, is_cut)


@pytest.mark.parametrize(
    ("values", "said", "message"),
    [
        ({0, 1, 255}, None, "missing_pixel=255.*num_classes=1"),
        ({0, 1, 2, 3, 255}, None, "missing_pixel=255"),
        ({0, 90, 255}, None, "num_classes=1, which cuts"),
        (set(range(256)), None, "num_classes=1"),
        (set(range(120)), None, "num_classes=120, or num_classes=1"),
        ({0, 7}, None, "hardly count classes.*missing_pixel=7"),
        ({0, 1, 254}, None, "missing_pixel=254"),
        ({0, 1, 255}, 1, r"255 in 'a\.png', 1 in .*missing_pixel=255"),
        ({0, 1, 2, 255}, 1, "missing_pixel=255"),
        ({0, 100}, 1, "expected 0 and 1, or 0 and 255"),
        (set(), None, "no pixel has a label"),
    ],
)
def test_values_that_may_mean_more_than_one_thing(values, said, message):
    with pytest.raises(ValueError, match=rf"Task 'm': .*{message}"):
        decide(values, said)


def test_labels():
    values = np.array([0, 1, 9, 255], "uint8")
    assert GreyCoding("m", 3).labels(values[:2]).tolist() == [0, 1]
    cut = GreyCoding("m", 1, missing_pixel=9, is_cut=True)
    assert cut.labels(values).tolist() == [0, 0, -1, 1]
    signed = GreyCoding("m", 1, is_cut=True).labels(np.array([-1, -7, 200]))
    assert signed.tolist() == [-1, -1, 1]
