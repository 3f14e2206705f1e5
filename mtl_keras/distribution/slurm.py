"""Reads the workers of a SLURM job from its environment variables.

TensorFlow's `SlurmClusterResolver` needs GPUs (TensorFlow issue 56894), sorts
hosts alphabetically, so that n10 comes before n2, and overrides the
CUDA_VISIBLE_DEVICES that SLURM sets.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

import tensorflow as tf

from mtl_keras.distribution.devices import num_gpus

# Below the ephemeral ports of Linux (from 32768).
_FIRST_PORT, _PORTS_PER_STEP, _STEPS = 10240, 32, 640
_BY_HAND = "Or set TF_CONFIG in each task, which takes precedence."


def num_tasks(environment: Mapping[str, str] | None = None) -> int:
    """Counts the tasks of the SLURM step of this process.

    Args:
        environment: Environment variables. Defaults to `os.environ`.

    Returns:
        The number of tasks that `srun` started together; 0 if `srun` did not
        start this process: outside of SLURM, in the script that `sbatch`
        runs, and in an interactive shell.

    Raises:
        ValueError: If SLURM_STEP_NUM_TASKS is not a number.
    """
    environment = os.environ if environment is None else environment
    # SLURM_NTASKS is the number requested, which a shell of `salloc` has too.
    if "SLURM_STEP_NUM_TASKS" not in environment:
        return 0
    # `srun --pty bash` shows the tasks of the allocation but runs one. Another
    # srun from there starts processes without a terminal.
    if "SLURM_PTY_PORT" in environment and os.isatty(0):
        return 0
    return _number(environment, "SLURM_STEP_NUM_TASKS")


def addresses(environment: Mapping[str, str] | None = None) -> list[str]:
    """Returns the addresses of the workers of a SLURM step.

    Args:
        environment: Environment variables. Defaults to `os.environ`.

    Returns:
        `"host:port"` of each worker, in the order of SLURM_PROCID.

    Raises:
        ValueError: If a variable is missing, or variables contradict each
            other.
    """
    environment = os.environ if environment is None else environment
    hosts = expand_hosts(_text(environment, "SLURM_STEP_NODELIST"))
    counts = expand_counts(_text(environment, "SLURM_STEP_TASKS_PER_NODE"))
    total = _number(environment, "SLURM_STEP_NUM_TASKS")
    if len(hosts) != len(counts) or sum(counts) != total:
        raise ValueError(
            f"SLURM_STEP_NODELIST names {len(hosts)} hosts, "
            "SLURM_STEP_TASKS_PER_NODE is "
            f"{environment['SLURM_STEP_TASKS_PER_NODE']!r} and "
            f"SLURM_STEP_NUM_TASKS {total}, which contradict each other. Start "
            f"all workers with one srun. {_BY_HAND}"
        )
    ports = _ports(environment, max(counts))
    places = [
        (host, ports[local])
        for host, count in zip(hosts, counts, strict=True)
        for local in range(count)
    ]
    _check_place(environment, [host for host, _ in places])
    return [f"{host}:{port}" for host, port in places]


def resolver(
    environment: Mapping[str, str] | None = None,
) -> tf.distribute.cluster_resolver.ClusterResolver:
    """Creates a resolver for `tf.distribute.MultiWorkerMirroredStrategy`.

    Args:
        environment: Environment variables. Defaults to `os.environ`.

    Returns:
        A cluster resolver whose workers are the tasks of the step, each with
        its visible GPUs.

    Raises:
        ValueError: If a variable is missing, if variables contradict each
            other, or if several tasks of a host see the same GPUs.
    """
    environment = os.environ if environment is None else environment
    workers = addresses(environment)
    index = _number(environment, "SLURM_PROCID")
    host = workers[index].partition(":")[0]
    on_host = sum(worker.partition(":")[0] == host for worker in workers)
    _check_gpus(environment, on_host)
    return tf.distribute.cluster_resolver.SimpleClusterResolver(
        tf.train.ClusterSpec({"worker": workers}),
        task_type="worker",
        task_id=index,
        num_accelerators={"GPU": num_gpus()},
        rpc_layer="grpc",
    )


def expand_hosts(text: str) -> list[str]:
    """Expands a list of hosts in SLURM's notation.

    Args:
        text: The list, such as `"n[1-2,7],login"`.

    Returns:
        The names, in the order of the list.

    Raises:
        ValueError: If `text` cannot be parsed.

    Example:

    >>> mtl_keras.distribution.slurm.expand_hosts("r1n[08-10],r2n1")
    ['r1n08', 'r1n09', 'r1n10', 'r2n1']
    """
    # Commas between brackets separate numbers, not hosts.
    parts = re.findall(r"(?:[^,\[\]]|\[[\d,-]+\])+", text)
    if ",".join(parts) != text or not text:
        raise ValueError(
            f"SLURM_STEP_NODELIST is {text!r}; expected hosts such as "
            f"'n[1-2,7],login'. {_BY_HAND}"
        )
    return [host for part in parts for host in _expand_brackets(part)]


def expand_counts(text: str) -> list[int]:
    """Expands numbers of tasks in SLURM's notation.

    Args:
        text: The numbers, such as `"4(x2),1"`.

    Returns:
        The number of tasks on each host.

    Raises:
        ValueError: If `text` cannot be parsed.

    Example:

    >>> mtl_keras.distribution.slurm.expand_counts("4(x2),1")
    [4, 4, 1]
    """
    counts = []
    for part in text.split(","):
        found = re.fullmatch(r"(\d+)(?:\(x(\d+)\))?", part)
        if found is None:
            raise ValueError(
                f"SLURM_STEP_TASKS_PER_NODE is {text!r}; expected numbers such "
                f"as '4(x2),1'. {_BY_HAND}"
            )
        counts += [int(found[1])] * int(found[2] or 1)
    return counts


def _expand_brackets(text: str) -> list[str]:
    before, bracket, rest = text.partition("[")
    if not bracket:
        return [text]
    inside, _, after = rest.partition("]")
    names = []
    for span in inside.split(","):
        found = re.fullmatch(r"(\d+)(?:-(\d+))?", span)
        if found is None:
            raise ValueError(
                f"SLURM_STEP_NODELIST has {span!r} in brackets; expected "
                f"numbers such as '08-10'. {_BY_HAND}"
            )
        first, last = found[1], found[2] or found[1]
        numbers = range(int(first), int(last) + 1)
        names += [f"{number:0{len(first)}}" for number in numbers]
    return [
        before + name + end for name in names for end in _expand_brackets(after)
    ]


def _ports(environment: Mapping[str, str], count: int) -> list[int]:
    """Picks ports for the tasks of a host, the same ones on all workers."""
    reserved = environment.get("SLURM_STEP_RESV_PORTS", "")
    if reserved:
        spans = (span.partition("-") for span in reserved.split(","))
        ports = [
            port
            for first, _, last in spans
            for port in range(int(first), int(last or first) + 1)
        ]
        if len(ports) >= count:
            return ports
    job = _number(environment, "SLURM_JOB_ID")
    step = _number(environment, "SLURM_STEP_ID")
    # Jobs on one host have similar numbers, which must not share ports.
    place = (job + 97 * step) % _STEPS
    first = _FIRST_PORT + _PORTS_PER_STEP * place
    return list(range(first, first + count))


def _check_place(environment: Mapping[str, str], hosts: list[str]) -> None:
    index = _number(environment, "SLURM_PROCID")
    if index >= len(hosts):
        raise ValueError(
            f"SLURM_PROCID is {index}, but the step has {len(hosts)} tasks. "
            f"Start all workers with one srun. {_BY_HAND}"
        )
    own = environment.get("SLURMD_NODENAME", hosts[index])
    if own != hosts[index]:
        raise ValueError(
            f"Task {index} runs on {own!r} (SLURMD_NODENAME), but by the order "
            f"of the hosts it belongs to {hosts[index]!r}: SLURM_DISTRIBUTION "
            f"is {environment.get('SLURM_DISTRIBUTION')!r}. Start the workers "
            f"with srun --distribution=block. {_BY_HAND}"
        )


def _check_gpus(environment: Mapping[str, str], tasks: int) -> None:
    on_host = environment.get("SLURM_GPUS_ON_NODE", "")
    visible = num_gpus()
    if tasks > 1 and on_host.isdigit() and 0 < int(on_host) <= visible:
        raise ValueError(
            f"This host has {tasks} tasks, and each sees all {visible} GPUs of "
            "the step (SLURM_GPUS_ON_NODE), so they would share them. Start "
            "the workers with srun --gpus-per-task=1, or start one task on "
            "each host, which then uses all of its GPUs."
        )


def _number(environment: Mapping[str, str], name: str) -> int:
    text = _text(environment, name)
    if not text.isdigit():
        raise ValueError(f"{name} is {text!r}; expected a number. {_BY_HAND}")
    return int(text)


def _text(environment: Mapping[str, str], name: str) -> str:
    if not environment.get(name):
        raise ValueError(
            f"This process is a SLURM task, but {name} is not set. Start all "
            f"workers with one srun, which sets it. {_BY_HAND}"
        )
    return environment[name]
