"""Checks that a model was made inside of the scope that trains it."""

from __future__ import annotations

import keras
import tensorflow as tf

_WAY_OUT = (
    "Make, load and compile it there: with strategy.scope(): model = ..., or "
    "mtl_keras.distribution.build(factory, strategy, ...)."
)


def check_made_inside(model: keras.Model) -> None:
    """Raises an error if a model does not belong to the strategy in use.

    Args:
        model: A model, compiled or not.

    Raises:
        ValueError: If the model or its optimizer was made outside of the
            scope of the strategy, or in that of another one.
    """
    own = model.distribute_strategy
    if tf.distribute.has_strategy():
        current = tf.distribute.get_strategy()
        if current is not own:
            where = (
                f"inside of the scope of another {type(own).__name__}"
                if own.num_replicas_in_sync > 1
                else "outside of it"
            )
            raise ValueError(
                f"The model {model.name!r} is used inside of the scope of a "
                f"{type(current).__name__} and was made {where}, so its "
                f"weights are not on all replicas. {_WAY_OUT}"
            )
    check_on_replicas(model, "model", model.variables)
    # Without an optimizer, a model was not compiled.
    state = getattr(getattr(model, "optimizer", None), "variables", ())
    check_on_replicas(model, "optimizer of the model", state)


def check_on_replicas(model: keras.Model, what: str, variables) -> None:
    """Raises an error if a variable is not on all replicas of a model.

    Args:
        model: The model.
        what: What the variables are of, for the error.
        variables: The variables.

    Raises:
        ValueError: If one was made outside of the scope of its strategy.
    """
    strategy = model.distribute_strategy
    if strategy.num_replicas_in_sync == 1:
        return
    for variable in variables:
        if not isinstance(variable.value, tf.distribute.DistributedValues):
            raise ValueError(
                f"The {what} {model.name!r} has the variable "
                f"{variable.path!r}, which was made outside of the scope of "
                f"its {type(strategy).__name__}. {_WAY_OUT} Pass optimizers "
                "and metrics by their names, or make them there too."
            )
