"""Tests features by name, and which of them are read."""

import numpy as np
import pytest

tfds = pytest.importorskip("tensorflow_datasets")
from tensorflow_datasets import features as of  # noqa: E402

from mtl_keras.datasets.reading.tfds_features import (  # noqa: E402
    Features,
    flatten_decoders,
)


@pytest.fixture
def features():
    """Features in dicts, in lists, and in both."""
    return Features(
        of.FeaturesDict(
            {
                "image": of.Image(shape=(4, 4, 3)),
                "box": {"low": np.float32, "deep": {"high": np.int64}},
                "objects": of.Sequence(
                    {"label": of.ClassLabel(num_classes=3), "area": np.int64}
                ),
                "tags": of.Sequence(of.ClassLabel(names=["a", "b"]), length=5),
                "pair": of.Translation(("en", "de")),
                "steps": of.Dataset({"reward": np.float32}),
            }
        ),
        "the data set",
    )


def test_names_shapes_and_lists(features):
    found = {
        name: (feature.shape, feature.sequence_rank)
        for name, feature in features.by_name.items()
    }
    assert found == {
        "image": ((4, 4, 3), 0),
        "box/low": ((), 0),
        "box/deep/high": ((), 0),
        "objects/label": ((None,), 1),
        "objects/area": ((None,), 1),
        "tags": ((5,), 1),
        "pair/en": ((), 0),
        "pair/de": ((), 0),
        "steps": ((None,), 0),
    }
    label = features.by_name["objects/label"]
    assert (
        str(label) == "Sequence of ClassLabel of shape (None,) and dtype int64"
    )
    assert "box/deep" in features and "bo" not in features
    names = [feature.name for feature in features.resolve("box", "tasks")]
    assert names == ["box/low", "box/deep/high"]


@pytest.mark.parametrize(
    "names",
    [
        ["image"],
        ["box/deep/high", "objects/area"],
        ["pair/de", "tags"],
        ["box/low", "box/deep/high", "objects/label", "image"],
    ],
)
def test_only_the_wanted_features_are_read(features, names):
    wanted = [features.by_name[name] for name in names]
    partial = features.partial_decoding(wanted, {}, skip=True)
    left = Features(
        partial.extract_features(features._features), "what is left"
    )
    # A pair of languages is read as a whole.
    extra = {"pair/en"} if "pair/de" in names else set()
    assert set(left.by_name) == set(names) | extra


def test_an_unknown_name_gets_a_suggestion(features):
    with pytest.raises(
        ValueError,
        match=r"`inputs`.*the data set does not .*"
        r"mean 'objects/area'\?",
    ):
        features.resolve("object/area", "inputs")


def test_decoders_may_be_nested_or_named(features):
    flat = {"box/deep/high": 1, "image": 2}
    assert flatten_decoders(flat, features) == flat
    nested = {"box": {"deep": {"high": 1}}, "image": 2}
    assert flatten_decoders(nested, features) == flat
    with pytest.raises(ValueError, match="'box', which contains several"):
        flatten_decoders({"box": 1}, features)


def test_features_without_names():
    with pytest.raises(ValueError, match="one feature without a name"):
        Features(of.Sequence(np.int64), "the data set")
