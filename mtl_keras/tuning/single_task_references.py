"""Single-task models of the same trunk, which gains are relative to."""

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
from mtl_keras.tuning.objective import Objective
from mtl_keras.tuning.trial_runner import TrialRunner


def train_reference(runner: TrialRunner, task: Task, epochs: int) -> float:
    """Trains a model that has one task alone, as trials are trained.

    Args:
        runner: Trains the models of the search.
        task: The task.
        epochs: Most epochs.

    Returns:
        The task's primary metric at the best epoch, the mean over executions
        and folds.
    """
    hyper_model = runner.hyper_model
    name = f"{task.name}_{task.primary_metric}"
    single = TrialRunner(
        hyper_model,
        [
            dataclasses.replace(
                part,
                train=of_task(part.train, task.name),
                validation=of_task(part.validation, task.name),
            )
            for part in runner.parts
        ],
        [Objective(name, task.direction)],
        seed=runner.seed,
        strategy=runner.strategy,
        fit=runner.fit_arguments,
        patience=runner.patience,
    )
    # Beside the seeds of all trials.
    number = 2**32 + zlib.crc32(task.name.encode())
    values = []
    for execution in range(runner.executions):
        for fold, part in enumerate(single.parts):
            seed = runner.training_seed(number, execution, fold)
            with runner.strategy.scope():
                model = single_task_model(
                    hyper_model.build_default(seed), task.name
                )
            usual = hyper_model.default_arguments
            result = single.train(model, part, seed, epochs, usual)
            values.append(result[name])
    return float(np.mean(values))


def single_task_model(model: MultiTaskModel, task: str) -> MultiTaskModel:
    """Cuts the part of a model out that serves one task.

    Args:
        model: A model that was just built.
        task: Name of the task.

    Returns:
        A compiled model of one output, with the optimizer's config. Its layers
        are those of `model`.
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
    # Weighting one task changes nothing; its own weight neither.
    single.compile(
        optimizer=keras.optimizers.deserialize(config),
        loss_weights={task: 1.0},
        run_eagerly=model.run_eagerly,
        jit_compile=model.jit_compile,
    )
    return single


def of_task(data, task: str):
    """Keeps the labels of one task.

    Args:
        data: `(x, y)`, `(x, y, sample_weight)`, or a `tf.data.Dataset`.
        task: Name of the task.

    Raises:
        TypeError: If it is another kind of stream.
    """
    if isinstance(data, tf.data.Dataset):
        return data.map(lambda *batch: of_task(batch, task))
    if not isinstance(data, tuple):
        raise TypeError(
            "objective 'delta_m' trains single-task references, and keeps one "
            f"task of the data for each; found {type(data).__name__}, expected "
            "arrays or a tf.data.Dataset. Or pass references={...}."
        )
    x, y, *weights = data
    weights = [w[task] if isinstance(w, Mapping) else w for w in weights]
    return (x, {task: y[task]}, *weights)
