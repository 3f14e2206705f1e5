"""Levels of shared and task-specific experts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from mtl_keras.models import arguments
from mtl_keras.models.expert_mixtures import (
    concatenate_experts,
    expert_mlps,
    mix_experts,
)


def extraction_levels(
    x,
    names: Sequence[str],
    levels: int,
    shared_experts: int,
    task_experts: int,
    hidden_units: Sequence[int],
    **settings,
) -> dict:
    """Builds levels of shared and task-specific experts, mixed by gates.

    Args:
        x: Keras tensor of shape `(batch, features)`.
        names: Names of the tasks.
        levels: Number of levels, 1 or more.
        shared_experts: Number of shared experts of each level.
        task_experts: Number of experts of each task at each level.
        hidden_units: Width of each hidden layer of an expert.
        **settings: See `expert_mlps`.

    Returns:
        Dict from task name to the mixture of the last level.

    Raises:
        ValueError: If a task is named `"shared"`.
    """
    if "shared" in names:
        raise ValueError(
            "Task name 'shared' is also the name of the shared experts and "
            "gates. Give the task another name."
        )

    def experts(count: int, x, name: str) -> list:
        if not count:
            return []
        return [expert_mlps(x, count, hidden_units, name=name, **settings)]

    shared_input, task_inputs = x, dict.fromkeys(names, x)
    for level in range(1, levels + 1):
        shared = experts(
            shared_experts, shared_input, f"shared_experts_{level}"
        )
        specific = {
            name: experts(
                task_experts, task_inputs[name], f"{name}_experts_{level}"
            )
            for name in names
        }
        task_inputs = {
            name: _mix_level(
                level, name, task_inputs[name], [*specific[name], *shared]
            )
            for name in names
        }
        if shared_experts and level < levels:
            all_experts = [*chain(*specific.values()), *shared]
            shared_input = _mix_level(
                level, "shared", shared_input, all_experts
            )
    return task_inputs


def _mix_level(level: int, name: str, gate_input, experts: list):
    experts = concatenate_experts(experts, f"{name}_all_experts_{level}")
    return mix_experts(experts, gate_input, name, level=level)


def check_experts(shared_experts: int, task_experts: int) -> None:
    """Checks that gates have experts to mix.

    Args:
        shared_experts: Number of shared experts.
        task_experts: Number of experts of each task.

    Raises:
        TypeError: If a number is not an integer.
        ValueError: If a number is negative, or both are 0.
    """
    for argument, count in (
        ("shared_experts", shared_experts),
        ("task_experts", task_experts),
    ):
        arguments.check_integer(argument, count, minimum=0)
    if shared_experts + task_experts == 0:
        raise ValueError(
            "shared_experts=0 and task_experts=0 leave the gates without "
            "experts. Set at least one of them to 1 or more."
        )
