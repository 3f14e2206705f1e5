"""Builds a model within the scope of a strategy."""

from __future__ import annotations

from collections.abc import Callable

import keras
import tensorflow as tf

from mtl_keras.distribution.strategy import strategy as pick


def build(
    factory: Callable[..., keras.Model],
    strategy: str | tf.distribute.Strategy = "auto",
    *,
    replicas: int | None = None,
    **arguments,
) -> keras.Model:
    """Calls a factory within the scope of a strategy.

    Pass the optimizer by name or config: the variables of an existing
    optimizer are outside the scope.

    Args:
        factory: A factory such as `mtl_keras.build_cnn_cls_seg`, or any
            function that returns a compiled model.
        strategy: See `mtl_keras.distribution.strategy`. Defaults to `"auto"`.
        replicas: See `mtl_keras.distribution.strategy`.
        **arguments: Arguments of the factory.

    Returns:
        The model that the factory returns.

    Example:

    >>> model = mtl_keras.distribution.build(
    ...     mtl_keras.build_mlp, "none", num_classes=4
    ... )
    """
    with pick(strategy, replicas).scope():
        return factory(**arguments)
