"""Builds a model inside of the scope of a strategy."""

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
    """Calls a factory inside of the scope of a strategy.

    Pass an optimizer by its name or config; an object that was made before
    has its variables outside of the scope.

    Args:
        factory: A factory such as `mtl_keras.build_cnn_cls_seg`, or any
            function that returns a compiled model.
        strategy: See `mtl_keras.distribution.strategy`. Defaults to `"auto"`.
        replicas: See there.
        **arguments: Arguments of the factory.

    Returns:
        What the factory returns.

    Example:

    >>> model = mtl_keras.distribution.build(
    ...     mtl_keras.build_mlp, "none", num_classes=4
    ... )
    """
    with pick(strategy, replicas).scope():
        return factory(**arguments)
