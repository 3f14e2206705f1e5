"""Reads the callbacks of a search."""

from __future__ import annotations

import copy

import keras


def read_callbacks(given) -> tuple[keras.callbacks.Callback, ...]:
    """Reads callbacks in the forms that `keras.Model.fit` takes.

    Args:
        given: A callback, several callbacks, or `None`.

    Returns:
        A tuple of callbacks.

    Raises:
        TypeError: If an item is not a callback, or cannot be copied for each
            training.
    """
    if given is None:
        return ()
    if not isinstance(given, list | tuple):
        given = (given,)
    for callback in given:
        _check_callback(callback)
    return tuple(given)


def _check_callback(callback) -> None:
    name = type(callback).__name__
    if isinstance(callback, type):
        raise TypeError(
            f"callbacks: found the class {callback.__name__}; expected an "
            f"instance of it, {callback.__name__}()."
        )
    if not isinstance(callback, keras.callbacks.Callback):
        raise TypeError(
            f"callbacks: found {callback!r} of type {name}; expected a "
            "keras.callbacks.Callback, or a list of them."
        )
    try:
        copy.deepcopy(callback)
    except Exception as error:
        raise TypeError(
            f"callbacks: {name} cannot be copied: {error}. Each training of a "
            "search gets a copy of each callback. Create locks, open files and "
            "connections in on_train_begin, not in the constructor, or define "
            "__deepcopy__ in the class."
        ) from error
