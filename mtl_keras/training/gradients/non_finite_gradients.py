"""What happens when the gradient of a task is NaN or infinite."""

from __future__ import annotations

import warnings

import keras

NON_FINITE = ("stop", "skip")


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
    if choice not in NON_FINITE:
        raise ValueError(
            f"non_finite={choice!r}; expected 'stop', which raises an error "
            "at a loss or gradient that is not finite, or 'skip', which passes "
            "over the step."
        )
    return choice


def scales_loss(optimizer: keras.optimizers.Optimizer) -> bool:
    """Whether an optimizer scales the loss, and skips steps by itself.

    Args:
        optimizer: The optimizer of a model.
    """
    return isinstance(optimizer, keras.optimizers.LossScaleOptimizer)


class WatchGradients(keras.callbacks.Callback):
    """Stops at a step whose gradients were not finite, or says how many were.

    `MultiTaskModel.fit` adds one to its callbacks where steps are guarded. The
    step itself has changed nothing. Overflows are expected where the optimizer
    scales the loss: it lowers the scale and goes on, as in Keras.

    Raises:
        NonFiniteGradientError: If the model was compiled with
            `non_finite="stop"`.
    """

    # Lets Keras run it beside the next step, as it does without callbacks.
    async_safe = True

    def on_train_batch_end(self, batch: int, logs=None) -> None:
        """Looks whether a step was passed over."""
        raise_if_stopped(self.model, f"at step {batch + 1}")

    def on_train_end(self, logs=None) -> None:
        """Says which gradients were not finite."""
        skipped = self.model.skipped_steps
        if skipped.steps and not scales_loss(self.model.optimizer):
            warnings.warn(
                f"{skipped.steps} steps were skipped, because "
                f"{skipped.describe()} was not finite.",
                stacklevel=3,
            )


def raise_if_stopped(model, where: str) -> None:
    """Raises an error if gradients were not finite and the model is to stop.

    Args:
        model: A `MultiTaskModel`.
        where: What the message says of the step.
    """
    if model.non_finite == "skip" or scales_loss(model.optimizer):
        return
    skipped = model.skipped_steps
    if skipped.steps and skipped.gradients:
        raise NonFiniteGradientError(
            f"Not finite {where}: {skipped.describe()}. The step was not "
            "taken, so the weights are those before it. Look for functions "
            "with an infinite slope (a root or a logarithm at 0) in the loss, "
            "lower the learning rate, or compile with non_finite='skip' to "
            "pass over such steps."
        )
