"""Checks that a model was created within the scope that trains it."""

from __future__ import annotations

import keras
import tensorflow as tf

_WAY_OUT = (
    "Create, load and compile the model there: with strategy.scope(): "
    "model = ..., or mtl_keras.distribution.build(factory, strategy, ...)."
)


def check_created_in_scope(model: keras.Model) -> None:
    """Raises an error if a model does not belong to the current strategy.

    Args:
        model: A model, compiled or not.

    Raises:
        ValueError: If the model or its optimizer was created outside the
            scope of the strategy, or within the scope of another one.
    """
    own = model.distribute_strategy
    if tf.distribute.has_strategy():
        current = tf.distribute.get_strategy()
        if current is not own:
            where = (
                f"within the scope of another {type(own).__name__}"
                if own.num_replicas_in_sync > 1
                else "outside it"
            )
            raise ValueError(
                f"The model {model.name!r} is used within the scope of a "
                f"{type(current).__name__} but was created {where}, so some "
                f"replicas do not have its weights. {_WAY_OUT}"
            )
    check_on_replicas(model, "model", model.variables)
    # A model that was not compiled has no optimizer.
    state = getattr(getattr(model, "optimizer", None), "variables", ())
    check_on_replicas(model, "optimizer of the model", state)


def check_on_replicas(model: keras.Model, what: str, variables) -> None:
    """Raises an error if a variable is not on all replicas of a model.

    Args:
        model: The model.
        what: The owner of the variables, for the error message.
        variables: The variables.

    Raises:
        ValueError: If a variable was created outside the scope of the
            model's strategy.
    """
    strategy = model.distribute_strategy
    if strategy.num_replicas_in_sync == 1:
        return
    for variable in variables:
        if not isinstance(variable.value, tf.distribute.DistributedValues):
            raise ValueError(
                f"The {what} {model.name!r} has the variable "
                f"{variable.path!r}, which was created outside the scope of "
                f"the model's {type(strategy).__name__}. {_WAY_OUT} Pass "
                "optimizers and metrics by name, or create them there too."
            )
