"""Checks the arguments and the objective of `fit_full_batch`."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable

import numpy as np

from mtl_keras.spelling import did_you_mean
from mtl_keras.training.multi_task_model import MultiTaskModel
from mtl_keras.training.overrides import Overrides
from mtl_keras.weighting import Equal, Importance

METHODS = ("CG", "L-BFGS-B")

# Weightings with fixed loss weights.
_FIXED_WEIGHTINGS = (Equal, Importance)

# Repeated evaluations of a deterministic loss differ only by rounding.
_ROUNDING = 1e-4


def check_method(method) -> str:
    """Returns the name of a method in its normal case.

    Args:
        method: The argument of `fit_full_batch`.

    Raises:
        ValueError: If the method is unknown.
    """
    by_name = {name.lower(): name for name in METHODS}
    if str(method).lower() not in by_name:
        raise ValueError(
            f"method={method!r} is not a full-batch method. "
            f"{did_you_mean(method, METHODS)}"
        )
    return by_name[str(method).lower()]


def check_arguments(iterations, tolerance, batch_size, verbose) -> None:
    """Checks the numeric arguments of `fit_full_batch`.

    Args:
        iterations: See `fit_full_batch`.
        tolerance: See `fit_full_batch`.
        batch_size: See `fit_full_batch`.
        verbose: See `fit_full_batch`.

    Raises:
        ValueError: If an argument is out of range.
    """
    for name, value in (("iterations", iterations), ("batch_size", batch_size)):
        if name == "batch_size" and value is None:
            continue
        if not _is_integer(value) or value < 1:
            raise ValueError(
                f"{name}={value!r}; expected an integer of 1 or more."
            )
    if not isinstance(tolerance, int | float | np.number) or not (
        0 <= tolerance < math.inf
    ):
        raise ValueError(
            f"tolerance={tolerance!r}; expected a finite number of 0 or more, "
            "the largest final component of the gradient."
        )
    if verbose not in ("auto", 0, 1, 2):
        raise ValueError(f"verbose={verbose!r}; expected 'auto', 0, 1 or 2.")


def _is_integer(value) -> bool:
    try:
        operator.index(value)
    except TypeError:
        return False
    return not isinstance(value, bool)


def check_model(model) -> None:
    """Checks that a model has an objective to minimize.

    Args:
        model: The argument of `fit_full_batch`.

    Raises:
        TypeError: If it is not a `MultiTaskModel`.
        ValueError: If it is not compiled, has several replicas, a weighting
            without an objective, constraints, or no trainable weights.
    """
    if not isinstance(model, MultiTaskModel):
        raise TypeError(
            f"model is a {type(model).__name__}; expected a MultiTaskModel, "
            "such as mtl_keras.build_mlp() returns."
        )
    model.assert_compiled("fit_full_batch")
    overridden = Overrides(model, MultiTaskModel).names
    if overridden:
        raise ValueError(
            f"{type(model).__name__} overrides {overridden[0]}, which "
            "fit_full_batch does not call: it minimizes the joint loss of the "
            "tasks. Remove the override, or use model.fit."
        )
    replicas = model.distribute_strategy.num_replicas_in_sync
    if replicas > 1:
        raise ValueError(
            f"The model was created under a strategy with {replicas} replicas; "
            "fit_full_batch supports one. Create the model outside "
            "strategy.scope(), or use model.fit."
        )
    weighting = model.weighting
    if weighting is not None and not isinstance(weighting, _FIXED_WEIGHTINGS):
        raise ValueError(
            f"The model was compiled with weighting={type(weighting).__name__},"
            " whose weights are not fixed, so there is no function to "
            "minimize; expected None, 'equal' or 'importance'. Compile the "
            "model without weighting and set loss_weights, or use model.fit."
        )
    if not model.trainable_weights:
        raise ValueError(
            "The model has no trainable weights. Set layer.trainable = True "
            "for the layers to train, and compile the model again."
        )
    for variable in model.trainable_weights:
        if getattr(variable, "constraint", None) is not None:
            raise ValueError(
                f"Weight {variable.path!r} has the constraint "
                f"{type(variable.constraint).__name__}, which these methods "
                "do not support. Use a regularizer instead, or model.fit."
            )


def check_deterministic(model, evaluate: Callable, vector: np.ndarray) -> None:
    """Checks that the loss is a function of the weights.

    The loss is computed twice. Layers that draw random numbers change the
    state of their seed, and normalization layers change their statistics.

    Args:
        model: A `MultiTaskModel`.
        evaluate: Function from a vector of weights to a `JointLossValue`.
        vector: The vector to evaluate.

    Raises:
        ValueError: If a layer changes its state, which is then restored, or
            the loss differs.
    """
    state = model.non_trainable_variables
    before = [variable.numpy().copy() for variable in state]
    first = evaluate(vector).value
    changed = []
    for variable, value in zip(state, before, strict=True):
        if not np.array_equal(variable.numpy(), value):
            changed.append(variable)
            variable.assign(value)
    if changed:
        raise ValueError(
            f"Layer {_layer_names(model, changed)} changes its state in "
            "training. The joint loss must be deterministic, so layers that "
            "draw random numbers (Dropout) or collect statistics "
            "(BatchNormalization) are not supported. Build the model without "
            "them (dropout=0, normalization='layer' or 'group'), set "
            "layer.trainable = False for a BatchNormalization, or use "
            "model.fit."
        )
    second = evaluate(vector).value
    if abs(first - second) > _ROUNDING * max(abs(first), abs(second)):
        raise ValueError(
            f"The joint loss was {first}, and {second} when computed again "
            "with the same weights. A layer or loss is random in training; "
            "remove it, or use model.fit."
        )


def _layer_names(model, variables: list) -> str:
    """Returns the names of the layers that own some variables."""
    ids = {id(variable) for variable in variables}
    names = [
        repr(layer.name)
        for layer in model.layers
        if any(id(variable) in ids for variable in layer.variables)
    ]
    return ", ".join(names)
