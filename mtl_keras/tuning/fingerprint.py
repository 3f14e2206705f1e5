"""Describes the data, callbacks and factory that a search runs on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from mtl_keras.tuning.array_digest import digest
from mtl_keras.tuning.best_recipe import is_plain
from mtl_keras.tuning.factory_source import describe_factory
from mtl_keras.tuning.first_batch import read_first_batch
from mtl_keras.tuning.plain_values import to_plain

Fingerprint = Mapping[str, Any]
# Attributes of a callback that `fit` sets.
_SET_BY_FIT = {"params"}


def make_fingerprint(factory, train, validation, callbacks) -> dict[str, Any]:
    """Describes what a search runs on.

    Arrays are described by their content; data sets by their specification
    and number of batches, and by their first batch if two readings of it
    agree.

    Args:
        factory: The factory.
        train: Training data, the result of `as_arrays`.
        validation: Validation data in the same form, or `None`.
        callbacks: The callbacks.

    Returns:
        A dict of JSON values with the keys `data`, `callbacks` and `factory`.
    """
    return {
        "data": {
            **_describe_data("training", train),
            **_describe_data("validation", validation),
        },
        "callbacks": [describe_callback(callback) for callback in callbacks],
        "factory": describe_factory(factory),
    }


def describe_callback(callback: keras.callbacks.Callback) -> dict[str, str]:
    """Describes a callback by its class and plain attributes.

    Args:
        callback: The callback.

    Returns:
        Dict from `class` and names of attributes to text.
    """
    kind = type(callback)
    values = {n: to_plain(v) for n, v in vars(callback).items()}
    plain = {
        n: repr(v)
        for n, v in sorted(values.items())
        if is_plain(v) and n not in _SET_BY_FIT
    }
    return {"class": f"{kind.__module__}.{kind.__qualname__}", **plain}


def data_differences(before: Fingerprint, now: Fingerprint) -> list[str]:
    """Lists the parts of the data that differ.

    Args:
        before: Fingerprint of the search in the folder.
        now: Fingerprint of the new search.

    Returns:
        Names such as `"training inputs"`.
    """
    old, new = before["data"], now["data"]
    return [
        name
        for name in dict.fromkeys([*old, *new])
        if not _is_same_data(old.get(name), new.get(name))
    ]


def code_differences(before: Fingerprint, now: Fingerprint) -> list[str]:
    """Lists the differences between callbacks and factories.

    Args:
        before: Fingerprint of the search in the folder.
        now: Fingerprint of the new search.

    Returns:
        Texts such as `"callbacks (EarlyStopping: patience was 2 and is 3)"`.
    """
    found = []
    if before["callbacks"] != now["callbacks"]:
        what = _compare_callbacks(before["callbacks"], now["callbacks"])
        found.append(f"callbacks ({what})")
    old, new = before["factory"], now["factory"]
    what = [
        name
        for name in dict.fromkeys([*old, *new])
        # Not all code has a source, for example in a Python prompt.
        if old.get(name) != new.get(name)
        and not (name == "source" and None in (old.get(name), new.get(name)))
    ]
    if what:
        found.append(f"factory ({', '.join(what)})")
    return found


def _describe_data(name: str, data) -> dict[str, Any]:
    if data is None:
        return {}
    if not isinstance(data, tuple):
        return {f"{name} data": _describe_stream(data)}
    x, y, *weights = data
    found = {f"{name} inputs": digest(x)}
    if isinstance(y, Mapping):
        found |= {f"{name} targets {n!r}": digest(y[n]) for n in sorted(y)}
    else:
        found[f"{name} targets"] = digest(y)
    if weights:
        found[f"{name} sample weights"] = digest(weights[0])
    return found


def _describe_stream(stream) -> dict[str, Any]:
    size = None
    if isinstance(stream, tf.data.Dataset):
        size = int(stream.cardinality())
    elif hasattr(stream, "__len__"):
        size = len(stream)
    first, again = (_digest_first_batch(stream) for _ in range(2))
    return {
        "type": type(stream).__name__.lstrip("_"),
        "specification": str(getattr(stream, "element_spec", None)),
        "batches": size,
        "first batch": first if first == again else None,
    }


def _digest_first_batch(stream) -> str | None:
    if hasattr(stream, "__next__"):  # reading would take the batch away
        return None
    try:
        return digest(read_first_batch(stream))
    except TypeError:  # for a custom `HyperModel.fit`, data may be anything
        return None


def _is_same_data(old, new) -> bool:
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        return old == new
    names = ["specification", "batches"]
    if None not in (old["first batch"], new["first batch"]):
        names.append("first batch")
    return all(old[name] == new[name] for name in names)


def _compare_callbacks(old: Sequence, new: Sequence) -> str:
    kinds = [[each["class"] for each in given] for given in (old, new)]
    if kinds[0] != kinds[1]:
        before, now = (
            [kind.split(".")[-1] for kind in given] for given in kinds
        )
        return f"they were {before} and are {now}"
    found = []
    for before, now in zip(old, new, strict=True):
        name = before["class"].split(".")[-1]
        found += [
            f"{name}: {key} was {before.get(key)} and is {now.get(key)}"
            for key in dict.fromkeys([*before, *now])
            if before.get(key) != now.get(key)
        ]
    return "; ".join(found)
