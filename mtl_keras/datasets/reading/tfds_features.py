"""The features of a data set of TensorFlow Datasets, by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from mtl_keras.spelling import did_you_mean


@dataclasses.dataclass(frozen=True)
class NamedFeature:
    """A feature of a data set.

    Args:
        name: String, `"a/b"` for the feature `b` of the dict `a`.
        path: Tuple of the keys that lead to it.
        connector: The `tfds.features.FeatureConnector` of one of its values.
        shape: Tuple, shape of the feature, `None` where a length is open.
        dtype: The numpy dtype.
        sequence_rank: Integer, how many of the axes are sequences of values.
    """

    name: str
    path: tuple[str, ...]
    connector: Any
    shape: tuple[int | None, ...]
    dtype: Any
    sequence_rank: int = 0

    def __str__(self) -> str:
        said = f"{type(self.connector).__name__} of shape {self.shape}"
        if self.sequence_rank:
            said = f"Sequence of {said}"
        return f"{said} and dtype {np.dtype(self.dtype).name}"

    @property
    def is_image(self) -> bool:
        """Whether each value is one image."""
        import tensorflow_datasets as tfds

        is_one = not self.sequence_rank
        return is_one and isinstance(self.connector, tfds.features.Image)

    def value(self, example: Mapping) -> Any:
        """Takes the feature out of an example.

        Args:
            example: Nested dict of tensors.

        Returns:
            Tensor, of an image its pixels.
        """
        for key in self.path:
            example = example[key]
        if self.is_image and example.dtype == tf.string:
            # It waits for its turn as the file that it is.
            return self.connector.decode_example(example)
        return example


class Features:
    """The features of a data set by name.

    Args:
        features: The `tfds.features.FeaturesDict` of the data set.
        source: String, what they are of, for errors.

    Raises:
        ValueError: If the features have no names.
    """

    def __init__(self, features: Any, source: str):
        self._features = features
        self._source = source
        self.by_name = {f.name: f for f in _flat(features)}
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
        """Finds a feature, or all features of a dict.

        Args:
            name: String, what the caller wrote.
            argument: String, the argument in which it stands.

        Returns:
            The features.

        Raises:
            ValueError: If there is none of that name.
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

    def read_only(
        self,
        wanted: Sequence[NamedFeature],
        decoders: Mapping[str, Any],
        skip: bool,
    ) -> Any:
        """Says which features to read, and how.

        Args:
            wanted: Sequence of the features.
            decoders: Dict from the name of a feature to its decoder. Those of
                other features are left out.
            skip: Whether images stay encoded until `NamedFeature.value`.

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
            _nested(self._features, paths), _nested_dict(chosen) or None
        )


def _flat(
    connector: Any, info: Any = None, path: tuple = (), rank: int = 0
) -> Iterator[NamedFeature]:
    import tensorflow_datasets as tfds

    info = connector.get_tensor_info() if info is None else info
    if isinstance(connector, tfds.features.FeaturesDict):
        for key, inner in connector.items():
            yield from _flat(inner, info[key], (*path, key), rank)
    elif isinstance(connector, tfds.features.Dataset):
        # A data set within an example has no shape of its own.
        kind = np.object_
        yield NamedFeature("/".join(path), path, connector, (None,), kind, 0)
    elif isinstance(connector, tfds.features.Sequence):
        yield from _flat(connector.feature, info, path, rank + 1)
    else:
        yield NamedFeature(
            "/".join(path),
            path,
            connector,
            tuple(info.shape),
            info.np_dtype,
            rank,
        )


def _nested(connector: Any, paths: Sequence[tuple[str, ...]]) -> Any:
    """True where features are read, in the form that TFDS expects."""
    import tensorflow_datasets as tfds

    kinds = (tfds.features.FeaturesDict, tfds.features.Sequence)
    # What inherits from these is read as a whole.
    if type(connector) not in kinds or () in paths:
        return True
    if type(connector) is tfds.features.Sequence:
        return _nested(connector.feature, paths)
    keys = dict.fromkeys(path[0] for path in paths)
    return {
        key: _nested(
            connector[key], [path[1:] for path in paths if path[0] == key]
        )
        for key in keys
    }


def _nested_dict(by_path: Mapping[tuple[str, ...], Any]) -> dict:
    nested: dict = {}
    for path, value in by_path.items():
        inner = nested
        for key in path[:-1]:
            inner = inner.setdefault(key, {})
        inner[path[-1]] = value
    return nested


def flat_decoders(decoders: Any, features: Features) -> dict[str, Any]:
    """Brings decoders into a dict by the names of features.

    Args:
        decoders: Dict from names to decoders, nested as the features are or
            with names such as `"a/b"`; or `None`.
        features: The `Features`.

    Returns:
        Dict from name to decoder.

    Raises:
        TypeError: If it is no dict.
        ValueError: If there is no feature of a name.
    """
    if decoders is None:
        return {}
    if not isinstance(decoders, Mapping):
        raise TypeError(
            f"`decoders` must be a dict from the name of a feature to a "
            f"tfds.decode.Decoder, found a {type(decoders).__name__}. The "
            "features that are neither inputs nor tasks are not read anyway."
        )
    flat = {}
    for key, value in decoders.items():
        if isinstance(value, Mapping):
            inner = flat_decoders(
                {f"{key}/{name}": v for name, v in value.items()}, features
            )
            flat |= inner
            continue
        (feature, *more) = features.resolve(key, "decoders")
        if more:
            raise ValueError(
                f"`decoders` names {key!r}, which holds several features. Name "
                "one of them."
            )
        flat[feature.name] = value
    return flat
