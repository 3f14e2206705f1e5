"""Folders of images, masks and labels."""

import pytest
from image_folder import written


@pytest.fixture
def root(tmp_path):
    """Images with two folders of masks and a table, both with holes."""
    return written(tmp_path)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Returns the same, for tests that leave it as it is."""
    return written(tmp_path_factory.mktemp("kept"))
