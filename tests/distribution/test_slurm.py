"""Reading the workers of a SLURM step from the variables that `srun` sets."""

import os
import random

import pytest
import tensorflow as tf

from mtl_keras import distribution
from mtl_keras.distribution import slurm

STEP = {
    "SLURM_JOB_ID": "4711",
    "SLURM_STEP_ID": "0",
    "SLURM_STEP_NUM_TASKS": "4",
    "SLURM_STEP_NODELIST": "n[9-10]",
    "SLURM_STEP_TASKS_PER_NODE": "2(x2)",
    "SLURM_PROCID": "0",
    "SLURMD_NODENAME": "n9",
}


@pytest.fixture
def outside(monkeypatch):
    """Removes the variables of a cluster."""
    for name in list(os.environ):
        if name.startswith("SLURM") or name == "TF_CONFIG":
            monkeypatch.delenv(name)


@pytest.fixture
def gpus(monkeypatch):
    def see(count):
        monkeypatch.setattr(slurm, "num_gpus", lambda: count)

    return see


def test_workers_are_in_the_order_of_their_indices():
    addresses = slurm.addresses(STEP)
    hosts = [address.partition(":")[0] for address in addresses]
    assert hosts == ["n9", "n9", "n10", "n10"]  # not in alphabetical order
    assert len(set(addresses)) == 4
    ports = [int(address.partition(":")[2]) for address in addresses]
    assert ports[:2] == ports[2:]
    assert all(1024 < port < 32768 for port in ports)


def test_all_tasks_find_the_same_addresses():
    found = {
        tuple(
            slurm.addresses(
                {**STEP, "SLURM_PROCID": number, "SLURMD_NODENAME": host}
            )
        )
        for number, host in zip("0123", ["n9", "n9", "n10", "n10"], strict=True)
    }
    assert len(found) == 1


def test_jobs_and_steps_that_share_a_host_have_ports_of_their_own():
    jobs = [{**STEP, "SLURM_JOB_ID": str(4711 + i)} for i in range(90)]
    steps = [{**STEP, "SLURM_STEP_ID": str(i)} for i in range(1, 6)]
    used = [slurm.addresses(variables) for variables in (*jobs, *steps)]
    assert len({address for one in used for address in one}) == 4 * len(used)


@pytest.mark.parametrize(
    ("reserved", "ports"),
    [("12000-12001", ["12000", "12001"]), ("12007,12003", ["12007", "12003"])],
)
def test_ports_that_srun_reserved(reserved, ports):
    addresses = slurm.addresses({**STEP, "SLURM_STEP_RESV_PORTS": reserved})
    assert [address.partition(":")[2] for address in addresses] == ports * 2


def test_too_few_reserved_ports_are_not_used():
    variables = {**STEP, "SLURM_STEP_RESV_PORTS": "12000"}
    assert slurm.addresses(variables) == slurm.addresses(STEP)


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("n1", ["n1"]),
        ("n1,m2", ["n1", "m2"]),
        ("n[1-3,7]", ["n1", "n2", "n3", "n7"]),
        ("n[08-10]", ["n08", "n09", "n10"]),
        ("n1,o[2,4-5]-ib,x-y", ["n1", "o2-ib", "o4-ib", "o5-ib", "x-y"]),
        ("r[1-2]n[1-2]", ["r1n1", "r1n2", "r2n1", "r2n2"]),
    ],
)
def test_lists_of_hosts(text, hosts):
    assert slurm.expand_hosts(text) == hosts


def test_lists_of_hosts_there_and_back():
    draws = random.Random(0)
    for _ in range(50):
        width = draws.choice([1, 3])
        numbers = sorted(draws.sample(range(1, 90), draws.randint(1, 12)))
        spans, hosts = [], []
        for number in numbers:
            last = number + draws.randint(0, 3)
            spans.append(f"{number:0{width}}-{last:0{width}}")
            hosts += [f"n{i:0{width}}" for i in range(number, last + 1)]
        assert slurm.expand_hosts(f"n[{','.join(spans)}]") == hosts


@pytest.mark.parametrize(
    "text", ["", "n[1-2", "n1,,n2", "n]1", "n[a-b]", "n[1-]", "n[]", ",n1"]
)
def test_bad_lists_of_hosts(text):
    with pytest.raises(ValueError, match=r"SLURM_STEP_NODELIST .*TF_CONFIG"):
        slurm.expand_hosts(text)


@pytest.mark.parametrize("text", ["", "2(x)", "two", "2(x2", "2,"])
def test_bad_numbers_of_tasks(text):
    with pytest.raises(ValueError, match="SLURM_STEP_TASKS_PER_NODE is"):
        slurm.expand_counts(text)


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        (
            {"SLURM_STEP_NODELIST": ""},
            "NODELIST is not set.*one srun",
        ),
        ({"SLURM_JOB_ID": ""}, "SLURM_JOB_ID is not set"),
        ({"SLURM_STEP_NUM_TASKS": "3"}, "2 hosts.*contradict each other"),
        ({"SLURM_STEP_TASKS_PER_NODE": "4"}, "contradict each other"),
        ({"SLURM_PROCID": "4"}, "SLURM_PROCID is 4.*has 4 tasks"),
        ({"SLURM_PROCID": "-1"}, "SLURM_PROCID is '-1'"),
        (
            {"SLURMD_NODENAME": "n10", "SLURM_DISTRIBUTION": "cyclic"},
            "runs on 'n10'.*'n9'.*'cyclic'.*--distribution=block",
        ),
    ],
)
def test_variables_that_contradict_each_other(changed, text):
    with pytest.raises(ValueError, match=text):
        slurm.addresses({**STEP, **changed})


def test_the_resolver_has_the_index_of_this_task(gpus):
    gpus(3)
    found = slurm.resolver(
        {**STEP, "SLURM_PROCID": "2", "SLURMD_NODENAME": "n10"}
    )
    assert (found.task_type, found.task_id) == ("worker", 2)
    assert found.num_accelerators() == {"GPU": 3}
    assert found.rpc_layer == "grpc"
    assert found.cluster_spec().as_dict() == {"worker": slurm.addresses(STEP)}


def test_tasks_that_would_share_gpus(gpus):
    gpus(4)
    variables = {**STEP, "SLURM_GPUS_ON_NODE": "4"}
    with pytest.raises(ValueError, match=r"2 tasks.*all 4 .*--gpus-per-task"):
        slurm.resolver(variables)
    one_each = {
        **variables,
        "SLURM_STEP_NUM_TASKS": "2",
        "SLURM_STEP_TASKS_PER_NODE": "1(x2)",
    }
    assert slurm.resolver(one_each).num_accelerators() == {"GPU": 4}
    gpus(2)  # SLURM has assigned them
    assert slurm.resolver(variables).num_accelerators() == {"GPU": 2}


SHELL = {"SLURM_JOB_ID": "4711", "SLURM_NTASKS": "4", "SLURM_PROCID": "0"}


@pytest.mark.parametrize(
    ("variables", "terminal", "count"),
    [
        ({}, False, 0),
        (SHELL, True, 0),  # `salloc`, or the script of `sbatch`
        # `salloc` where it starts the shell on the first node
        ({**SHELL, "SLURM_STEP_NUM_TASKS": "1"}, True, 1),
        ({**STEP, "SLURM_PTY_PORT": "40000"}, True, 0),  # `srun --pty bash`
        ({**STEP, "SLURM_PTY_PORT": "40000"}, False, 4),  # `srun` from there
        (STEP, False, 4),
    ],
)
def test_a_shell_is_not_a_cluster(
    variables, terminal, count, outside, monkeypatch
):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(os, "isatty", lambda descriptor: terminal)
    assert slurm.num_tasks() == count
    if count <= 1 and not tf.config.get_visible_devices("GPU"):
        assert distribution.strategy() is tf.distribute.get_strategy()


def test_several_workers_without_srun(outside, monkeypatch):
    for name, value in SHELL.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=r"needs .* TF_CONFIG.* with srun"):
        distribution.strategy("multi_worker")


def test_a_step_is_a_cluster(outside, monkeypatch):
    for name, value in STEP.items():
        monkeypatch.setenv(name, value)
    tf.constant(0) + 1  # TensorFlow has started, so nothing is connected
    with pytest.raises(RuntimeError, match="already started"):
        distribution.strategy("auto")


def test_tf_config_takes_precedence_over_slurm(outside, monkeypatch):
    for name, value in STEP.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TF_CONFIG", '{"cluster": {"worker": ["a:1"]}}')
    if not tf.config.get_visible_devices("GPU"):
        assert distribution.strategy() is tf.distribute.get_strategy()
