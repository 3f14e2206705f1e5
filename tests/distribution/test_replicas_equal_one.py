"""The law: N replicas equal one, to the tolerance that each case states."""

import functools
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from factory_harness import mostly_slow
from replica_law import assert_law, train
from replica_law_cases import CASES
from worker_processes import make_python_path, run_workers

PROGRAM = str(Path(__file__).parents[1] / "replica_law_worker.py")
# Number of cases that one process trains.
OF_PART = 25
# One case for each hook of a weighting runs every time; all others are slow.
QUICK = (
    "famo-parameters-missing",
    "gradvac-features-missing",
    "db_mtl-parameters-missing",
)
# Cases with each way to a loss, trained in this process.
OF_EACH_WAY = (
    *QUICK,
    "build_mlp-missing-sgd-normalized",
    "plain-weights-of-classes-one-sample-adam",
    "build_mlp-nine-tasks-dwa-missing",
    "uncertainty-float16",
    "mgda-monitored-global-clipnorm",
)
# Cases that several processes train, whose start costs more than a case.
OF_PROCESSES = (
    *sorted(set(OF_EACH_WAY) - {"uncertainty-float16"}),
    "build_mlp-missing-adam",
    "build_mlp-nine-tasks-plain-missing",
    "build_cnn_cls_seg-missing-sgd-normalized",
    "build_cnn-complete-sgd",
    "build_text_cls_tag-missing-sgd-normalized",
    "uncertainty-parameters-missing",
    "mgda-parameters-complete",
    "auto_lambda-parameters-missing",
    "build_dselect_k-entropy-of-samples-plain-33",
    "plain-short-batch-complete",
    "plain-three-samples",
    "build_dselect_k-entropy-of-samples-plain-37",
    "plain-executions",
    "graddrop-parameters-missing",
    "pcgrad-parameters-missing",
)
# All pairs of a number of replicas and a case. The cases of a part are in a
# row, so that a worker of pytest that takes over some seldom trains a part
# again.
PAIRS = [
    (replicas, name)
    for part in range(-(-len(CASES) // OF_PART))
    for replicas in (2, 4, 1)
    for name in list(CASES)[part * OF_PART : (part + 1) * OF_PART]
    if replicas in CASES[name].replicas
]


@functools.cache
def by_one(name):
    """Returns the results of one replica."""
    return train(CASES[name], "none")


def results_of(path, name):
    """Reads the results of a case from the file of a worker."""
    with np.load(path) as found:
        return {
            key.partition("/")[2]: found[key]
            for key in found.files
            if key.startswith(f"{name}/")
        }


@pytest.mark.parametrize("name", mostly_slow(OF_EACH_WAY, QUICK))
def test_two_replicas(name, two_replicas):
    found = train(CASES[name], two_replicas)
    assert_law(found, by_one(name), CASES[name].tolerance)


@pytest.fixture(scope="module")
def results_by(tmp_path_factory):
    """Looks up the results of a case with a number of replicas.

    Each process trains a part of the cases: TensorFlow keeps all traced
    functions, and one process for all cases would grow to 8 GB.
    """
    folder = tmp_path_factory.mktemp("law")

    @functools.cache
    def train_part(replicas, part):
        file = folder / f"{replicas}.{part}.npz"
        names = list(CASES)[part * OF_PART : (part + 1) * OF_PART]
        if replicas != "none":
            names = [n for n in names if replicas in CASES[n].replicas]
        process = subprocess.run(
            [sys.executable, PROGRAM, str(file), str(replicas), *names],
            env={**os.environ, "PYTHONPATH": make_python_path()},
        )
        return file, process.returncode

    def look_up(replicas, name):
        part = list(CASES).index(name) // OF_PART
        file, code = train_part(replicas, part)
        assert code == 0, f"the process of {replicas} ended with {code}"
        return results_of(file, name)

    return look_up


@pytest.mark.slow
@pytest.mark.parametrize(("replicas", "name"), PAIRS)
def test_replicas(replicas, name, results_by):
    found, one = results_by(replicas, name), results_by("none", name)
    assert_law(found, one, CASES[name].tolerance)


def test_each_case_is_trained_by_two_replicas():
    assert set(OF_EACH_WAY) | set(OF_PROCESSES) <= set(CASES)
    assert {name for replicas, name in PAIRS if replicas == 2} == set(CASES)


@pytest.fixture(scope="module")
def of_processes(tmp_path_factory):
    """Returns files of what two processes made of some cases together."""
    file = tmp_path_factory.mktemp("law") / "processes"
    run_workers(2, PROGRAM, str(file), "workers", *OF_PROCESSES, seconds=1200)
    return [file.with_suffix(f".{index}.npz") for index in range(2)]


@pytest.mark.slow
@pytest.mark.parametrize("name", OF_PROCESSES)
def test_two_processes(name, of_processes):
    first, second = (results_of(file, name) for file in of_processes)
    assert_law(first, by_one(name), CASES[name].tolerance)
    for key, array in first.items():
        np.testing.assert_array_equal(second[key], array, err_msg=key)
