"""The state of callbacks between epochs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import keras
import numpy as np

# State attributes of Keras's callbacks, which each `fit` resets.
_STATE_ATTRIBUTES = {
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


def get_callback_states(
    callbacks: Iterable[keras.callbacks.Callback],
) -> dict[str, dict[str, Any]]:
    """Returns the states of callbacks.

    Keras's `EarlyStopping`, `ReduceLROnPlateau`, `ModelCheckpoint` and
    `History` have a state, and custom callbacks with the methods
    `get_backup_state`, which returns a dict of numbers, strings, lists, dicts
    and arrays, and `set_backup_state`, which receives it.

    Args:
        callbacks: The callbacks of training.

    Returns:
        Dict from name to state.
    """
    return {
        name: _get_state(callback)
        for name, callback in _name_callbacks(callbacks).items()
    }


def set_callback_states(
    callbacks: Iterable[keras.callbacks.Callback],
    states: Mapping[str, Mapping[str, Any]],
) -> None:
    """Sets the states of callbacks.

    Args:
        callbacks: The callbacks of training. Callbacks without an entry in
            `states` keep their state.
        states: The result of `get_callback_states`.
    """
    for name, callback in _name_callbacks(callbacks).items():
        state = states.get(name)
        if state is None:
            continue
        if hasattr(callback, "set_backup_state"):
            callback.set_backup_state(state)
            continue
        for attribute, value in state.items():
            setattr(callback, attribute, value)


def extract_arrays(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """Replaces arrays in a state, so that it can be serialized to JSON.

    Args:
        value: The state.
        arrays: Dict that receives the arrays.

    Returns:
        The state with references to the arrays.
    """
    if isinstance(value, Mapping):
        return {k: extract_arrays(v, arrays) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [extract_arrays(v, arrays) for v in value]
    if isinstance(value, np.ndarray):
        name = f"callbacks/{len(arrays)}"
        arrays[name] = value
        return {"array": name}
    if isinstance(value, np.generic) or getattr(value, "shape", None) == ():
        return np.asarray(value).item()
    return value


def insert_arrays(value: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    """Inserts arrays into a state; the inverse of `extract_arrays`.

    Args:
        value: The result of `extract_arrays`.
        arrays: Dict from name to array.
    """
    if isinstance(value, Mapping):
        if set(value) == {"array"}:
            return arrays[value["array"]]
        return {k: insert_arrays(v, arrays) for k, v in value.items()}
    if isinstance(value, list):
        return [insert_arrays(v, arrays) for v in value]
    return value


def _name_callbacks(callbacks) -> dict[str, keras.callbacks.Callback]:
    """Names the callbacks with a state by class and number."""
    named = {}
    for callback in callbacks:
        if _get_attributes(callback) or hasattr(callback, "get_backup_state"):
            kind = type(callback).__name__
            number = sum(name.startswith(f"{kind} ") for name in named)
            named[f"{kind} {number}"] = callback
    return named


def _get_attributes(callback) -> tuple[str, ...]:
    kinds = (k for k in _STATE_ATTRIBUTES if isinstance(callback, k))
    return next((_STATE_ATTRIBUTES[kind] for kind in kinds), ())


def _get_state(callback) -> dict[str, Any]:
    if hasattr(callback, "get_backup_state"):
        return callback.get_backup_state()
    # `best` does not exist before the first epoch.
    state = {
        name: getattr(callback, name)
        for name in _get_attributes(callback)
        if hasattr(callback, name)
    }
    if state.get("best_weights") is not None:
        # The weight of a counter is a number, which would lose its dtype.
        state["best_weights"] = list(map(np.asarray, state["best_weights"]))
    return state
