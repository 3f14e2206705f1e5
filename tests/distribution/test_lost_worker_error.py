"""The other workers name a lost worker and stop."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from mtl_keras.distribution import LostWorkerError
from mtl_keras.distribution.lost_worker_error import name_lost_workers
from mtl_keras.processes import worker_environments

PROGRAM = str(Path(__file__).parents[1] / "lost_worker_program.py")
BOUND_SECONDS = 100

# Messages of TensorFlow, as they were observed.
BY_HEARTBEAT = """Graph execution error:
Collective ops is aborted by: Error reported from /job:worker/task:0: The \
following tasks are unhealthy (stopped sending heartbeats):
/job:worker/replica:0/task:1
The tasks have crashed. Check the task logs for an earlier error."""
BY_CONNECTION = """\
Collective ops is aborted by: recvmsg:Connection reset by peer
Additional GRPC error information from remote target \
/job:worker/replica:0/task:1 while calling /tensorflow.WorkerService:"""


class ThreeWorkers:
    """A strategy on its third worker, which has the index 2."""

    extended = SimpleNamespace(_in_multi_worker_mode=lambda: True)
    cluster_resolver = SimpleNamespace(
        cluster_spec=lambda: tf.train.ClusterSpec(
            {"worker": ["a:1", "b:2", "c:3"]}
        ),
        task_type="worker",
        task_id=2,
    )


def named(text, kind=tf.errors.UnavailableError):
    with name_lost_workers(ThreeWorkers()):
        raise kind(None, None, text)


@pytest.mark.parametrize("text", [BY_HEARTBEAT, BY_CONNECTION])
def test_the_lost_worker_is_named(text):
    with pytest.raises(LostWorkerError, match=r"^Worker 1 \(b:2\) was") as info:
        named(text)
    assert info.value.workers == (1,)
    assert "this one, worker 2, stops too" in str(info.value)
    assert "--resume" in str(info.value)
    assert isinstance(info.value.__cause__, tf.errors.UnavailableError)


def test_an_unnamed_worker():
    with pytest.raises(LostWorkerError, match=r"^Another worker was lost"):
        named("Socket closed", tf.errors.InternalError)


def test_other_errors_are_not_replaced():
    with pytest.raises(tf.errors.InternalError, match="out of cheese"):
        named("out of cheese", tf.errors.InternalError)
    with (
        pytest.raises(tf.errors.UnavailableError),
        name_lost_workers(tf.distribute.get_strategy()),
    ):
        raise tf.errors.UnavailableError(None, None, BY_HEARTBEAT)


def run(folder, victim):
    """Runs two workers, one of which may kill itself."""
    processes = [
        subprocess.Popen(
            [sys.executable, PROGRAM, str(folder), str(victim)],
            env={
                **environment,
                "CUDA_VISIBLE_DEVICES": "-1",
                "TF_CPP_MIN_LOG_LEVEL": "3",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for environment in worker_environments(2, dict(os.environ))
    ]
    try:
        said = [p.communicate(timeout=BOUND_SECONDS)[0] for p in processes]
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
    return [process.returncode for process in processes], said


@pytest.mark.slow
@pytest.mark.parametrize("victim", [1, 0], ids=["worker", "chief"])
def test_training_continues_after_a_kill(tmp_path, victim):
    codes, said = run(tmp_path, victim)
    assert codes[victim] == -signal.SIGKILL, said
    assert codes[1 - victim] == 3, said
    assert f"Worker {victim} (127.0.0.1:" in said[1 - victim]
    codes, said = run(tmp_path, -1)
    assert codes == [0, 0], said
    found = [json.loads(text.splitlines()[-1]) for text in said]
    # Killed in step 8, with 6 steps per epoch and a backup every second step.
    assert [each["restored"] for each in found] == [[1, 0], [1, 0]]
    (tmp_path / "undisturbed").mkdir()
    codes, _ = run(tmp_path / "undisturbed", -1)
    assert codes == [0, 0]
    expected = dict(np.load(tmp_path / "undisturbed" / "0.npz"))
    for index in range(2):
        weights = dict(np.load(tmp_path / f"{index}.npz"))
        for name, value in expected.items():
            np.testing.assert_array_equal(weights[name], value)
