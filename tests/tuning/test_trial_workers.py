"""Trials in several processes, which are killed for real."""

import os
import signal
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import tensorflow as tf
from tuning_problem import build_in_numpy, samples, search_small

from mtl_keras.tuning import trial_workers
from mtl_keras.tuning.journal import Journal
from mtl_keras.tuning.trial_workers import WorkerFailedError

FLAG = "TUNING_TEST_FLAG"


def build_once_deadly(width=3, loss_weights=None, **more):
    """Ends its process the first time that a trial is built."""
    flag = Path(os.environ[FLAG])
    if loss_weights is not None and not flag.exists():
        flag.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return build_in_numpy(width, loss_weights, **more)


def build_deadly(width=3, optimizer="sgd"):
    """Ends its process at one width."""
    if width == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return build_in_numpy(width, optimizer=optimizer)


def scores(study):
    return {
        tuple(sorted(trial.labels.items())): trial.metrics
        for trial in study.trials
    }


@pytest.fixture
def flag(tmp_path, monkeypatch):
    monkeypatch.setenv(FLAG, str(tmp_path / "flag"))


@pytest.mark.slow
def test_workers_find_what_one_process_finds(tmp_path):
    space = {"width": [2, 3, 4, 5]}
    arguments = {"space": space, "tuner": "grid", "max_trials": None}
    one = search_small(tmp_path, name="one", **arguments)
    two = search_small(tmp_path, name="two", workers=2, **arguments)
    assert [t.number for t in two.trials] == [0, 1, 2, 3]
    assert set(scores(two)) == set(scores(one))
    for labels, metrics in scores(one).items():
        assert scores(two)[labels] == pytest.approx(metrics, rel=1e-5)
    assert two.best_model().count_params() > 0


@pytest.mark.slow
def test_the_trial_of_a_killed_worker_is_run_again(tmp_path, flag):
    study = search_small(tmp_path, build_once_deadly, workers=2)
    assert (tmp_path / "flag").exists()
    assert [trial.number for trial in study.trials] == [0, 1, 2]
    assert all(trial.completed for trial in study.trials)
    expected = search_small(tmp_path, name="unharmed")
    for found, other in zip(study.trials, expected.trials, strict=True):
        assert found.metrics == pytest.approx(other.metrics, rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("kills", [1, 3])
def test_a_worker_that_is_killed_as_it_starts_is_replaced(tmp_path, kills):
    killed = []

    def kill():
        while len(killed) < kills:
            for child in trial_workers.multiprocessing.active_children():
                if child.pid not in killed and len(killed) < kills:
                    killed.append(child.pid)
                    os.kill(child.pid, signal.SIGKILL)
            time.sleep(0.05)

    thread = threading.Thread(target=kill, daemon=True)
    thread.start()
    if kills == 3:
        with pytest.raises(WorkerFailedError, match="killed by SIGKILL"):
            search_small(tmp_path, workers=2)
    else:
        study = search_small(tmp_path, workers=2)
        assert all(trial.completed for trial in study.trials)
    thread.join()


@pytest.mark.slow
def test_a_trial_that_ends_every_worker_fails(tmp_path):
    study = search_small(
        tmp_path,
        build_deadly,
        {"width": [4, 5]},
        tuner="grid",
        max_trials=None,
        workers=2,
    )
    good, bad = study.trials
    assert good.completed and not bad.completed
    assert "lost 3 times; the last one killed by SIGKILL" in bad.reason


def test_unpicklable_arguments_are_refused(tmp_path):
    with pytest.raises(TypeError, match="at the top of a module"):
        search_small(
            tmp_path, lambda width: build_in_numpy(width), {"width": [2, 3]},
            workers=2, max_trials=2,
        )  # fmt: skip
    stream = tf.data.Dataset.from_tensors(samples())
    with pytest.raises(TypeError, match="pass arrays"):
        search_small(tmp_path, validation=stream, workers=2, name="stream")


@pytest.mark.slow
def test_a_worker_that_cannot_begin_raises(tmp_path, monkeypatch):
    def broken(*arguments, **more):
        return b"no pickle"

    monkeypatch.setattr(trial_workers, "_pickled", broken)
    with pytest.raises(WorkerFailedError, match="could not begin"):
        search_small(tmp_path, workers=2)


@pytest.mark.slow
def test_no_worker_outlives_an_interruption(tmp_path, default_interruption):
    pids = []

    def interrupt():
        path = tmp_path / "small"
        while not any(e["event"] == "end" for e in Journal(path).events):
            time.sleep(0.1)
        pids.extend(
            child.pid
            for child in trial_workers.multiprocessing.active_children()
        )
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt, daemon=True)
    (tmp_path / "small").mkdir()
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        search_small(tmp_path, workers=2, max_trials=300)
    thread.join()
    assert len(pids) == 2
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


@pytest.mark.parametrize(
    ("visible", "count", "expected"),
    [
        ("0,1,2,3", 2, ["0,1", "2,3"]),
        ("3,1,0", 2, ["3", "1"]),  # shares of one size
        ("GPU-a,GPU-b", 3, ["GPU-a", "GPU-b", "GPU-a"]),
        ("", 2, [None, None]),
        ("-1", 2, [None, None]),
    ],
)
def test_gpus_are_shared_out(monkeypatch, visible, count, expected):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    made = trial_workers.worker_variables(count)
    assert [each.get("CUDA_VISIBLE_DEVICES") for each in made] == expected
    threads = str(max(1, os.cpu_count() // count))
    assert all(each["TF_NUM_INTRAOP_THREADS"] == threads for each in made)


def test_each_worker_has_its_share_and_so_has_its_successor(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,5,6,7")
    seen = []

    class Started:
        """Stands for a process: it notes what one would find."""

        link, is_ready, task = None, True, None

        def __init__(self, content, variables):
            with trial_workers._environment(variables):
                seen.append(os.environ["CUDA_VISIBLE_DEVICES"])
            self.process = SimpleNamespace(
                exitcode=-9, join=lambda timeout: None
            )

        def end(self):
            pass

    monkeypatch.setattr(trial_workers, "_Worker", Started)
    setup = trial_workers.WorkerSetup({}, {}, {}, "none")
    with trial_workers.TrialWorkers(setup, 2) as crew:
        crew._replace(crew._workers[1])
    assert seen == ["4,5", "6,7", "6,7"]
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "4,5,6,7"
