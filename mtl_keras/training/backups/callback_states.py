"""What callbacks remember from one epoch to the next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import keras
import numpy as np

# Attributes of Keras's own callbacks, which begin anew with each `fit`.
_REMEMBERED = {
    keras.callbacks.EarlyStopping: (
        "wait",
        "stopped_epoch",
        "best",
        "best_weights",
        "best_epoch",
    ),
    keras.callbacks.ReduceLROnPlateau: ("wait", "best", "cooldown_counter"),
    keras.callbacks.ModelCheckpoint: (
        "best",
        "_batches_seen_since_last_saving",
        "_last_batch_seen",
    ),
    keras.callbacks.History: ("epoch", "history"),
}


def read_callbacks(
    callbacks: Iterable[keras.callbacks.Callback],
) -> dict[str, dict[str, Any]]:
    """Reads what callbacks remember.

    These are Keras's `EarlyStopping`, `ReduceLROnPlateau`, `ModelCheckpoint`
    and `History`, and those that have methods `get_backup_state`, which
    returns a dict of numbers, texts, lists, dicts and arrays, and
    `set_backup_state`, which takes it.

    Args:
        callbacks: The callbacks of a training.

    Returns:
        Dict from name to state.
    """
    return {
        name: _state(callback) for name, callback in _named(callbacks).items()
    }


def assign_callbacks(
    callbacks: Iterable[keras.callbacks.Callback],
    states: Mapping[str, Mapping[str, Any]],
) -> None:
    """Gives callbacks what `read_callbacks` has read.

    Args:
        callbacks: The callbacks of a training. Those that were not there
            before keep what they have.
        states: What `read_callbacks` returned.
    """
    for name, callback in _named(callbacks).items():
        state = states.get(name)
        if state is None:
            continue
        if hasattr(callback, "set_backup_state"):
            callback.set_backup_state(state)
            continue
        for attribute, value in state.items():
            setattr(callback, attribute, value)


def take_arrays_out(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """Replaces arrays within a state, which then is JSON.

    Args:
        value: The state.
        arrays: Takes the arrays.
    """
    if isinstance(value, Mapping):
        return {k: take_arrays_out(v, arrays) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [take_arrays_out(v, arrays) for v in value]
    if isinstance(value, np.ndarray):
        name = f"callbacks/{len(arrays)}"
        arrays[name] = value
        return {"array": name}
    if isinstance(value, np.generic) or getattr(value, "shape", None) == ():
        return np.asarray(value).item()
    return value


def put_arrays_in(value: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    """Undoes `take_arrays_out`.

    Args:
        value: What it returned.
        arrays: Arrays by name.
    """
    if isinstance(value, Mapping):
        if set(value) == {"array"}:
            return arrays[value["array"]]
        return {k: put_arrays_in(v, arrays) for k, v in value.items()}
    if isinstance(value, list):
        return [put_arrays_in(v, arrays) for v in value]
    return value


def _named(callbacks) -> dict[str, keras.callbacks.Callback]:
    """The callbacks with a memory, by class and number within it."""
    named = {}
    for callback in callbacks:
        if _attributes(callback) or hasattr(callback, "get_backup_state"):
            kind = type(callback).__name__
            number = sum(name.startswith(f"{kind} ") for name in named)
            named[f"{kind} {number}"] = callback
    return named


def _attributes(callback) -> tuple[str, ...]:
    kinds = (k for k in _REMEMBERED if isinstance(callback, k))
    return next((_REMEMBERED[kind] for kind in kinds), ())


def _state(callback) -> dict[str, Any]:
    if hasattr(callback, "get_backup_state"):
        return callback.get_backup_state()
    # `best` is not there before there is one.
    state = {
        name: getattr(callback, name)
        for name in _attributes(callback)
        if hasattr(callback, name)
    }
    if state.get("best_weights") is not None:
        # The weight of a counter is a number, which would lose its dtype.
        state["best_weights"] = list(map(np.asarray, state["best_weights"]))
    return state
