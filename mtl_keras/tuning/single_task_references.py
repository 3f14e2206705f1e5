"""Trains the single-task models that gains are relative to."""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Mapping

import keras
import numpy as np
import tensorflow as tf

from mtl_keras.tasks import Task
from mtl_keras.training import MultiTaskModel
from mtl_keras.training.overrides import derive_model_class
from mtl_keras.tuning.journal import Journal
from mtl_keras.tuning.objective import DELTA_M, Objective
from mtl_keras.tuning.trial_report import TrialReport
from mtl_keras.tuning.trial_runner import TrialRunner


def find_references(
    runner: TrialRunner,
    journal: Journal,
    report: TrialReport,
    given: Mapping[str, float] | None,
    epochs: int,
) -> None:
    """Trains the single-task models that gains are relative to.

    Args:
        runner: The `TrialRunner` of the search, which gets the metrics.
        journal: The journal, which records them.
        report: Shows the metrics.
        given: Dict from task to the metric of its single-task model, or
            `None` to train these models.
        epochs: Maximum number of epochs.

    Raises:
        ValueError: If `given` has other tasks than the model.
    """
    if DELTA_M not in [objective.name for objective in runner.objectives]:
        return
    if given is not None:
        different = set(runner.hyper_model.tasks) ^ set(given)
        if different:
            raise ValueError(
                f"references={dict(given)!r} and the tasks "
                f"{list(runner.hyper_model.tasks)} differ in "
                f"{sorted(different)}; expected a number for each task."
            )
        runner.references.update(given)
        return
    known, runner.references = runner.references, {}
    for task in runner.hyper_model.default_model.tasks:
        if task.name not in known:
            value = train_reference(runner, task, epochs)
            known[task.name] = value
            journal.append(
                {"event": "reference", "task": task.name, "value": value}
            )
            name = f"{task.name}_{task.primary_metric}"
            report.say(f"single-task reference  {name}={value:.5g}")
    runner.references = known


def train_reference(runner: TrialRunner, task: Task, epochs: int) -> float:
    """Trains a model of one task as the trials are trained.

    Args:
        runner: The `TrialRunner` of the search.
        task: The task.
        epochs: Maximum number of epochs.

    Returns:
        The task's primary metric at the best epoch, averaged over executions
        and folds.
    """
    hyper_model = runner.hyper_model
    name = f"{task.name}_{task.primary_metric}"
    single = TrialRunner(
        hyper_model,
        [
            dataclasses.replace(
                part,
                train=select_task(part.train, task.name),
                validation=select_task(part.validation, task.name),
            )
            for part in runner.parts
        ],
        [Objective(name, task.direction)],
        seed=runner.seed,
        strategy=runner.strategy,
        fit=runner.fit_arguments,
        patience=runner.patience,
    )
    # Above the numbers of all trials, so that the seeds differ.
    number = 2**32 + zlib.crc32(task.name.encode())
    values = []
    for execution in range(runner.executions):
        for fold, part in enumerate(single.parts):
            seed = runner.training_seed(number, execution, fold)
            with runner.strategy.scope():
                model = single_task_model(
                    hyper_model.build_default(seed), task.name
                )
            arguments = hyper_model.default_arguments
            result = single.train(model, part, seed, epochs, arguments)
            values.append(result[name])
    return float(np.mean(values))


def single_task_model(model: MultiTaskModel, task: str) -> MultiTaskModel:
    """Extracts the part of a model that one task uses.

    Args:
        model: A model that was just built.
        task: Name of the task.

    Returns:
        A compiled model with one output and the optimizer's config. It shares
        the layers of `model`.
    """
    (kept,) = (each for each in model.tasks if each.name == task)
    output = dict(zip(model.output_names, model.outputs, strict=True))[task]
    single = derive_model_class(model, MultiTaskModel)(
        model.inputs[0] if len(model.inputs) == 1 else model.inputs,
        {task: output},
        name=f"{model.name}_{task}",
        tasks=[kept],
    )
    config = keras.optimizers.serialize(model.optimizer)
    # With one task, weighting and loss weight have no effect.
    single.compile(
        optimizer=keras.optimizers.deserialize(config),
        loss_weights={task: 1.0},
        run_eagerly=model.run_eagerly,
        jit_compile=model.jit_compile,
    )
    return single


def select_task(data, task: str):
    """Selects the labels of one task.

    Args:
        data: `(x, y)`, `(x, y, sample_weight)`, or a `tf.data.Dataset`.
        task: Name of the task.

    Raises:
        TypeError: If `data` is another kind of stream.
    """
    if isinstance(data, tf.data.Dataset):
        return data.map(lambda *batch: select_task(batch, task))
    if not isinstance(data, tuple):
        raise TypeError(
            "objective 'delta_m' trains a reference for each task on the "
            f"labels of this task; found data of type {type(data).__name__}, "
            "expected arrays or a tf.data.Dataset. Or pass references={...}."
        )
    x, y, *weights = data
    weights = [w[task] if isinstance(w, Mapping) else w for w in weights]
    return (x, {task: y[task]}, *weights)
