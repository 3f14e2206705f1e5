import pytest

from mtl_keras.spelling import did_you_mean


@pytest.mark.parametrize(
    "typed, meant",
    [
        ("build_mpl", "build_mlp"),
        ("build_pel", "build_ple"),
        ("buildmlp", "build_mlp"),
        ("stag", "stage"),
    ],
)
def test_nearest_name(typed, meant):
    said = did_you_mean(typed, ["build_ple", "build_mlp", "stage", "tags"])
    assert said.startswith(f"Did you mean {meant!r}? Known: ")


def test_no_name_is_near():
    assert did_you_mean("xyz", ["b", "a"]) == "Known: 'a', 'b'."
