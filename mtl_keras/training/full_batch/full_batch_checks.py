"""Checks of `fit_full_batch`: arguments, and whether there is an objective."""

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

# Their weights of the losses are fixed; all others follow the training.
_FIXED_WEIGHTINGS = (Equal, Importance)

# Evaluations of one loss on one machine differ by rounding alone.
_ROUNDING = 1e-4


def check_method(method) -> str:
    """Finds a method whatever its case.

    Args:
        method: What the user passed.

    Raises:
        ValueError: If there is none of that name.
    """
    by_name = {name.lower(): name for name in METHODS}
    if str(method).lower() not in by_name:
        raise ValueError(
            f"method={method!r} is no full-batch method. "
            f"{did_you_mean(method, METHODS)}"
        )
    return by_name[str(method).lower()]


def check_numbers(iterations, tolerance, batch_size, verbose) -> None:
    """Checks the arguments of `fit_full_batch` of these names.

    Raises:
        ValueError: If one is out of its range.
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
            "the largest component of the gradient at the end."
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
    """Refuses models that have no objective to minimize.

    Args:
        model: What the user passed.

    Raises:
        TypeError: If it is no `MultiTaskModel`.
        ValueError: If it is not compiled, spread over several replicas, has a
            weighting without an objective, constraints, or nothing to train.
    """
    if not isinstance(model, MultiTaskModel):
        raise TypeError(
            f"model is a {type(model).__name__}; expected a MultiTaskModel, "
            "such as mtl_keras.build_mlp makes."
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
            f"The model was made under a strategy of {replicas} replicas; "
            "fit_full_batch works on one. Make the model outside of "
            "strategy.scope(), or use model.fit."
        )
    weighting = model.weighting
    if weighting is not None and not isinstance(weighting, _FIXED_WEIGHTINGS):
        raise ValueError(
            f"The model was compiled with weighting={type(weighting).__name__},"
            " whose weights are not fixed, so that there is no function to "
            "minimize; expected None, 'equal' or 'importance'. Compile it "
            "without weighting and set loss_weights, or use model.fit."
        )
    if not model.trainable_weights:
        raise ValueError(
            "The model has no trainable weights. Set layer.trainable = True "
            "where there is something to learn, and compile it again."
        )
    for variable in model.trainable_weights:
        if getattr(variable, "constraint", None) is not None:
            raise ValueError(
                f"Weight {variable.path!r} has the constraint "
                f"{type(variable.constraint).__name__}, which these methods "
                "do not keep. Use a regularizer in its place, or model.fit."
            )


def check_deterministic(model, evaluate: Callable, vector: np.ndarray) -> None:
    """Refuses models whose loss is not a function of the weights.

    It is computed twice. Layers that draw random numbers advance the state of
    their seed, and layers that gather statistics change these.

    Args:
        model: A `MultiTaskModel`.
        evaluate: Function from a vector of weights to a `JointLossValue`.
        vector: The vector to try it at.

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
            f"{_layers_of(model, changed)} changes in training: the joint loss "
            "must be the same each time it is computed, so layers that draw "
            "random numbers (Dropout) or gather statistics "
            "(BatchNormalization) are refused. Build the model without them "
            "(dropout=0, normalization='layer' or 'group'), set "
            "layer.trainable = False for a BatchNormalization, or use "
            "model.fit."
        )
    second = evaluate(vector).value
    if abs(first - second) > _ROUNDING * max(abs(first), abs(second)):
        raise ValueError(
            f"The joint loss was {first}, and {second} when computed again "
            "with the same weights. A layer or loss is random in training; "
            "take it out, or use model.fit."
        )


def _layers_of(model, variables: list) -> str:
    """Names the layers that variables belong to."""
    ids = {id(variable) for variable in variables}
    names = [
        repr(layer.name)
        for layer in model.layers
        if any(id(variable) in ids for variable in layer.variables)
    ]
    return f"Layer {', '.join(names)}"
