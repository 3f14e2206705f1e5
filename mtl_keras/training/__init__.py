"""How a multi-task model trains: its model class and what that adds."""

from mtl_keras.training.loss_weight_schedule import LossWeightSchedule
from mtl_keras.training.loss_weights import LossWeights
from mtl_keras.training.multi_task_model import MultiTaskModel
from mtl_keras.training.non_finite_loss import (
    NonFiniteLossError,
    StopOnNonFiniteLoss,
)

__all__ = [
    "LossWeightSchedule",
    "LossWeights",
    "MultiTaskModel",
    "NonFiniteLossError",
    "StopOnNonFiniteLoss",
]
