"""The law: N replicas equal one, to the tolerance that each case states."""

import functools
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from replica_law import assert_law, train
from replica_law_cases import CASES
from worker_processes import path_of_tests, run_workers

PROGRAM = str(Path(__file__).parents[1] / "replica_law_worker.py")
# Of each kind one, for every run of the tests; all others are slow.
QUICK = {
    "build_mlp-missing-adam",
    "build_cnn_cls_seg-missing-sgd-normalized",
    "gradvac-features-missing",
    "db_mtl-parameters-missing",
    "mgda-global-clipnorm",
    "plain-one-sample",
    "plain-class-weights",
    "build_mlp-nine-tasks-plain-missing",
    "uncertainty-float16",
}
# What several processes train: a start of them costs more than a case.
OF_PROCESSES = [
    *sorted(QUICK - {"uncertainty-float16"}),
    "build_cnn-complete-sgd-normalized",
    "uncertainty-parameters-missing",
    "famo-parameters-missing",
    "mgda-parameters-complete",
    "auto_lambda-parameters-missing",
    "build_dselect_k-entropy-of-samples-plain-33",
    "plain-short-batch-complete",
    "plain-three-samples",
    "build_dselect_k-entropy-of-samples-plain-37",
    "plain-executions",
    "graddrop-parameters-missing",
    "pcgrad-parameters-missing",
]


def with_marks(name):
    """A case with its marks."""
    marks = [] if name in QUICK else [pytest.mark.slow]
    return pytest.param(name, marks=marks)


@functools.cache
def by_one(name):
    """What one replica makes of a case."""
    return train(CASES[name], "none")


def results_of(path, name):
    """The results of a case in a file of the worker."""
    with np.load(path) as found:
        return {
            key.partition("/")[2]: found[key]
            for key in found.files
            if key.startswith(f"{name}/")
        }


@pytest.mark.parametrize("name", [with_marks(name) for name in CASES])
def test_two_replicas(name, two_replicas):
    found = train(CASES[name], two_replicas)
    assert_law(found, by_one(name), CASES[name].tolerance)


@pytest.fixture(scope="module")
def of_replicas(tmp_path_factory):
    """Files of what 1 and 4 replicas made of all cases."""
    folder = tmp_path_factory.mktemp("law")
    files = {}
    for replicas in (1, 4):
        files[replicas] = folder / f"{replicas}.npz"
        subprocess.run(
            [sys.executable, PROGRAM, str(files[replicas]), str(replicas)],
            env={**os.environ, "PYTHONPATH": path_of_tests()},
            check=True,
        )
    return files


@pytest.mark.slow
@pytest.mark.parametrize("name", [with_marks(name) for name in CASES])
def test_one_and_four_replicas(name, of_replicas):
    for file in of_replicas.values():
        found = results_of(file, name)
        assert_law(found, by_one(name), CASES[name].tolerance)


@pytest.fixture(scope="module")
def of_processes(tmp_path_factory):
    """Files of what two processes made of some cases together."""
    file = tmp_path_factory.mktemp("law") / "processes"
    run_workers(2, PROGRAM, str(file), "0", *OF_PROCESSES, seconds=1200)
    return [file.with_suffix(f".{index}.npz") for index in range(2)]


@pytest.mark.slow
@pytest.mark.parametrize("name", OF_PROCESSES)
def test_two_processes(name, of_processes):
    first, second = (results_of(file, name) for file in of_processes)
    assert_law(first, by_one(name), CASES[name].tolerance)
    for key, array in first.items():
        np.testing.assert_array_equal(second[key], array, err_msg=key)
