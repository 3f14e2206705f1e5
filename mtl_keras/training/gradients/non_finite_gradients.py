"""Stops training when a gradient is NaN or infinite."""

from __future__ import annotations

import warnings

import keras

NON_FINITE_POLICIES = ("stop", "skip")


class NonFiniteGradientError(ValueError):
    """The gradient of a task became NaN or infinite during training."""


def check_non_finite(choice: str) -> str:
    """Checks the argument `non_finite` of `MultiTaskModel.compile`.

    Args:
        choice: `"stop"` or `"skip"`.

    Returns:
        The choice.

    Raises:
        ValueError: If it is neither.
    """
    if choice not in NON_FINITE_POLICIES:
        raise ValueError(
            f"non_finite={choice!r}; expected 'stop', which raises an error "
            "at a non-finite loss or gradient, or 'skip', which skips the step."
        )
    return choice


def scales_loss(optimizer: keras.optimizers.Optimizer) -> bool:
    """Returns whether an optimizer scales the loss and skips steps itself.

    Args:
        optimizer: The optimizer of a model.
    """
    return isinstance(optimizer, keras.optimizers.LossScaleOptimizer)


class StopOnNonFiniteGradient(keras.callbacks.Callback):
    """Raises an error at the first step whose gradients are not finite.

    `MultiTaskModel.fit` adds this callback where updates are checked. The step
    has no effect. With `non_finite="skip"`, the callback warns at the end. With
    loss scaling, overflows are expected: as in Keras, the optimizer lowers the
    scale and training continues.

    Raises:
        NonFiniteGradientError: If a gradient is not finite and the model was
            compiled with `non_finite="stop"`.
    """

    # Lets Keras run the callback while the next step runs.
    async_safe = True

    def on_train_batch_end(self, batch: int, logs=None) -> None:
        """Checks whether a step was skipped."""
        raise_if_non_finite(self.model, f"at step {batch + 1}")

    def on_train_end(self, logs=None) -> None:
        """Warns about skipped steps."""
        skipped = self.model.skipped_steps
        if skipped.steps and not scales_loss(self.model.optimizer):
            warnings.warn(
                f"{skipped.steps} steps were skipped, because "
                f"{skipped.describe()} was not finite.",
                stacklevel=3,
            )


def raise_if_non_finite(model, where: str) -> None:
    """Raises an error if a gradient was not finite.

    It raises none with `non_finite="skip"` or loss scaling.

    Args:
        model: A `MultiTaskModel`.
        where: Location of the step, for the message.

    Raises:
        NonFiniteGradientError: If a gradient was not finite.
    """
    if model.non_finite == "skip" or scales_loss(model.optimizer):
        return
    skipped = model.skipped_steps
    if skipped.steps and skipped.gradients:
        raise NonFiniteGradientError(
            f"Not finite {where}: {skipped.describe()}. The step was skipped, "
            "so the weights are those before it. Look for functions with an "
            "infinite derivative (a root or a logarithm at 0) in the loss, "
            "lower the learning rate, or compile with non_finite='skip' to "
            "skip such steps."
        )
