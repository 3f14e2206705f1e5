"""Which level of a trunk each task reads, and whose predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

import keras

from mtl_keras.models import arguments
from mtl_keras.spelling import did_you_mean
from mtl_keras.tasks import Classification, Task


def coarse_and_fine(num_classes: int | Sequence[int] | None) -> list[Task]:
    """The default tasks of hierarchies.

    Args:
        num_classes: Classes of the two, one number or two; `None` is (2, 10).
    """
    if num_classes is None:
        num_classes = (2, 10)
    if not isinstance(num_classes, Sequence):
        num_classes = (num_classes, num_classes)
    if len(num_classes) != 2:
        raise ValueError(
            f"num_classes={num_classes!r}; expected one number, or one for "
            "each of the two default tasks, such as (2, 10)."
        )
    names = ("coarse", "fine")
    return [
        Classification(name, count)
        for name, count in zip(names, num_classes, strict=True)
    ]


class Hierarchy:
    """The levels and the feeds of the tasks of one model, checked.

    Args:
        tasks: The tasks.
        depth: Number of levels of the trunk.
        levels: Dict from task name to level, or `None`.
        feeds: Dict from task name to names of tasks, or `None`.
        stop_gradient: Whether gradients stop at predictions that are read.

    Raises:
        TypeError: If a level is no integer, or `feeds` lists no names.
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
            if arguments.check_integer("levels", level, least=1) > depth:
                raise ValueError(
                    f"levels[{name!r}]={level}, and the trunk has {depth} "
                    f"levels. Choose 1 to {depth}, or a larger trunk_depth."
                )
        self._levels = dict.fromkeys(self._tasks, depth) | dict(levels)
        self._feeds = self._checked_feeds(feeds or {})
        self._order = self._ordered()

    def outputs(self, features) -> dict:
        """Makes the heads, each after those whose predictions it reads.

        Args:
            features: Features of each level, by index from 0.

        Returns:
            Dict from task name to output tensor, in the order of the tasks.
        """
        outputs = {}
        for name in self._order:
            x = features[self._levels[name] - 1]
            if self._feeds[name]:
                read = [outputs[other] for other in self._feeds[name]]
                if self._stop_gradient:
                    read = [keras.ops.stop_gradient(of) for of in read]
                fuse = keras.layers.Concatenate(name=f"{name}_fusion")
                x = fuse([x, *read])
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
                f"{argument} names {name!r}, which is no task. "
                f"{did_you_mean(name, self._tasks)}"
            )

    def _checked_feeds(self, feeds: Mapping) -> dict[str, tuple]:
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

    def _ordered(self) -> list[str]:
        try:
            return list(TopologicalSorter(self._feeds).static_order())
        except CycleError as error:
            cycle = " -> ".join(map(repr, error.args[1]))
            raise ValueError(
                f"feeds has a cycle, {cycle}: each of these tasks would have "
                "to predict before the other. Leave one of the feeds out."
            ) from error
