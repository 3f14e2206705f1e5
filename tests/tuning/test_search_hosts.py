"""A search over TCP finds what one process finds, whoever is killed."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from factory_harness import mostly_slow
from small_studies import write_study
from tuning_problem import build_in_numpy, samples, search_small

from mtl_keras import tuning
from mtl_keras.processes import free_ports
from mtl_keras.tuning.search_hosts import join_search, lead_search
from mtl_keras.tuning.search_plan import plan_search
from mtl_keras.tuning.trial_report import TrialReport

COMMAND = Path(sys.executable).parent / "mtl-keras"


def plan_small(**arguments):
    """Returns the plan of `search_small`."""
    arguments = {
        "objective": "left_accuracy",
        "tuner": "random",
        "max_trials": 2,
        "epochs": 1,
        "batch_size": 48,
        "merge": False,
        **arguments,
    }
    space = {"loss_weight": (0.1, 10.0)}
    return plan_search(
        build_in_numpy, space, samples(), samples(seed=1), **arguments
    )


def lead_in_thread(folder, oracle, plan, found):
    def lead():
        try:
            found.append(
                lead_search(
                    plan, folder, oracle, wait_seconds=60, report=TrialReport()
                )
            )
        except Exception as error:
            found.append(error)

    thread = threading.Thread(target=lead)
    thread.start()
    return thread


@pytest.mark.parametrize(
    "objective", mostly_slow(["left_accuracy", "delta_m"], ["delta_m"])
)
def test_a_worker_elsewhere_finds_what_one_process_finds(tmp_path, objective):
    oracle = f"127.0.0.1:{free_ports(1)[0]}"
    found, said = [], []
    folder = tmp_path / "hosts"
    references = {"left": 0.5, "right": 0.5}
    arguments = {"objective": objective}
    if objective == "delta_m":
        arguments["references"] = references
    thread = lead_in_thread(folder, oracle, plan_small(**arguments), found)
    count = join_search(
        plan_small(**arguments),
        folder,
        oracle,
        wait_seconds=60,
        say=said.append,
    )
    thread.join()
    assert count == 2 and said[-1] == "trial 1 completed"
    expected = search_small(tmp_path, max_trials=2, **arguments)
    for ours, theirs in zip(found[0].trials, expected.trials, strict=True):
        assert ours.labels == theirs.labels
        assert ours.metrics == pytest.approx(theirs.metrics, rel=1e-5)
        assert ours.objectives == pytest.approx(theirs.objectives, rel=1e-5)
    # Weights came over and belong to the front.
    assert found[0].best_model().count_params() > 0
    assert (folder / "trials.csv").is_file()


def test_when_all_trials_fail_the_workers_are_told_that_it_is_over(tmp_path):
    oracle = f"127.0.0.1:{free_ports(1)[0]}"
    found = []
    broken = {"references": {"left": 0.0, "right": 0.5}, "objective": "delta_m"}
    thread = lead_in_thread(tmp_path, oracle, plan_small(**broken), found)
    count = join_search(
        plan_small(**broken),
        tmp_path,
        oracle,
        wait_seconds=60,
        say=lambda _: None,
    )
    thread.join()
    assert count == 2
    assert isinstance(found[0], tuning.AllTrialsFailedError)


def test_a_worker_of_another_study_is_refused(tmp_path):
    oracle = f"127.0.0.1:{free_ports(1)[0]}"
    found = []
    thread = lead_in_thread(tmp_path, oracle, plan_small(), found)
    how = {"wait_seconds": 60, "say": lambda _: None}
    with pytest.raises(ValueError, match="epochs is 1 at the chief and 2 at"):
        join_search(plan_small(epochs=2), tmp_path, oracle, **how)
    assert join_search(plan_small(), tmp_path, oracle, **how) == 2
    thread.join()


class Tune:
    """A process of `mtl-keras tune`."""

    def __init__(self, study, oracle, role, *more):
        self.lines = []
        self.process = subprocess.Popen(
            [
                *(COMMAND, "tune", study, "--role", role, "--oracle", oracle),
                *("--wait-seconds", "120", *more),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )

    def wait_for(self, text):
        """Reads until a line has a text."""
        for line in self.process.stdout:
            self.lines.append(line)
            if text in line:
                return line
        raise AssertionError(f"no {text!r} in:\n{''.join(self.lines)}")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()

    def end(self):
        """Waits for the end; returns the code and all that was printed."""
        rest, _ = self.process.communicate(timeout=240)
        return self.process.returncode, "".join(self.lines) + rest


@pytest.fixture
def tune():
    started = []

    def start(*arguments):
        started.append(Tune(*arguments))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.kill()


@pytest.mark.slow
@pytest.mark.skipif(not COMMAND.is_file(), reason="not installed")
def test_a_worker_and_then_the_chief_are_killed(tmp_path, tune):
    path = write_study(
        tmp_path / "hosts",
        fit={"epochs": 20, "patience": 0},
        search={"max_trials": 3},
    )
    oracle = f"127.0.0.1:{free_ports(1)[0]}"
    chief = tune(path, oracle, "chief")
    first = tune(path, oracle, "worker")
    first.wait_for("begins")
    first.kill()  # in mid-trial
    chief.wait_for("has left: its connection was lost")
    second = tune(path, oracle, "worker")
    chief.wait_for("trial   0")
    second.wait_for("trial 1 begins")
    chief.kill()
    second.wait_for("The chief was lost")
    again = tune(path, oracle, "chief")
    code, text = again.end()
    assert code == 0, text
    assert "The best of 3 trials" in text
    code, text = second.end()
    assert code == 0, text
    # Trial 1, which the worker was at, was not begun again.
    assert text.count("trial 1 begins") == 1
    assert "The search is over; 3 trials trained here." in text
    found = tuning.run_study(path, verbose=0)  # it is over: nothing is run
    expected = tuning.run_study(path, tmp_path / "one", verbose=0)
    assert len(found.trials) == 3
    for ours, theirs in zip(found.trials, expected.trials, strict=True):
        assert ours.labels == theirs.labels
        assert ours.metrics == pytest.approx(theirs.metrics, rel=1e-4)


@pytest.mark.slow
@pytest.mark.skipif(not COMMAND.is_file(), reason="not installed")
def test_a_worker_that_is_stopped_says_goodbye(tmp_path, tune):
    path = write_study(tmp_path / "hosts", fit={"epochs": 3000, "patience": 0})
    oracle = f"127.0.0.1:{free_ports(1)[0]}"
    chief = tune(path, oracle, "chief")
    worker = tune(path, oracle, "worker")
    worker.wait_for("begins")
    worker.process.send_signal(signal.SIGTERM)
    chief.wait_for("has left: it was stopped")
    code, text = worker.end()
    assert code == 130 and "Stopped" in text
    chief.process.send_signal(signal.SIGTERM)
    code, text = chief.end()
    assert code == 130 and "The same command resumes" in text
