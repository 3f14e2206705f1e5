"""Names for layers and outputs."""

import re

import pytest

from mtl_keras.safe_name import safe_name, safe_names


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("age", "age"),
        ("fixed acidity", "fixed_acidity"),
        ("CO(GT)", "CO_GT_"),
        ("a/b:c%", "a_b_c_"),
        ("2nd", "n2nd"),
        ("_x", "n_x"),
        ("温度 %", "u6e29u5ea6__"),
        ("Größe", "Gru00f6u00dfe"),
        (" padded ", "padded"),
    ],
)
def test_names_become_safe(name, expected):
    assert safe_name(name) == expected
    assert re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", expected)
    assert safe_name(expected) == expected


@pytest.mark.parametrize("name", ["", "  ", 3, None])
def test_what_is_no_name(name):
    with pytest.raises(ValueError, match="A column is named"):
        safe_name(name)


def test_names_that_become_one_are_an_error():
    assert safe_names(["a", "b%"]) == {"a": "a", "b%": "b_"}
    with pytest.raises(ValueError, match=r"'a b' and 'a_b' would both.*'a_b'"):
        safe_names(["a b", "a_b"])
