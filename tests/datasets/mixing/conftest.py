"""Numbered data sets, as arrays and as streams."""

import pytest
from factory_harness import mostly_slow
from numbered_sets import as_stream, numbered


@pytest.fixture(
    params=mostly_slow(["arrays", "streams", "both"], quick=["both"])
)
def kind(request):
    """Returns how data sets are passed: all as arrays, or some as streams."""
    return request.param


@pytest.fixture
def make(kind):
    """Makes numbered data sets of some sizes."""

    def make(**sizes):
        sets = {name: numbered(name, n) for name, n in sizes.items()}
        if kind == "streams":
            return {name: as_stream(one) for name, one in sets.items()}
        if kind == "both":
            first = next(iter(sets))
            return sets | {first: as_stream(sets[first])}
        return sets

    return make
