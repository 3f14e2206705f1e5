"""Levels of experts of all tasks beside experts of one task."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from mtl_keras.models import arguments
from mtl_keras.models.expert_mixtures import expert_mlps, mix, together


def extraction(
    x,
    names: Sequence[str],
    levels: int,
    shared_experts: int,
    task_experts: int,
    hidden_units: Sequence[int],
    **settings,
) -> dict:
    """Builds levels of experts of all tasks and of one, mixed by gates.

    Args:
        x: Keras tensor of shape `(batch, features)`.
        names: Names of the tasks.
        levels: Number of levels, 1 or more.
        shared_experts: Number of experts that all tasks read at a level.
        task_experts: Number of experts of each task at a level.
        hidden_units: Width of each hidden layer of an expert.
        **settings: See `expert_mlps`.

    Returns:
        Dict from task name to what the task mixes at the last level.
    """
    if "shared" in names:
        raise ValueError(
            "Task name 'shared' is also the name of the experts and gates of "
            "all tasks. Give the task another name."
        )

    def experts(count: int, x, name: str) -> list:
        if not count:
            return []
        return [expert_mlps(x, count, hidden_units, name=name, **settings)]

    shared, own = x, dict.fromkeys(names, x)
    for level in range(1, levels + 1):
        of_all = experts(shared_experts, shared, f"shared_experts_{level}")
        of_task = {
            name: experts(task_experts, own[name], f"{name}_experts_{level}")
            for name in names
        }
        own = {
            name: _mix_at(level, name, own[name], [*of_task[name], *of_all])
            for name in names
        }
        if shared_experts and level < levels:
            every = [*chain(*of_task.values()), *of_all]
            shared = _mix_at(level, "shared", shared, every)
    return own


def _mix_at(level: int, name: str, gate_input, experts: list):
    experts = together(experts, f"{name}_all_experts_{level}")
    return mix(experts, gate_input, name, level=level)


def check_experts(shared_experts: int, task_experts: int) -> None:
    """Raises an error unless gates have experts to weigh.

    Args:
        shared_experts: Number of experts that all tasks read.
        task_experts: Number of experts of each task.
    """
    for argument, count in (
        ("shared_experts", shared_experts),
        ("task_experts", task_experts),
    ):
        arguments.check_integer(argument, count, least=0)
    if shared_experts + task_experts == 0:
        raise ValueError(
            "shared_experts=0 and task_experts=0 leave the gates without "
            "experts. Give at least one of the two 1 or more."
        )
