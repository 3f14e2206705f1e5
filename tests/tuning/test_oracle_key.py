"""The key: made once, for its owner alone, or from the environment."""

import stat

import pytest

from mtl_keras.tuning.oracle_key import FILE, VARIABLE, make_key, read_key


@pytest.fixture(autouse=True)
def no_key(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)


def test_it_is_made_once_and_read_by_the_owner_alone(tmp_path):
    folder = tmp_path / "search"
    assert read_key(folder) is None
    key = make_key(folder)
    assert len(key) >= 32
    assert make_key(folder) == read_key(folder) == key
    assert stat.S_IMODE((folder / FILE).stat().st_mode) == 0o600
    assert [path.name for path in folder.iterdir()] == [FILE]
    assert make_key(tmp_path / "another") != key


def test_that_of_the_environment_comes_first(tmp_path, monkeypatch):
    make_key(tmp_path)
    monkeypatch.setenv(VARIABLE, "0123456789abcdef")
    assert make_key(tmp_path) == read_key(tmp_path) == b"0123456789abcdef"
    monkeypatch.setenv(VARIABLE, "short")
    with pytest.raises(ValueError, match="has 5 characters; expected 16"):
        read_key(tmp_path)
