"""Searches a space for the best of a factory's models."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import keras
import keras_tuner
import tensorflow as tf

from mtl_keras.tuning.run_plan import check_workers, make_crew, run_plan
from mtl_keras.tuning.search_plan import plan_search
from mtl_keras.tuning.study import Study
from mtl_keras.tuning.trial_report import make_report


def search(
    factory: Callable[..., keras.Model] | keras_tuner.HyperModel,
    space: Mapping | keras_tuner.HyperParameters | None,
    train,
    validation=None,
    *,
    objective,
    tuner: str = "bayesian",
    max_trials: int | None = None,
    epochs: int = 10,
    patience: int | None = 5,
    batch_size: int = 32,
    executions_per_trial: int = 1,
    folds: int | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    references: Mapping[str, float] | None = None,
    merge: bool = True,
    loss_weights: str = "ratios",
    distribution: str | tf.distribute.Strategy = "auto",
    replicas: int | None = None,
    workers: int = 1,
    directory: str | os.PathLike = "searches",
    name: str | None = None,
    seed: int = 0,
    resume: bool = True,
    verbose: int = 1,
) -> Study:
    """Searches a space for the best of a factory's models.

    What has happened is written down as it happens. After Ctrl-C, a kill or a
    power cut, the same call goes on: trials that ended are not run again, and
    the one that was running is run anew, from its own seed.

    Args:
        factory: A factory such as `mtl_keras.build_mlp`, or any callable that
            takes the names of the space and returns a compiled model. Also
            KerasTuner's `build(hp)`, whose only necessary argument is called
            `hp`, or a `keras_tuner.HyperModel`, whose `fit` is then called.
        space: Dict from name to range, list of choices or fixed value, or a
            `keras_tuner.HyperParameters`, merged over the factory's own; see
            `MultiTaskHyperModel`. For a `build(hp)`, `None` takes what it
            declares; a dict replaces what it names of that.
        train: `(x, y)` or `(x, y, sample_weight)`, or a `tf.data.Dataset` of
            batches.
        validation: The same, to compare trials on. Left out with `folds`.
        objective: What is searched for: `"<task>_<metric>"`, `"<task>_loss"`,
            `"parameters"`, `"latency"` (milliseconds for one sample) or
            `"delta_m"`, the mean relative gain over single-task models of the
            factory's default trunk, which are trained once. A pair with
            `"min"` or `"max"` says the direction. A list of several searches
            for their trade-offs.
        tuner: `"bayesian"` (default), `"random"`, `"grid"` or `"hyperband"`.
            A trial that Hyperband promotes is trained anew, with more epochs.
        max_trials: Number of trials. Defaults to `20`; for `"grid"` and
            `"hyperband"` to all that they have.
        epochs: Most epochs of a trial. Defaults to `10`.
        patience: Epochs without a better one that end a training, or `None`.
            Defaults to `5`. The best epoch counts; with several objectives,
            the last one that no epoch before equals in all of them.
        batch_size: Samples per batch, where the space does not say it.
        executions_per_trial: Trainings of each trial, from other seeds, whose
            mean counts. Defaults to `1`.
        folds: Number of folds to validate on in turn, in place of
            `validation`.
        callbacks: Keras callbacks; each training gets copies.
        references: Metrics of single-task models by task for `"delta_m"`, if
            they are known.
        merge: See `MultiTaskHyperModel`.
        loss_weights: See `MultiTaskHyperModel`.
        distribution: What each training is spread over, see
            `mtl_keras.distribution.strategy`. Defaults to `"auto"`.
        replicas: Number of devices of each process, see there. Defaults to
            all that it has.
        workers: Number of processes that train trials, each with its share of
            the processors. What is proposed then depends on which trial ends
            first; scores follow from the seed as with one. Defaults to `1`,
            which is this process.
        directory: Folder of all searches. Defaults to `"searches"`.
        name: Name of this one, and of its folder. Defaults to the factory's.
        seed: Seed of proposals, initial weights, order and dropout. Defaults
            to `0`.
        resume: Whether to go on with a search in that folder. Defaults to
            `True`.
        verbose: `0` for silence; else a table of the trials in a terminal,
            and a line for each where there is none. Defaults to `1`.

    Returns:
        A `Study`.

    Raises:
        AllTrialsFailedError: If no trial came to its end; with the reason of
            the first.
        FileExistsError: If there is a search in the folder and `resume` is
            false.
        FolderInUseError: If another search is running in the folder.
        ValueError: If an argument does not fit, or the folder holds a search
            for something else.

    Example:

    ```python
    study = tuning.search(
        mtl_keras.build_cnn_cls_seg,
        {"trunk_width": [8, 16]},
        (x, y),
        (x_validation, y_validation),
        objective=["classification_accuracy", "segmentation_iou"],
    )
    model = study.best_model()
    ```
    """
    check_workers(workers, distribution)
    plan = plan_search(
        factory,
        space,
        train,
        validation,
        objective=objective,
        tuner=tuner,
        max_trials=max_trials,
        epochs=epochs,
        patience=patience,
        batch_size=batch_size,
        executions_per_trial=executions_per_trial,
        folds=folds,
        callbacks=callbacks,
        references=references,
        merge=merge,
        loss_weights=loss_weights,
        distribution=distribution,
        replicas=replicas,
        seed=seed,
    )
    folder = Path(directory) / (name or plan.settings["factory"].strip("<>"))
    crew = make_crew(plan, workers, distribution, replicas)
    report = make_report(plan.objectives, plan.max_trials, verbose)
    return run_plan(plan, folder, crew, resume=resume, report=report)
