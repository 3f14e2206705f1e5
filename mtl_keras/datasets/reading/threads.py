"""Calls a function on many things, several at a time."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import keras

# More hardly help where files lie on a disk, and these do on a network.
_MOST_THREADS = 16
_MOST_AT_ONCE = 32


def map_in_threads(
    function: Callable[[Any], Any],
    items: Sequence,
    *,
    at_once: int = 1,
    unit: str = "file",
    shown_from: int | None = None,
) -> list:
    """Calls a function on each item, in several threads.

    Args:
        function: Called with an item, from several threads at once. It must
            not call this function itself.
        items: Sequence of the items.
        at_once: Integer, how many items a thread takes at least. Defaults to
            1.
        unit: String, what an item is, for the progress bar. Defaults to
            `"file"`.
        shown_from: Integer, the number of items from which on a progress bar
            is shown. Defaults to `None`: none is.

    Returns:
        List of what the function returns, in the order of the items. The
        first error that it raises is raised, and no other item is begun.

    Example:

    >>> from mtl_keras.datasets.reading.threads import map_in_threads
    >>> map_in_threads(abs, [-3, 4])
    [3, 4]
    """
    bar = None
    if shown_from is not None and len(items) >= shown_from:
        bar = keras.utils.Progbar(len(items), unit_name=unit)
    size = min(-(-len(items) // _threads()), _MOST_AT_ONCE)
    size = max(size, at_once)

    def call(start):
        return [function(item) for item in items[start : start + size]]

    results = []
    for some in _pool().map(call, range(0, len(items), size)):
        results += some
        if bar is not None:
            bar.update(len(results))
    return results


def _threads() -> int:
    return min(_MOST_THREADS, (os.cpu_count() or 1) + 4)


@functools.cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_threads(), thread_name_prefix="read")


if hasattr(os, "register_at_fork"):  # a process that is forked has no threads
    os.register_at_fork(after_in_child=_pool.cache_clear)
