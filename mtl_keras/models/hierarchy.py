"""Levels of a trunk and predictions that each task reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

import keras

from mtl_keras.models import arguments
from mtl_keras.spelling import did_you_mean
from mtl_keras.tasks import Task


class Hierarchy:
    """Checks and applies the levels and the feeds of the tasks of a model.

    Args:
        tasks: List of tasks.
        depth: Number of levels of the trunk.
        levels: Dict from task name to level, or `None`.
        feeds: Dict from task name to a list of task names, or `None`.
        stop_gradient: Whether to stop gradients at predictions that another
            task reads.

    Raises:
        TypeError: If a level is not an integer, or a feed is not a list.
        ValueError: If a name is unknown, a level does not exist, or tasks
            feed each other in a cycle.
    """

    def __init__(
        self,
        tasks: Sequence[Task],
        depth: int,
        levels: Mapping[str, int] | None,
        feeds: Mapping[str, Sequence[str]] | None,
        stop_gradient: bool,
    ):
        self._tasks = {task.name: task for task in tasks}
        self._stop_gradient = stop_gradient
        if levels is None:
            levels = {tasks[0].name: (depth + 1) // 2}
        self._check_names("levels", levels)
        for name, level in levels.items():
            if arguments.check_integer("levels", level, minimum=1) > depth:
                raise ValueError(
                    f"levels[{name!r}]={level}, but the trunk has {depth} "
                    f"levels. Choose 1 to {depth}, or a larger trunk_depth."
                )
        self._levels = dict.fromkeys(self._tasks, depth) | dict(levels)
        self._feeds = self._resolve_feeds(feeds or {})
        self._order = self._sort_tasks()

    def add_heads(self, features) -> dict:
        """Adds the heads, each after those whose predictions it reads.

        Args:
            features: Features of each level, indexed from 0.

        Returns:
            Dict from task name to output tensor, in the order of the tasks.
        """
        outputs = {}
        for name in self._order:
            x = features[self._levels[name] - 1]
            if self._feeds[name]:
                fed = [outputs[other] for other in self._feeds[name]]
                if self._stop_gradient:
                    fed = [keras.ops.stop_gradient(output) for output in fed]
                fuse = keras.layers.Concatenate(name=f"{name}_fusion")
                x = fuse([x, *fed])
            outputs[name] = self._tasks[name].head(x)
        return {name: outputs[name] for name in self._tasks}

    def _check_names(self, argument: str, names) -> None:
        if not isinstance(names, Mapping):
            raise TypeError(
                f"{argument}={names!r}; expected a dict by task name."
            )
        for name in names:
            self._check_name(argument, name)

    def _check_name(self, argument: str, name) -> None:
        if name not in self._tasks:
            raise ValueError(
                f"{argument} names {name!r}, which is not a task. "
                f"{did_you_mean(name, self._tasks)}"
            )

    def _resolve_feeds(self, feeds: Mapping) -> dict[str, tuple]:
        self._check_names("feeds", feeds)
        for name, others in feeds.items():
            if isinstance(others, str) or not isinstance(others, Sequence):
                raise TypeError(
                    f"feeds[{name!r}]={others!r}; expected a list of task "
                    f"names, such as [{others!r}]."
                )
            for other in others:
                self._check_name(f"feeds[{name!r}]", other)
        return {name: tuple(feeds.get(name, ())) for name in self._tasks}

    def _sort_tasks(self) -> list[str]:
        try:
            return list(TopologicalSorter(self._feeds).static_order())
        except CycleError as error:
            cycle = " -> ".join(map(repr, error.args[1]))
            raise ValueError(
                f"feeds has a cycle, {cycle}: each of these tasks reads the "
                "prediction of the one before. Leave one of the feeds out."
            ) from error
