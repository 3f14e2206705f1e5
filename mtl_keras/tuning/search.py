"""Searches the hyperparameters of a factory."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import keras
import keras_tuner
import tensorflow as tf

from mtl_keras.tuning.run_plan import check_workers, make_executor, run_plan
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
    folds=None,
    validation_split: float = 0.0,
    callbacks: keras.callbacks.Callback
    | Sequence[keras.callbacks.Callback]
    | None = None,
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
    retry_failed: bool = False,
    overwrite: bool = False,
    verbose: int = 1,
) -> Study:
    """Searches the hyperparameters of a factory for the best model.

    Each event of the search is written to disk at once. After Ctrl-C, a kill
    or a power failure, the same call resumes the search: finished trials are
    kept, and interrupted trials run again from the same seed.

    Args:
        factory: One of:
            - A factory such as `mtl_keras.build_mlp`, or any callable that
              accepts the names of the space and returns a compiled model.
            - A function `build(hp)` as for KerasTuner, with one required
              argument called `hp`.
            - A `keras_tuner.HyperModel`, whose `fit` trains the models.
        space: Dict from name to range, choices or fixed value, or a
            `keras_tuner.HyperParameters`, which extends and overrides the
            factory's search space; see `MultiTaskHyperModel`. For a
            `build(hp)`, `None` uses the declared hyperparameters, and a dict
            overrides some of them.
        train: `(x, y)` or `(x, y, sample_weight)`, or a `tf.data.Dataset` of
            batches.
        validation: Validation data in the same form, on which trials are
            compared. Not with `folds` or `validation_split`.
        objective: One of the following, a pair of it and `"min"` or `"max"`,
            or a list of several, whose trade-offs are then searched:
            - `"<task>_<metric>"` or `"<task>_loss"` on the validation data.
            - `"delta_m"`: the mean relative gain over single-task models with
              the factory's default trunk, which are trained once.
            - `"parameters"`: the number of parameters.
            - `"latency"`: milliseconds for one sample.
        tuner: `"bayesian"` (default), `"random"`, `"grid"` or `"hyperband"`.
            A trial that Hyperband promotes is trained again for more epochs.
        max_trials: Number of trials. Defaults to `20`; for `"grid"` and
            `"hyperband"`, to all of their trials.
        epochs: Maximum number of epochs of a trial. Defaults to `10`.
        patience: Number of epochs without improvement after which a training
            stops, or `None`. Defaults to `5`. A trial is scored by its best
            epoch; with several objectives, by the last epoch that no earlier
            one matches in all of them.
        batch_size: Number of samples of a batch, unless it is in the space or
            the data has batches. Defaults to `32`.
        executions_per_trial: Number of trainings of each trial, with other
            seeds, whose results are averaged. Defaults to `1`.
        folds: Folds for cross-validation, instead of `validation`: their
            number; pairs of training and validation indices, such as
            `GroupKFold(5).split(x, groups=patients)`; or a splitter of
            scikit-learn that needs neither labels nor groups.
        validation_split: Fraction of the training samples, from the end, to
            use instead of `validation`. Defaults to `0.0`.
        callbacks: A Keras callback, or several. Each training gets copies.
            Defaults to none.
        references: Dict from task to the metric of its single-task model, for
            `"delta_m"`. Defaults to training these models.
        merge: See `MultiTaskHyperModel`.
        loss_weights: See `MultiTaskHyperModel`.
        distribution: Strategy of each training, see
            `mtl_keras.distribution.strategy`. Defaults to `"auto"`.
        replicas: Number of devices of each process, see
            `mtl_keras.distribution.strategy`. Defaults to all devices.
        workers: Number of processes that train trials, each with its share of
            the processors. With several, the proposals depend on the order in
            which trials finish; their scores still depend on the seed only.
            Defaults to `1`, which is this process.
        directory: Folder of all searches. Defaults to `"searches"`.
        name: Name of this search and its folder. Defaults to the name of the
            factory.
        seed: Seed of proposals, initial weights, shuffling and dropout.
            Defaults to `0`.
        resume: Whether to resume a search in that folder. Defaults to `True`.
        retry_failed: Whether to run failed trials again. Completed trials are
            kept, also if callbacks or a custom factory changed; the journal
            records the change. Defaults to `False`.
        overwrite: Whether to delete a search in that folder and to start from
            nothing. Defaults to `False`.
        verbose: `0` for no output; otherwise a table of the trials in a
            terminal, or else a line for each trial. Defaults to `1`.

    Returns:
        A `Study`.

    Raises:
        AllTrialsFailedError: If all trials failed; with the reason of the
            first one.
        FileExistsError: If the folder holds a search and `resume` is false.
        FolderInUseError: If another search is running in the folder.
        RepeatedFailuresError: If 3 trials in a row failed with the same error
            and others have completed.
        TypeError: If an argument has the wrong type.
        ValueError: If an argument is invalid, the data does not match the
            default model, or the folder holds a search with completed trials
            whose settings, data, callbacks or factory differ.

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
        validation_split=validation_split,
        callbacks=callbacks,
        references=references,
        merge=merge,
        loss_weights=loss_weights,
        distribution=distribution,
        replicas=replicas,
        seed=seed,
    )
    folder = Path(directory) / (name or plan.settings["factory"].strip("<>"))
    make = make_executor(plan, workers, distribution, replicas)
    report = make_report(plan.objectives, plan.max_trials, verbose)
    return run_plan(
        plan,
        folder,
        make,
        resume=resume,
        retry_failed=retry_failed,
        overwrite=overwrite,
        report=report,
    )
