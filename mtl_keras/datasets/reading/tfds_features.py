"""Finds the features of a data set of TensorFlow Datasets by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from mtl_keras.spelling import did_you_mean


@dataclasses.dataclass(frozen=True)
class NamedFeature:
    """Feature of a data set.

    Args:
        name: String, `"a/b"` for the feature `b` of the dict `a`.
        path: Tuple of the keys that lead to it.
        connector: The `tfds.features.FeatureConnector` of one value.
        shape: Tuple, shape of the feature, `None` for unknown lengths.
        dtype: The numpy dtype.
        sequence_rank: Integer, number of leading axes that are sequences.
            Defaults to 0.
    """

    name: str
    path: tuple[str, ...]
    connector: Any
    shape: tuple[int | None, ...]
    dtype: Any
    sequence_rank: int = 0

    def __str__(self) -> str:
        text = f"{type(self.connector).__name__} of shape {self.shape}"
        if self.sequence_rank:
            text = f"Sequence of {text}"
        return f"{text} and dtype {np.dtype(self.dtype).name}"

    @property
    def is_image(self) -> bool:
        """Boolean, whether the value is one image."""
        import tensorflow_datasets as tfds

        is_single = not self.sequence_rank
        return is_single and isinstance(self.connector, tfds.features.Image)

    @property
    def is_scalar(self) -> bool:
        """Boolean, whether the value is a scalar."""
        return self.shape == ()

    @property
    def is_float(self) -> bool:
        """Boolean, whether the value consists of floats."""
        return np.dtype(self.dtype).kind in "fV"

    @property
    def is_text(self) -> bool:
        """Boolean, whether the value consists of strings."""
        return np.dtype(self.dtype).kind in "OSU"

    @property
    def num_classes(self) -> int | None:
        """Integer, number of classes, or `None` if it is unknown."""
        return getattr(self.connector, "num_classes", None)

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """Tuple of the class names, or `None` if classes have no names."""
        count = self.num_classes
        if not count:
            return None
        names = tuple(self.connector.names)
        # Without names, TFDS returns the indices.
        return None if names == tuple(map(str, range(count))) else names

    def value(self, example: Mapping) -> Any:
        """Returns the value of the feature in an example.

        Args:
            example: Nested dict of tensors.

        Returns:
            Tensor; for an image, its pixels.
        """
        for key in self.path:
            example = example[key]
        if self.is_image and example.dtype == tf.string:
            # Images stay encoded until they are needed, to save memory.
            return self.connector.decode_example(example)
        return example


class Features:
    """Features of a data set by name.

    Args:
        features: The `tfds.features.FeaturesDict` of the data set.
        source: Name of the data set, for errors.

    Raises:
        ValueError: If the features have no names.
    """

    def __init__(self, features: Any, source: str):
        self._features = features
        self._source = source
        self.by_name = {f.name: f for f in _flatten(features)}
        if "" in self.by_name:
            raise ValueError(
                f"{source} has one feature without a name, found {features}; "
                "expected a dict of features."
            )
        self._dicts = {
            "/".join(feature.path[:length])
            for feature in self.by_name.values()
            for length in range(1, len(feature.path))
        }

    def __contains__(self, name: str) -> bool:
        return name in self.by_name or name in self._dicts

    def resolve(self, name: str, argument: str) -> list[NamedFeature]:
        """Returns a feature, or all features of a dict.

        Args:
            name: Name of the feature or dict.
            argument: Name of the argument that contains it, for the error.

        Returns:
            List of features.

        Raises:
            ValueError: If there is no such feature.
        """
        if name in self.by_name:
            return [self.by_name[name]]
        within = [
            f for n, f in self.by_name.items() if n.startswith(name + "/")
        ]
        if name in self._dicts and within:
            return within
        known = [*self.by_name, *self._dicts]
        raise ValueError(
            f"`{argument}` names the feature {name!r}, which {self._source} "
            f"does not have. {did_you_mean(name, known)}"
        )

    def partial_decoding(
        self,
        wanted: Sequence[NamedFeature],
        decoders: Mapping[str, Any],
        skip: bool,
    ) -> Any:
        """Makes the decoding of TFDS that reads some features only.

        Args:
            wanted: Sequence of the features.
            decoders: Dict from the name of a feature to its decoder. Those of
                other features are ignored.
            skip: Boolean, whether images stay encoded until
                `NamedFeature.value`.

        Returns:
            A `tfds.decode.PartialDecoding`.
        """
        import tensorflow_datasets as tfds

        paths = [feature.path for feature in wanted]
        names = {feature.name: feature.path for feature in wanted}
        chosen = {
            feature.path: tfds.decode.SkipDecoding()
            for feature in wanted
            if skip and feature.is_image
        }
        chosen |= {names[n]: d for n, d in decoders.items() if n in names}
        return tfds.decode.PartialDecoding(
            _nest_flags(self._features, paths), _nest(chosen) or None
        )


def _flatten(
    connector: Any, info: Any = None, path: tuple = (), rank: int = 0
) -> Iterator[NamedFeature]:
    import tensorflow_datasets as tfds

    info = connector.get_tensor_info() if info is None else info
    if isinstance(connector, tfds.features.FeaturesDict):
        for key, inner in connector.items():
            yield from _flatten(inner, info[key], (*path, key), rank)
    elif isinstance(connector, tfds.features.Dataset):
        # A nested data set has no shape.
        kind = np.object_
        yield NamedFeature("/".join(path), path, connector, (None,), kind, 0)
    elif isinstance(connector, tfds.features.Sequence):
        yield from _flatten(connector.feature, info, path, rank + 1)
    else:
        yield NamedFeature(
            "/".join(path),
            path,
            connector,
            tuple(info.shape),
            info.np_dtype,
            rank,
        )


def _nest_flags(connector: Any, paths: Sequence[tuple[str, ...]]) -> Any:
    """Returns a nested dict with `True` for the features to read."""
    import tensorflow_datasets as tfds

    kinds = (tfds.features.FeaturesDict, tfds.features.Sequence)
    # Features of subclasses are read as a whole.
    if type(connector) not in kinds or () in paths:
        return True
    if type(connector) is tfds.features.Sequence:
        return _nest_flags(connector.feature, paths)
    keys = dict.fromkeys(path[0] for path in paths)
    return {
        key: _nest_flags(
            connector[key], [path[1:] for path in paths if path[0] == key]
        )
        for key in keys
    }


def _nest(by_path: Mapping[tuple[str, ...], Any]) -> dict:
    nested: dict = {}
    for path, value in by_path.items():
        inner = nested
        for key in path[:-1]:
            inner = inner.setdefault(key, {})
        inner[path[-1]] = value
    return nested


def flatten_decoders(decoders: Any, features: Features) -> dict[str, Any]:
    """Flattens a dict of decoders.

    Args:
        decoders: Dict from names of features to decoders, nested or with names
            such as `"a/b"`; or `None`.
        features: The `Features`.

    Returns:
        Dict from the name of a feature to its decoder.

    Raises:
        TypeError: If `decoders` is not a dict.
        ValueError: If a feature does not exist.
    """
    if decoders is None:
        return {}
    if not isinstance(decoders, Mapping):
        raise TypeError(
            f"`decoders` must be a dict from the name of a feature to a "
            f"tfds.decode.Decoder, found a {type(decoders).__name__}. "
            "Features that are neither inputs nor tasks are not read."
        )
    flat = {}
    for key, value in decoders.items():
        if isinstance(value, Mapping):
            inner = flatten_decoders(
                {f"{key}/{name}": v for name, v in value.items()}, features
            )
            flat |= inner
            continue
        (feature, *more) = features.resolve(key, "decoders")
        if more:
            raise ValueError(
                f"`decoders` names {key!r}, which contains several features. "
                "Name one of them."
            )
        flat[feature.name] = value
    return flat
