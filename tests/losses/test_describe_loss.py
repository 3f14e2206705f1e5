"""Names of losses with their arguments."""

import keras
import pytest

from mtl_keras.losses import CrossentropyDice
from mtl_keras.losses.describe_loss import describe_loss
from mtl_keras.losses.function_loss import FunctionLoss


def custom_loss(y_true, y_pred):
    """Returns a function that Keras does not know."""
    return keras.ops.mean(keras.ops.abs(y_true - y_pred), axis=-1)


class NoConfig(keras.losses.Loss):
    """A loss without a config."""

    def call(self, y_true, y_pred):
        """Returns zeros."""
        return keras.ops.zeros_like(y_pred[..., 0])

    def get_config(self):
        """Raises an error, as a loss with arguments may."""
        raise NotImplementedError


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (None, "none"),
        (CrossentropyDice(), "CrossentropyDice"),
        (
            CrossentropyDice(dice_weight=0.5),
            "CrossentropyDice (dice_weight=0.5)",
        ),
        (keras.losses.Huber(delta=0.3), "Huber (delta=0.3)"),
        (
            keras.losses.MeanSquaredError(reduction="sum"),
            "MeanSquaredError (reduction='sum')",
        ),
        (keras.losses.get("mean_squared_error"), "mean_squared_error"),
        (custom_loss, "custom_loss"),
        (FunctionLoss(custom_loss), "custom_loss"),
        (NoConfig(), "NoConfig"),
    ],
)
def test_losses(loss, expected):
    assert describe_loss(loss) == expected
