"""Runs a search in its folder, to the end."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable
from pathlib import Path

from mtl_keras.tuning.folder_lock import lock_folder
from mtl_keras.tuning.search_plan import SearchPlan
from mtl_keras.tuning.search_run import SearchRun
from mtl_keras.tuning.search_settings import check_counts
from mtl_keras.tuning.study import Study
from mtl_keras.tuning.trial_report import TrialReport
from mtl_keras.tuning.trial_runner import TrialRunner
from mtl_keras.tuning.trial_task import InProcess
from mtl_keras.tuning.trial_workers import TrialWorkers, WorkerSetup

# Makes who trains, once the references are known: a context manager.
MakeCrew = Callable[[TrialRunner], contextlib.AbstractContextManager]


def run_plan(
    plan: SearchPlan,
    folder: Path,
    make_crew: MakeCrew,
    *,
    resume: bool = True,
    report: TrialReport | None = None,
) -> Study:
    """Runs a search, or goes on with one.

    Args:
        plan: The search.
        folder: Its folder, which is made if need be.
        make_crew: Makes who trains the trials.
        resume: Whether to go on with a search in that folder.
        report: Shows what happens. Defaults to nothing.

    Returns:
        A `Study`, which was saved.

    Raises:
        FileExistsError: If there is a search in the folder and `resume` is
            false.
        FolderInUseError: If another search is running in the folder.
        ValueError: If the folder holds a search for something else.
    """
    folder.mkdir(parents=True, exist_ok=True)
    runner = plan.runner
    report = TrialReport() if report is None else report
    with lock_folder(folder, folder.name), _frozen_garbage():
        run = SearchRun(
            folder, plan.settings, plan.oracle, runner, report=report
        )
        run.go_on(resume=resume)
        with report:
            run.find_references(plan.references, plan.epochs)
            with make_crew(runner) as crew:
                run.run_trials(plan.max_trials, plan.epochs, crew)
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
    return study


def check_workers(workers: int, distribution) -> None:
    """Raises an error unless so many processes can train on a host.

    Args:
        workers: Number of processes.
        distribution: What each training is spread over.
    """
    check_counts(workers=workers)
    if workers > 1 and not isinstance(distribution, str):
        raise TypeError(
            f"workers={workers} start processes that make strategies of their "
            "own; pass the name of one as distribution."
        )


def make_crew(
    plan: SearchPlan, workers: int, distribution, replicas: int | None = None
) -> MakeCrew:
    """Has this process train, or several of this host.

    Args:
        plan: The search.
        workers: Number of processes.
        distribution: Name of a strategy, for several.
        replicas: Number of devices of each process, or `None` for all.
    """

    def crew(runner: TrialRunner):
        if workers == 1:
            return contextlib.nullcontext(InProcess(runner))
        setup = WorkerSetup(
            plan.hyper_model.constructor_arguments,
            runner.constructor_arguments,
            runner.references,
            distribution,
            replicas,
        )
        return TrialWorkers(setup, workers)

    return crew


@contextlib.contextmanager
def _frozen_garbage():
    """Has the collector pass over what was there before the search."""
    was_frozen = gc.get_freeze_count()
    gc.freeze()
    try:
        yield
    finally:
        if not was_frozen:
            gc.unfreeze()
