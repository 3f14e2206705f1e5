"""Tests the labels of the values of masks."""

import numpy as np

from mtl_keras.datasets.reading.mask_encoding import MaskEncoding


def test_values_become_labels():
    values = np.array([0, 1, 9, 255], "uint8")
    assert MaskEncoding("m", 3).encode(values[:2]).tolist() == [0, 1]
    cut = MaskEncoding("m", 1, missing_pixel=9, is_cut=True)
    assert cut.encode(values).tolist() == [0, 0, -1, 1]
    signed = MaskEncoding("m", 1, is_cut=True).encode(np.array([-1, -7, 200]))
    assert signed.tolist() == [-1, -1, 1]
