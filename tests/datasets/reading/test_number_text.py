"""One text for each number."""

import numpy as np
import pytest

from mtl_keras.datasets.reading.number_text import number_text


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["2.5", "2.50", "+2.5", "25e-1", "0.25E1"], "2.5"),
        (["3", "3.", "3.0", "+3", "0.3e1"], "3"),
        (["-0.5", "-.5", "-5e-1"], "-0.5"),
        (["0", "0.0", "-0", "0e5"], "0"),
        (["1e3", "1000", "1000.0"], "1000"),
        (["1234567890123456789"], "1234567890123456789"),
        (["0.1234567890123456789"], "0.1234567890123456789"),
    ],
)
def test_spellings_share_one_text(texts, expected):
    assert {number_text(text) for text in texts} == {expected}


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "01",
        "-01",
        "00",
        "x",
        "1,5",
        "nan",
        "inf",
        "1_0",
        "1e999",
        "e5",
    ],
)
def test_names_and_codes_are_no_numbers(text):
    assert number_text(text) is None


def test_marks_of_other_countries():
    assert number_text("1.234,50", ",", ".") == "1234.5"
    assert number_text("2,50", ",") == "2.5"
    assert number_text("2.50", ",") is None


def test_floats_and_their_texts_agree():
    rng = np.random.default_rng(0)
    values = rng.normal(size=200) * 10.0 ** rng.integers(-9, 9, 200)
    texts = {number_text(repr(value)) for value in values.tolist()}
    assert None not in texts and len(texts) == 200
    assert {float(text) for text in texts} == set(values.tolist())
