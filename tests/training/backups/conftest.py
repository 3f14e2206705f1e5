"""Where the tests of backups write."""

import pytest


@pytest.fixture
def path(tmp_path):
    return tmp_path / "folder" / "backup.npz"
