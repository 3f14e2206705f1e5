"""The multi-task model, its training loops and its callbacks."""

from mtl_keras.training.backups.backup_and_restore import BackupAndRestore
from mtl_keras.training.backups.backup_file import BackupError
from mtl_keras.training.full_batch.fit_full_batch import fit_full_batch
from mtl_keras.training.gradients.non_finite_gradients import (
    NonFiniteGradientError,
)
from mtl_keras.training.losses.loss_weight_schedule import LossWeightSchedule
from mtl_keras.training.losses.loss_weights import LossWeights
from mtl_keras.training.losses.non_finite_loss import (
    NonFiniteLossError,
    StopOnNonFiniteLoss,
)
from mtl_keras.training.multi_task_model import MultiTaskModel
from mtl_keras.training.stages.fit_in_stages import fit_in_stages

__all__ = [
    "BackupAndRestore",
    "BackupError",
    "LossWeightSchedule",
    "LossWeights",
    "MultiTaskModel",
    "NonFiniteGradientError",
    "NonFiniteLossError",
    "StopOnNonFiniteLoss",
    "fit_full_batch",
    "fit_in_stages",
]
