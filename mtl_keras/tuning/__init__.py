"""Search for trunk widths, task weights and all else. Imports KerasTuner."""

from mtl_keras.tuning.folder_lock import FolderInUseError
from mtl_keras.tuning.multi_task_hyper_model import MultiTaskHyperModel
from mtl_keras.tuning.objective import Objective
from mtl_keras.tuning.published_space import space_of
from mtl_keras.tuning.search import search
from mtl_keras.tuning.study import AllTrialsFailedError, Study
from mtl_keras.tuning.trial_record import TrialRecord

__all__ = [
    "AllTrialsFailedError",
    "FolderInUseError",
    "MultiTaskHyperModel",
    "Objective",
    "Study",
    "TrialRecord",
    "search",
    "space_of",
]
