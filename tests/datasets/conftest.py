"""What the tests of the data sets share."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture
def shared_data():
    """Finds a folder of real data beside the repository, or skips."""

    def find(name):
        folder = SHARED / name
        if not folder.is_dir():
            pytest.skip(f"the real data is not at ../shared/data/{name}")
        return folder

    return find
