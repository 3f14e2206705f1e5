"""Runs a planned search in its folder."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable
from pathlib import Path

from mtl_keras.tuning.folder_lock import lock_folder
from mtl_keras.tuning.search_plan import SearchPlan
from mtl_keras.tuning.search_run import SearchRun
from mtl_keras.tuning.search_settings import check_counts
from mtl_keras.tuning.single_task_references import find_references
from mtl_keras.tuning.study import Study
from mtl_keras.tuning.trial_report import TrialReport
from mtl_keras.tuning.trial_runner import TrialRunner
from mtl_keras.tuning.trial_task import LocalExecutor
from mtl_keras.tuning.trial_workers import TrialWorkers, WorkerSetup

# Creates the executor of the trials, a context manager, once the references
# are known.
MakeExecutor = Callable[[TrialRunner], contextlib.AbstractContextManager]


def run_plan(
    plan: SearchPlan,
    folder: Path,
    make_executor: MakeExecutor,
    *,
    resume: bool = True,
    retry_failed: bool = False,
    overwrite: bool = False,
    report: TrialReport | None = None,
) -> Study:
    """Runs a search, or resumes one.

    Args:
        plan: The search.
        folder: Folder of the search, which is created if it is missing.
        make_executor: Creates the executor that trains the trials.
        resume: Whether to resume a search in the folder. Defaults to `True`.
        retry_failed: Whether to run failed trials again. Defaults to `False`.
        overwrite: Whether to delete a search in the folder. Defaults to
            `False`.
        report: Shows the progress. Defaults to none.

    Returns:
        The saved `Study`.

    Raises:
        AllTrialsFailedError: If all trials failed.
        FileExistsError: If the folder holds a search and `resume` is false.
        FolderInUseError: If another search is running in the folder.
        RepeatedFailuresError: If the search stopped after equal failures.
        ValueError: If the folder holds a search that differs, or if arguments
            exclude each other.
    """
    _check_restart(resume, retry_failed, overwrite)
    folder.mkdir(parents=True, exist_ok=True)
    runner = plan.runner
    report = TrialReport() if report is None else report
    with lock_folder(folder, folder.name), _frozen_garbage():
        run = SearchRun(
            folder,
            plan.settings,
            plan.fingerprint,
            plan.oracle,
            runner,
            report=report,
        )
        run.restore(
            resume=resume, retry_failed=retry_failed, overwrite=overwrite
        )
        with report:
            find_references(
                runner, run.journal, report, plan.references, plan.epochs
            )
            with make_executor(runner) as executor:
                run.run_trials(plan.max_trials, plan.epochs, executor)
        study = Study(
            folder,
            plan.settings,
            plan.objectives,
            sorted(run.records, key=lambda record: record.number),
            plan.hyper_model,
            runner.references,
            recipe=plan.recipe,
        )
        study.save()
        if run.failures.has_reached_limit:
            raise run.failures.error()
    return study


def _check_restart(resume: bool, retry_failed: bool, overwrite: bool) -> None:
    other = {"overwrite=True": overwrite, "resume=False": not resume}
    for name, is_given in other.items():
        if retry_failed and is_given:
            raise ValueError(
                f"retry_failed=True resumes a search, but {name} does not. "
                "Leave one of the two out."
            )


def check_workers(workers: int, distribution) -> None:
    """Checks the number of worker processes.

    Args:
        workers: Number of processes.
        distribution: Strategy of each training.

    Raises:
        TypeError: If `workers` is not an integer, or if there are several and
            `distribution` is not a name.
        ValueError: If `workers` is below 1.
    """
    check_counts(workers=workers)
    if workers > 1 and not isinstance(distribution, str):
        raise TypeError(
            f"workers={workers} start processes that create their strategies; "
            "pass the name of a strategy as distribution."
        )


def make_executor(
    plan: SearchPlan, workers: int, distribution, replicas: int | None = None
) -> MakeExecutor:
    """Returns a function that creates the executor of the trials.

    Args:
        plan: The search.
        workers: Number of processes on this host. With 1, the trials are
            trained in this process.
        distribution: Name of the strategy of each process.
        replicas: Number of devices of each process, or `None` for all.
    """

    def create(runner: TrialRunner):
        if workers == 1:
            return contextlib.nullcontext(LocalExecutor(runner))
        setup = WorkerSetup(
            plan.hyper_model.constructor_arguments,
            runner.constructor_arguments,
            runner.references,
            distribution,
            replicas,
        )
        return TrialWorkers(setup, workers)

    return create


@contextlib.contextmanager
def _frozen_garbage():
    """Excludes the objects that exist now from garbage collection."""
    was_frozen = gc.get_freeze_count()
    gc.freeze()
    try:
        yield
    finally:
        if not was_frozen:
            gc.unfreeze()
