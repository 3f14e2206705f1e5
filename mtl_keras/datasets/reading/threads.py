"""Calls a function on many items, in several threads."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import keras

# More hardly help for files on a disk; so many do on a network.
_MAX_THREADS = 16
_MAX_CHUNK = 32


def map_in_threads(
    function: Callable[[Any], Any],
    items: Sequence,
    *,
    min_chunk: int = 1,
    unit: str = "file",
    progress_bar_from: int | None = None,
) -> list:
    """Calls a function on each item, in several threads.

    Args:
        function: Function of an item. It must not call `map_in_threads`.
        items: Sequence of the items.
        min_chunk: Integer, minimum number of items per thread. Defaults to 1.
        unit: Name of an item, for the progress bar. Defaults to `"file"`.
        progress_bar_from: Integer, minimum number of items for a progress bar.
            Defaults to `None`: no progress bar.

    Returns:
        List of results, in the order of the items. If the function raises an
        error, that is raised, and no further item is started.

    Example:

    >>> from mtl_keras.datasets.reading.threads import map_in_threads
    >>> map_in_threads(abs, [-3, 4])
    [3, 4]
    """
    bar = None
    if progress_bar_from is not None and len(items) >= progress_bar_from:
        bar = keras.utils.Progbar(len(items), unit_name=unit)
    size = min(-(-len(items) // _count_threads()), _MAX_CHUNK)
    size = max(size, min_chunk)

    def call(start):
        return [function(item) for item in items[start : start + size]]

    results = []
    for chunk in _pool().map(call, range(0, len(items), size)):
        results += chunk
        if bar is not None:
            bar.update(len(results))
    return results


def _count_threads() -> int:
    return min(_MAX_THREADS, (os.cpu_count() or 1) + 4)


@functools.cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_count_threads(), thread_name_prefix="read")


if hasattr(os, "register_at_fork"):  # a forked process has no threads
    os.register_at_fork(after_in_child=_pool.cache_clear)
