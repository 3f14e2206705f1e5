"""Digests are equal for equal content, in every layout and process."""

import numpy as np
import tensorflow as tf

from mtl_keras.tuning import array_digest
from mtl_keras.tuning.array_digest import digest


def test_equal_arrays_have_equal_digests(rng):
    array = rng.normal(size=(6, 4))
    assert digest(array) == digest(array.copy())
    assert digest(array) == digest(np.asfortranarray(array))
    assert digest(array) == digest(tf.constant(array))
    assert digest({"a": array, "b": 1}) == digest({"b": 1, "a": array})


def test_any_change_of_content_changes_the_digest(rng):
    array = rng.normal(size=(6, 4))
    changed = array.copy()
    changed[5, 3] += 1e-12
    others = [
        changed,
        array[:5],
        array.reshape(4, 6),
        array.astype("float32"),
        {"left": array, "right": None},
        np.array(["a", "b"], object),
        np.array(["a", "c"], object),
        tf.ragged.constant([[1, 2], [3]]),
        tf.ragged.constant([[1], [2, 3]]),
        None,
    ]
    found = [digest(each) for each in [array, *others]]
    assert len(set(found)) == len(found)


def test_blocks_do_not_change_the_digest(rng, monkeypatch):
    array = rng.normal(size=(7, 3))
    expected = digest(array)
    monkeypatch.setattr(array_digest, "_BLOCK_BYTES", 50)
    assert digest(array) == expected


def test_strings_are_compared_by_content_not_address():
    first, again = (
        np.array(["".join(["a", "b"]), "c"], object) for _ in range(2)
    )
    assert digest(first) == digest(again)
